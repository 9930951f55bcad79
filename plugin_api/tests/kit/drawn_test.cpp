// What a seed promises: the same seed draws the same, whichever machine or run it is.
#include <doctest/doctest.h>

#include "conformance/kit/drawn.hpp"

using namespace chimera::conformance;

TEST_CASE("the same seed draws the same schedule, another seed another one") {
    for (const bool with_stop : {false, true}) {
        random_source one(7), same(7), other(8);
        const schedule first = draw_schedule(one, with_stop);
        CHECK(first == draw_schedule(same, with_stop));
        CHECK(first != draw_schedule(other, with_stop));
        CHECK(draw_schedule(one, with_stop) == draw_schedule(same, with_stop)); // and so on
    }
}

TEST_CASE("a schedule with a stop has exactly one") {
    random_source from(1);
    for (int i = 0; i < 100; ++i) {
        const schedule drawn = draw_schedule(from, true);
        int stops = 0;
        for (const auto& steps : drawn.threads)
            for (const auto& step : steps) stops += step.kind == thread_step::stop;
        CHECK(stops == 1);
    }
}

TEST_CASE("the same seed draws the same response, whose fragments are the whole of it") {
    random_source one(7), same(7);
    for (int i = 0; i < 100; ++i) {
        const drawn_response r = draw_response(one);
        CHECK(r == draw_response(same));
        std::size_t sent = 0;
        for (const auto& f : r.fragments) sent += f.size;
        CHECK(sent == r.wire.size());
        CHECK(!r.body.empty());
    }
}
