#include "statistics/drift.hpp"

#include <doctest/doctest.h>

using namespace chimera::host::statistics;

namespace {
using groups = std::vector<std::vector<moment_value>>;
}

TEST_CASE("a slope takes times that differ and values to spare") {
    CHECK_FALSE(slope_within(groups{}));
    CHECK_FALSE(slope_within(groups{{{0, 1}, {1, 2}, {2, 3}}})); // one degree of freedom
    CHECK_FALSE(slope_within(groups{{{1, 1}, {1, 2}, {1, 3}, {1, 4}}}));
    CHECK(slope_within(groups{{{0, 5}, {1, 5}, {2, 5}, {3, 5}}})->p == 1);
}

TEST_CASE("the level of a group is not a slope") {
    const groups two{{{0, 10}, {1, 11}, {2, 10}, {3, 11}}, {{4, 90}, {5, 91}, {6, 90}, {7, 91}}};
    const slope_result r = slope_within(two).value();
    CHECK(r.slope == doctest::Approx(0.2));
    CHECK(r.df == 5);
    CHECK(r.p > 0.05);
}
