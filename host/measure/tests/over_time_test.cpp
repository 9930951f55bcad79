#include "measure/memory_sampler.hpp"
#include "measure/over_time.hpp"

#include "known_runs.hpp"

#include <doctest/doctest.h>

#include <thread>

using namespace chimera::host;
using namespace chimera::test;

namespace {

constexpr std::uint64_t mib = 1U << 20U;

/// 40 s in slices of 1 s: two requests a second, each with a TTFT of 50 ms and growing by `slower_ms` from one to the
/// next. The process has 100 MiB and grows by `growth_mib` in each slice.
execution_record lasting(double growth_mib, double slower_ms = 0) {
    agent_record a;
    a.id = "a";
    for (int i = 0; i < 80; ++i) {
        request_record r;
        r.status = 200;
        r.dispatched = at(i * 500.0);
        r.first_token = at(i * 500.0 + 50);
        r.last_token = r.done = at(i * 500.0 + 100 + i * slower_ms);
        r.content_records = 10;
        a.requests.push_back(r);
    }
    execution_record x = execution(40'000, {a});
    x.slice_s = 1;
    for (int i = 0; i <= 40; ++i)
        x.memory.push_back(
            {at(i * 1000.0), 100 * mib + static_cast<std::uint64_t>(i * growth_mib * mib) + (i % 3) * 4096U});
    return x;
}

} // namespace

TEST_CASE("a run is cut into 20 to 200 slices") {
    CHECK(slice_length_s(4) == doctest::Approx(0.2));
    CHECK(slice_length_s(60) == doctest::Approx(1));
    CHECK(slice_length_s(3600) == doctest::Approx(18));
}

TEST_CASE("an execution that was not sampled has no slices") { CHECK_FALSE(over_time_of(execution(100, {}))); }

TEST_CASE("requests belong to the slice in which they end, and rates and memory are of that slice") {
    const auto o = over_time_of(lasting(1));
    REQUIRE(o);
    REQUIRE(o->slices.size() == 40);
    const time_slice& s = o->slices[3];
    CHECK(s.begin_s == 3);
    CHECK(s.end_s == 4);
    CHECK(s.requests == 2);
    CHECK(s.failed == 0);
    CHECK(s.ttft_p50_ms == doctest::Approx(50));
    CHECK(s.e2e_p50_ms == doctest::Approx(100));
    CHECK(s.tokens_per_s == doctest::Approx(20));
    CHECK(s.resident_mib.value() == doctest::Approx(104).epsilon(0.01));
}

TEST_CASE("growth is found where there is some, with its size, and not where there is none") {
    const auto grows = over_time_of(lasting(0.5, 2));
    REQUIRE(grows);
    REQUIRE(grows->growth.memory);
    CHECK(grows->growth.memory->detectable());
    CHECK(grows->growth.memory->per_hour == doctest::Approx(0.5 * 3600).epsilon(0.02));
    CHECK(grows->growth.e2e->detectable());
    CHECK(grows->growth.e2e->per_hour == doctest::Approx(2 * 2 * 3600).epsilon(0.02));
    CHECK_FALSE(grows->growth.ttft); // it never changed
    const std::vector<std::string> words = in_words(grows->growth);
    REQUIRE(words.size() == 2);
    CHECK_MESSAGE(words[0].starts_with("memory grows by 17"), words[0]);

    const auto still = over_time_of(lasting(0));
    REQUIRE(still);
    REQUIRE(still->growth.memory);
    CHECK(still->growth.memory->per_hour <= 0); // the records are taken off
    CHECK(in_words(still->growth)[0].starts_with("no growth of memory ("));
}

TEST_CASE("memory that the records take is not taken for growth") {
    execution_record x = lasting(0.5);
    for (request_record& r : x.agents[0].requests) r.kept_bytes = mib / 4 - 2 * sizeof r - 96; // two in each slice
    const auto o = over_time_of(x);
    REQUIRE(o);
    REQUIRE(o->growth.memory);
    CHECK_FALSE(o->growth.memory->detectable());
    CHECK(o->slices.back().recorded_mib == doctest::Approx(20));
}

TEST_CASE("the sampler reads the memory of this process until it ends") {
    memory_sampler sampler(std::chrono::milliseconds(5));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const std::vector<memory_sample> samples = sampler.finish();
    CHECK(samples.size() >= 3);
    for (const memory_sample& s : samples) CHECK(s.resident_bytes > mib);
    CHECK(std::ranges::is_sorted(samples, {}, &memory_sample::at));
}
