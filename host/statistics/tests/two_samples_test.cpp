#include "statistics/two_samples.hpp"

#include <doctest/doctest.h>

using namespace chimera::host::statistics;

namespace {

using values = std::vector<double>;

const std::vector<double> none, one{1}, varied{1, 2, 4}, tenths(5, 0.1), more_tenths(3, 0.1), fives(4, 5);

comparison compare(const values& a, const values& b) {
    const std::pair<sample, sample> both{a, b};
    return compare_pairs({&both, 1}).front();
}

const values low{50.0, 50.1, 49.9, 50.2, 49.8}, high{90, 93, 87, 91, 89}, alike{92, 88, 90.5, 93, 87.5};

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

TEST_CASE("a clear difference has a direction") {
    CHECK(compare(high, low).says == verdict::a_higher);
    const comparison c = compare(low, high);
    CHECK(c.says == verdict::b_higher);
    CHECK(c.difference == doctest::Approx(-40));
    REQUIRE(c.ci95);
    CHECK(c.ci95->high < 0);
    CHECK(c.p_holm == c.welch->p); // one pair: nothing to correct
}

TEST_CASE("runs that scatter over each other show no detectable difference") {
    const comparison c = compare(high, alike);
    CHECK(c.says == verdict::no_detectable_difference);
    CHECK(c.ci95->low < 0);
    CHECK(c.ci95->high > 0);
}

TEST_CASE("two runs on a side are too few, however far apart") {
    const comparison c = compare({90.0, 90.1}, low);
    CHECK(c.welch->p < 0.05);
    CHECK(c.p_holm == 1);
    CHECK(c.says == verdict::too_few_runs);
    CHECK(compare({}, low).says == verdict::too_few_runs);
    CHECK(compare({90}, {50}).says == verdict::too_few_runs);
}

TEST_CASE("constants: equal ones do not differ, different ones are judged by rank") {
    CHECK(compare(values(5, 0.1), values(3, 0.1)).says == verdict::no_detectable_difference);
    const comparison five = compare(values(5, 80), values(5, 90));
    CHECK_FALSE(five.welch);
    CHECK_FALSE(five.ci95);
    CHECK(five.p_holm == doctest::Approx(2.0 / 252));
    CHECK(five.says == verdict::b_higher);
    CHECK(compare(values(3, 80), values(3, 90)).says == verdict::too_few_runs); // at best 2 / C(6, 3) = 0.1
}

TEST_CASE("a difference that one test would call significant does not survive many") {
    const values a{90, 91, 92, 93, 94}, b{92.5, 93.5, 94.5, 95.5, 96.5};
    const comparison alone = compare(a, b);
    CHECK(alone.welch->p < 0.05);
    CHECK(alone.says == verdict::b_higher);

    std::vector<std::pair<sample, sample>> pairs{{a, b}, {low, high}, {high, alike}, {a, a}};
    const std::vector<comparison> all = compare_pairs(pairs);
    CHECK(all[0].p_holm == doctest::Approx(3 * alone.welch->p));
    CHECK(all[0].says == verdict::no_detectable_difference);
    CHECK(all[1].p_holm == doctest::Approx(4 * all[1].welch->p));
    CHECK(all[1].says == verdict::b_higher);
    CHECK(all[3].p_holm == 1);
}

TEST_CASE("pairs with too few runs do not cost the others") {
    const values two{1, 2};
    std::vector<std::pair<sample, sample>> pairs{{two, low}, {low, high}, {two, two}};
    const std::vector<comparison> all = compare_pairs(pairs);
    CHECK(all[0].says == verdict::too_few_runs);
    CHECK(all[1].p_holm == all[1].welch->p);
    CHECK(all[2].says == verdict::too_few_runs);
    CHECK(compare_pairs({}).empty());
}
