// Pairs of samples compared by every figure of this folder, and a verdict that takes the number of pairs into account.
#pragma once

#include "statistics/mann_whitney.hpp"
#include "statistics/welch.hpp"

#include <utility>

namespace chimera::host::statistics {

/// For p_holm and for every verdict.
inline constexpr double significance_level = 0.05;

enum class verdict { a_higher, b_higher, no_detectable_difference, too_few_runs };

/// What the figures of a pair say:
///  - too_few_runs: fewer than three values on a side; or neither side varies, the means differ, and p_holm is not
///  below
///    0.05 all the same, though no outcome of so many runs could be more extreme;
///  - a_higher, b_higher: p_holm is below 0.05. Where Welch has a result, ci95 then does not hold 0;
///  - no_detectable_difference: otherwise. It does not say that the two are equal.
struct comparison {
    description a, b;
    double difference = 0;        ///< mean(a) - mean(b)
    std::optional<interval> ci95; ///< of the difference, Welch's
    std::optional<welch_result> welch;
    std::optional<mann_whitney_result> mann_whitney;
    std::optional<double> cohens_d, hedges_g;
    /// Holm's correction, over all pairs with three values on both sides, of Welch's p; where neither side varies and
    /// Welch has no result, of Mann and Whitney's. 1 for a pair with fewer values.
    double p_holm = 1;
    verdict says = verdict::too_few_runs;
};

/// One comparison for each pair, in their order.
std::vector<comparison> compare_pairs(std::span<const std::pair<sample, sample>>);

} // namespace chimera::host::statistics
