// Two samples: do they differ, by how much, and is that more than chance? For many pairs at once, with Holm's
// correction.
#pragma once

#include "statistics/description.hpp"

#include <utility>

namespace chimera::host::statistics {

/// difference = mean(a) - mean(b), with its 95 % confidence interval; p is two-sided.
struct welch_result {
    double difference;
    interval ci95;
    double t, df, p;
};

/// Welch's t test (B. L. Welch, Biometrika 34, 1947), degrees of freedom after Satterthwaite (1946).
///
/// Where neither sample varies, equal means give t = 0 and p = 1 with n_a + n_b - 2 degrees of freedom. Different means
/// give no result: t would be infinite, without any evidence of how the values scatter.
/// Nothing for fewer than two values in either sample.
std::optional<welch_result> welch(sample a, sample b);

/// u: how many pairs have a value of a above a value of b; a tie counts half. p is two-sided.
struct mann_whitney_result {
    double u, p;
    bool exact;
};

/// The Mann-Whitney U test (Mann and Whitney, Ann. Math. Stat. 18, 1947).
///
/// Up to 50 values together, p is exact: twice the smaller tail, at most 1, of the distribution of u over all ways of
/// dealing the pooled values, ties included, to two samples of these sizes. Above, it is the normal approximation with
/// tie and continuity correction (Lehmann, Nonparametrics, 1975), as SciPy has it.
///
/// p = 1 where all values are equal. Nothing for an empty sample.
std::optional<mann_whitney_result> mann_whitney(sample a, sample b);

/// (mean(a) - mean(b)) / pooled standard deviation; 0 for equal means (Cohen, Statistical Power Analysis for the
/// Behavioral Sciences, 1988). Nothing for fewer than two values in either sample, or different means where neither
/// varies.
std::optional<double> cohens_d(sample a, sample b);

/// Cohen's d without its bias in small samples: d J(n_a + n_b - 2), J(m) = G(m / 2) / (sqrt(m / 2) G((m - 1) / 2)) with
/// the gamma function G (Hedges, J. Educ. Stat. 6, 1981). Nothing where d is nothing.
std::optional<double> hedges_g(sample a, sample b);

/// Correction for many tests: the more tests, the likelier a false alarm. Returns the adjusted p of each test, in the
/// order given, at most 1 (Holm, Scand. J. Stat. 6, 1979). Rejecting the tests below 0.05 keeps the chance of any false
/// rejection below 0.05. Requires each p in [0, 1].
std::vector<double> holm(std::span<const double> p);

/// For p_holm and for every verdict.
inline constexpr double significance_level = 0.05;

enum class verdict { a_higher, b_higher, no_detectable_difference, too_few_runs };

/// All figures of a pair, and the verdict:
///  - too_few_runs: fewer than three values on a side. Also: neither side varies and the means differ, but p_holm is
///  not
///    below 0.05, although no outcome of so many runs could be more extreme;
///  - a_higher, b_higher: p_holm is below 0.05. Where Welch's test has a result, ci95 then does not contain 0;
///  - no_detectable_difference: otherwise. This does not mean that the two are equal.
struct comparison {
    description a, b;
    double difference = 0;        ///< mean(a) - mean(b)
    std::optional<interval> ci95; ///< of the difference, Welch's
    std::optional<welch_result> welch;
    std::optional<mann_whitney_result> mann_whitney;
    std::optional<double> cohens_d, hedges_g;
    /// Welch's p, or Mann and Whitney's where Welch's test has no result, after Holm's correction over all pairs with
    /// three values on both sides. 1 for a pair with fewer values.
    double p_holm = 1;
    verdict says = verdict::too_few_runs;
};

/// One comparison for each pair, in their order.
std::vector<comparison> compare_pairs(std::span<const std::pair<sample, sample>>);

} // namespace chimera::host::statistics
