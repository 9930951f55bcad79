#include "statistics/description.hpp"

#include <doctest/doctest.h>

using namespace chimera::host::statistics;

namespace {

std::optional<parameter_effect> effect(const std::vector<std::vector<double>>& levels) {
    return effect_of(std::vector<sample>(levels.begin(), levels.end()));
}

} // namespace

TEST_CASE("an empty sample is described by zeros and no interval") {
    const description d = describe({});
    CHECK(d.n == 0);
    CHECK(d.mean == 0);
    CHECK(d.cv_pct == 0);
    CHECK_FALSE(d.ci95);
    CHECK(outliers({}).empty());
}

TEST_CASE("one value has no deviation and no interval") {
    const description d = describe(std::vector<double>{87.5});
    CHECK(d.n == 1);
    CHECK(d.mean == 87.5);
    CHECK(d.p50 == 87.5);
    CHECK(d.p99 == 87.5);
    CHECK(d.sd == 0);
    CHECK_FALSE(d.ci95);
}

TEST_CASE("equal values do not vary, also values that binary cannot hold") {
    const description d = describe(std::vector<double>(7, 0.1));
    CHECK(d.mean == 0.1);
    CHECK(d.sd == 0);
    CHECK(d.cv_pct == 0);
    REQUIRE(d.ci95);
    CHECK(d.ci95->low == 0.1);
    CHECK(d.ci95->high == 0.1);
    CHECK(outliers(std::vector<double>(7, 0.1)).empty());
}

TEST_CASE("a mean of 0 has a deviation, and no coefficient of variation") {
    const description d = describe(std::vector<double>{-1, 1});
    CHECK(d.sd > 0);
    CHECK(d.cv_pct == 0);
}

TEST_CASE("outliers are marked by their index and still count") {
    const std::vector<double> values{90, 50, 91, 89, 90.5, 130};
    CHECK(outliers(values) == std::vector<std::size_t>{1, 5});
    const description d = describe(values);
    CHECK(d.n == 6);
    CHECK(d.min == 50);
    CHECK(d.max == 130);
    CHECK(d.p50 == 90.25);
}

TEST_CASE("quantiles of 1 to 10 are those of numpy") {
    // numpy.std(ddof=1) and numpy.percentile (linear) of [1..10]
    const description d = describe({10, 9, 8, 7, 6, 5, 4, 3, 2, 1});
    CHECK(d.n == 10);
    CHECK(d.mean == doctest::Approx(5.5));
    CHECK(d.sd == doctest::Approx(3.0276503540974917));
    CHECK(d.min == 1);
    CHECK(d.max == 10);
    CHECK(d.p50 == doctest::Approx(5.5));
    CHECK(d.p90 == doctest::Approx(9.1));
    CHECK(d.p95 == doctest::Approx(9.55));
    CHECK(d.p99 == doctest::Approx(9.91));
}

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
