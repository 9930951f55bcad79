#include "pacing.hpp"

#include <doctest/doctest.h>

#include "generation.hpp"
#include "gpu.hpp"
#include "server_stats.hpp"

using namespace chimera::sim;

TEST_CASE("token deadlines are multiples of the interval, so that nothing accumulates") {
    const token_grid grid(1'000, 3.0, 1'000'000, 0, 7);
    CHECK(grid.due(0) == 1'000 + 333'333'333);
    CHECK(grid.due(2) == 1'000 + 1'000'000'000);
    CHECK(grid.due(299'999) == 1'000 + 100'000'000'000'000);
}

TEST_CASE("jitter stays within its share of the interval, keeps the order and spares the last token") {
    const std::uint32_t count = 5000;
    const token_grid plain(0, 100, count, 0, 42);
    const token_grid jittered(0, 100, count, 1.0, 42);
    double sum = 0;
    std::int64_t widest = 0;
    for (std::uint32_t i = 0; i + 1 < count; ++i) {
        const auto off = jittered.due(i) - plain.due(i);
        CHECK(off >= -5'000'000);
        CHECK(off <= 5'000'000);
        CHECK(jittered.due(i) <= jittered.due(i + 1));
        sum += static_cast<double>(off);
        widest = std::max(widest, std::abs(off));
    }
    CHECK(std::abs(sum / count) < 150'000); // 3.7 standard errors of a uniform spread of 10 ms
    CHECK(widest > 4'900'000);
    CHECK(jittered.due(count - 1) == plain.due(count - 1));
    CHECK(token_grid(0, 100, count, 1.0, 42).due(17) == jittered.due(17));
    CHECK(token_grid(0, 100, count, 1.0, 43).due(17) != jittered.due(17));
}

TEST_CASE("layers outside the GPU slow decoding down linearly to the stated fraction") {
    options o;
    o.decode_tokens_per_s = 100;
    o.layers = 40;
    o.cpu_decode_fraction = 0.2;
    CHECK(decode_rate(o, -1) == doctest::Approx(100));
    CHECK(decode_rate(o, 80) == doctest::Approx(100));
    CHECK(decode_rate(o, 20) == doctest::Approx(60));
    CHECK(decode_rate(o, 0) == doctest::Approx(20));
}

TEST_CASE("prefill takes its rate and the stated surcharge for a long context") {
    options o;
    o.prefill_tokens_per_s = 1000;
    o.ctx_prefill_cost = 0.5;
    CHECK(prefill_ns(o, 500, 8192) == 750'000'000);
    o.ctx_prefill_cost = 0;
    CHECK(prefill_ns(o, 500, 8192) == 500'000'000);
    o.prefill_tokens_per_s = 0;
    CHECK(prefill_ns(o, 500, 8192) == 0);
}

TEST_CASE("reply lengths are drawn evenly from the whole range") {
    std::vector<int> seen(11);
    for (std::uint64_t seed = 0; seed < 11'000; ++seed) {
        const auto length = draw_reply_tokens(20, 30, seed);
        REQUIRE(length >= 20);
        REQUIRE(length <= 30);
        ++seen[length - 20];
    }
    for (const auto count : seen) {
        CHECK(count > 850);
        CHECK(count < 1150);
    }
    CHECK(draw_reply_tokens(5, 5, 99) == 5);
}

TEST_CASE("decode progress slows with every further decoder, by the stated law") {
    decode_clock clock(0.5, "");
    clock.start_decoder(1'000);
    CHECK(clock.progress_at(2'000) == 2'000);
    clock.start_decoder(2'000); // two: each 1.5 times slower
    CHECK(clock.progress_at(5'000) == 4'000);
    CHECK(clock.time_of(4'000) == 5'000);
    clock.start_decoder(5'000); // three: twice slower
    CHECK(clock.progress_at(7'000) == 5'000);
    clock.stop_decoder(7'000);
    clock.stop_decoder(7'000);
    CHECK(clock.time_of(6'000) == 8'000);
}

TEST_CASE("without contention decode progress is time itself") {
    decode_clock clock(0, "");
    clock.start_decoder(5);
    clock.start_decoder(6);
    CHECK(clock.progress_at(123'456) == 123'456);
    CHECK(clock.time_of(123'456) == 123'456);
    CHECK(clock.own_decoders() == 2);
}

TEST_CASE("the timer heap gives deadlines in order through any sequence of changes") {
    struct owner {
        timer_slot timer;
        std::int64_t deadline = -1;
    };
    std::vector<owner> owners(300);
    timer_heap<owner> heap;
    std::uint64_t state = 1;
    for (int round = 0; round < 20'000; ++round) {
        state = mix(state);
        auto& one = owners[state % owners.size()];
        if (state % 5 == 0) {
            heap.remove(one);
            one.deadline = -1;
        } else {
            one.deadline = static_cast<std::int64_t>((state >> 20U) % 1000);
            heap.set(one, one.deadline);
        }
        std::int64_t least = never;
        for (const auto& o : owners) {
            if (o.deadline >= 0) {
                least = std::min(least, o.deadline);
            }
        }
        REQUIRE(heap.empty() == (least == never));
        if (!heap.empty()) {
            REQUIRE(heap.next_deadline() == least);
            REQUIRE(heap.next_owner().deadline == least);
        }
    }
    while (!heap.empty()) {
        heap.remove(heap.next_owner());
    }
    for (const auto& o : owners) {
        CHECK(o.timer.place == timer_slot::idle);
    }
}

TEST_CASE("quantiles of the lateness histogram are right to a sixteenth") {
    duration_histogram histogram;
    CHECK(histogram.quantile_ns(0.99) == 0);
    for (std::int64_t ns = 1; ns <= 100'000; ++ns) {
        histogram.add(ns);
    }
    CHECK(histogram.max_ns() == 100'000);
    CHECK(histogram.quantile_ns(0.5) >= 50'000);
    CHECK(histogram.quantile_ns(0.5) <= 53'200);
    CHECK(histogram.quantile_ns(0.99) >= 99'000);
    CHECK(histogram.quantile_ns(1.0) == 100'000);
    duration_histogram few;
    few.add(-5);
    few.add(std::int64_t{1} << 60U);
    CHECK(few.quantile_ns(0.1) <= 1);
}
