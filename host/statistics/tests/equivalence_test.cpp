#include "statistics/bootstrap.hpp"
#include "statistics/equivalence.hpp"
#include "statistics/power.hpp"

#include <doctest/doctest.h>

using namespace chimera::host::statistics;

namespace {
const std::vector<double> none, one{1}, varied{1, 2, 4}, fives(4, 5);
}

TEST_CASE("a single value says nothing of a mean") {
    for (const auto& few : {none, one}) {
        CHECK_FALSE(one_sample(few, 1));
        CHECK_FALSE(p_above(few, 1, 0));
        CHECK_FALSE(p_above(few, varied, 0));
        CHECK_FALSE(equivalence(varied, few, 1));
        CHECK_FALSE(equivalence(few, 1, 1));
    }
}

TEST_CASE("values that do not vary: equal or not, without a test") {
    CHECK(one_sample(fives, 5)->p == 1);
    CHECK_FALSE(one_sample(fives, 4));
    CHECK(*p_above(fives, 4, 0) == 0);
    CHECK(*p_above(fives, 5, 0) == 1);
    CHECK(*p_above(fives, 5, -0.1) == 0);
    CHECK(equivalence(fives, fives, 0.1)->p == 0);
    CHECK(equivalence(fives, 4, 0.5)->p == 1);
}

TEST_CASE("power: of no difference it is the level, and more runs show smaller differences") {
    const spread few{5, 9}, many{50, 9}, constant{5, 0};
    CHECK(power_of(few, few, 0, 0.05) == doctest::Approx(0.05));
    CHECK(power_of(many, many, 2, 0.05) > power_of(few, few, 2, 0.05));
    CHECK(*detectable_difference(many, many, 0.05, 0.8) < *detectable_difference(few, few, 0.05, 0.8));
    CHECK(*detectable_difference(few, few, 0.01, 0.8) > *detectable_difference(few, few, 0.05, 0.8));
    CHECK(*detectable_difference(constant, constant, 0.05, 0.8) == 0);
    CHECK(power_of(constant, 1, 0.05) == 1);
}

TEST_CASE("a bootstrap needs something that can vary") {
    const auto first = [](resample drawn) { return std::optional(static_cast<double>(drawn[0][0])); };
    const auto nothing = [](resample) { return std::optional<double>(); };
    const std::size_t empty[] = {0, 3}, single[] = {1, 1}, three[] = {3};
    CHECK_FALSE(bootstrap(empty, first, 1));
    CHECK_FALSE(bootstrap(single, first, 1));
    CHECK_FALSE(bootstrap(three, nothing, 1));
    const interval all = bootstrap(three, first, 1).value();
    CHECK(all.low == 0);
    CHECK(all.high == 2);
}
