#include "statistics/comparison.hpp"

#include <doctest/doctest.h>

using namespace chimera::host::statistics;

namespace {

using values = std::vector<double>;

comparison compare(const values& a, const values& b) {
    const std::pair<sample, sample> both{a, b};
    return compare_pairs({&both, 1}).front();
}

const values low{50.0, 50.1, 49.9, 50.2, 49.8}, high{90, 93, 87, 91, 89}, alike{92, 88, 90.5, 93, 87.5};

} // namespace

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
