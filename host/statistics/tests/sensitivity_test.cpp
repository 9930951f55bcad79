#include "statistics/sensitivity.hpp"

#include <doctest/doctest.h>

using namespace chimera::host::statistics;

namespace {

std::optional<parameter_effect> effect(const std::vector<std::vector<double>>& levels) {
    return effect_of(std::vector<sample>(levels.begin(), levels.end()));
}

} // namespace

TEST_CASE("a parameter that decides everything, and one that decides nothing") {
    const parameter_effect all = effect({{90, 90}, {95, 95}, {100, 100}}).value();
    CHECK(all.eta_squared == 1);
    CHECK(all.range_pct.value() == doctest::Approx(10.0 / 95 * 100));
    REQUIRE(all.levels.size() == 3);
    CHECK(all.levels[2].mean == 100);
    const parameter_effect nothing = effect({{90, 100}, {100, 90}}).value();
    CHECK(nothing.eta_squared == 0);
    CHECK(nothing.range_pct.value() == 0);
}

TEST_CASE("values that never vary, and values around 0") {
    const parameter_effect constant = effect({{0.1, 0.1, 0.1}, {0.1}}).value();
    CHECK(constant.eta_squared == 0);
    CHECK(constant.range_pct.value() == 0);
    const parameter_effect around_zero = effect({{-1, -1}, {1, 1}}).value();
    CHECK(around_zero.eta_squared == 1);
    CHECK_FALSE(around_zero.range_pct);
}

TEST_CASE("one level, or a level without runs, has no effect to speak of") {
    CHECK_FALSE(effect({}));
    CHECK_FALSE(effect({{90, 91}}));
    CHECK_FALSE(effect({{90, 91}, {}}));
}
