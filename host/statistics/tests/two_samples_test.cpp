// Welch, Mann and Whitney, and effect sizes on samples that are too small or too uniform for them.
#include "statistics/effect_size.hpp"
#include "statistics/mann_whitney.hpp"
#include "statistics/welch.hpp"

#include <doctest/doctest.h>

using namespace chimera::host::statistics;

namespace {

const std::vector<double> none, one{1}, varied{1, 2, 4}, tenths(5, 0.1), more_tenths(3, 0.1), fives(4, 5);

} // namespace

TEST_CASE("fewer than two values allow no t test and no effect size") {
    for (const auto& few : {none, one}) {
        CHECK_FALSE(welch(few, varied));
        CHECK_FALSE(welch(varied, few));
        CHECK_FALSE(cohens_d(few, varied));
        CHECK_FALSE(hedges_g(varied, few));
    }
}

TEST_CASE("ranks need one value on each side") {
    CHECK_FALSE(mann_whitney(none, varied));
    CHECK_FALSE(mann_whitney(varied, none));
    const mann_whitney_result r = mann_whitney(one, one).value();
    CHECK(r.u == 0.5);
    CHECK(r.p == 1);
}

TEST_CASE("identical samples: p = 1 and no effect") {
    const welch_result r = welch(varied, varied).value();
    CHECK(r.t == 0);
    CHECK(r.p == 1);
    CHECK(r.ci95.low == -r.ci95.high);
    CHECK(mann_whitney(varied, varied)->p == 1);
    CHECK(*cohens_d(varied, varied) == 0);
    CHECK(*hedges_g(varied, varied) == 0);
}

TEST_CASE("the same constant on both sides, however often: p = 1") {
    const welch_result r = welch(tenths, more_tenths).value();
    CHECK(r.difference == 0);
    CHECK(r.df == 6);
    CHECK(r.p == 1);
    CHECK(mann_whitney(tenths, more_tenths)->p == 1);
    CHECK(*cohens_d(tenths, more_tenths) == 0);
}

TEST_CASE("many equal values: p = 1, although the normal approximation has no variance") {
    const std::vector<double> many(60, 3);
    const mann_whitney_result r = mann_whitney(many, many).value();
    CHECK_FALSE(r.exact);
    CHECK(r.u == 1800);
    CHECK(r.p == 1);
}

TEST_CASE("two different constants have no t and no d, but ranks") {
    CHECK_FALSE(welch(tenths, fives));
    CHECK_FALSE(cohens_d(tenths, fives));
    CHECK_FALSE(hedges_g(tenths, fives));
    CHECK(mann_whitney(tenths, fives)->p == doctest::Approx(2.0 / 126)); // 2 / C(9, 4)
}

TEST_CASE("exchanging the samples changes signs and nothing else") {
    const std::vector<double> other{3, 3, 5, 9};
    const welch_result ab = welch(varied, other).value(), ba = welch(other, varied).value();
    CHECK(ab.t == -ba.t);
    CHECK(ab.p == doctest::Approx(ba.p).epsilon(1e-14));
    CHECK(ab.ci95.low == doctest::Approx(-ba.ci95.high).epsilon(1e-14));
    const mann_whitney_result r = mann_whitney(varied, other).value(), s = mann_whitney(other, varied).value();
    CHECK(r.u + s.u == 12);
    CHECK(r.p == doctest::Approx(s.p).epsilon(1e-14));
    CHECK(*hedges_g(varied, other) == -*hedges_g(other, varied));
}

TEST_CASE("exact and approximate p meet where one gives way to the other") {
    std::vector<double> a, b;
    for (int i = 0; i < 25; ++i) {
        a.push_back(2 * i);
        b.push_back(2 * i + 11);
    }
    const mann_whitney_result exact = mann_whitney(a, b).value();
    b.push_back(36);
    const mann_whitney_result approximate = mann_whitney(a, b).value();
    CHECK(exact.exact);
    CHECK_FALSE(approximate.exact);
    CHECK(exact.p == doctest::Approx(approximate.p).epsilon(0.1));
}
