#include "statistics/one_sided.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace chimera::host::statistics;

namespace {
const std::vector<double> a{12.1, 9.8, 14.2, 11.0, 13.5, 10.9}, b{8.2, 9.9, 10.1, 7.5, 9.0};
}

// SciPy 1.10: mannwhitneyu(a, b, alternative="greater", method="exact"), and with a - 2.05, which ties nothing.
TEST_CASE("ranks, one-sided, as SciPy has them") {
    CHECK(*p_above_by_ranks(a, b, 0) == doctest::Approx(0.008658008658008658).epsilon(1e-12));
    CHECK(*p_above_by_ranks(a, b, 2.05) == doctest::Approx(0.2683982683982684).epsilon(1e-12));
}

// SciPy: 0.9957; what is given is smaller by the probability of this one U.
TEST_CASE("ranks that point the other way give a large p") {
    CHECK(*p_above_by_ranks(b, a, 0) == doctest::Approx(1 - 0.008658008658008658));
    CHECK_FALSE(p_above_by_ranks(a, {}, 0));
}

// The larger of mannwhitneyu(a, b - 6.05, "greater") and mannwhitneyu(b, a - 6.05, "greater"), both exact.
TEST_CASE("within a margin, by ranks") {
    CHECK(*p_within_by_ranks(a, b, 6.05) ==
          doctest::Approx(std::max(*p_above_by_ranks(a, b, -6.05), *p_above_by_ranks(b, a, -6.05))));
    CHECK(*p_within_by_ranks(a, b, 6.05) < 0.05);
    CHECK(*p_within_by_ranks(a, b, 0.05) > 0.9);
    CHECK_FALSE(p_within_by_ranks(a, {}, 1));
}

// SciPy: mannwhitneyu(..., alternative="greater", method="asymptotic").
TEST_CASE("ranks of many values") {
    std::vector<double> many, others;
    for (int i = 0; i < 40; ++i) many.push_back(std::fmod(i * 1.7, 11) + 1);
    for (int i = 0; i < 35; ++i) others.push_back(std::fmod(i * 2.3, 11));
    CHECK(*p_above_by_ranks(many, others, 0) == doctest::Approx(0.1089837956520539).epsilon(1e-9));
}

// SciPy: ttest_1samp(b, 12 - 1, alternative="less").
TEST_CASE("a mean below a reference by more than a margin") {
    CHECK(*p_below(b, 12, 1) == doctest::Approx(0.007042711190697453).epsilon(1e-12));
    CHECK_FALSE(p_below(std::vector<double>{1}, 2, 0));
}
