// Does a figure grow or fall over time, by how much, and is that more than chance?
#pragma once

#include "statistics/description.hpp"

namespace chimera::host::statistics {

struct trend {
    double slope;      ///< y per x: the median of the slopes of all pairs of points (Theil 1950, Sen 1968)
    interval ci95;     ///< of the slope (Sen, J. Am. Stat. Assoc. 63, 1968)
    double tau;        ///< Kendall's rank correlation of y and x, tau-b: 1 where y only grows
    double p;          ///< two-sided, of the Mann-Kendall test (Mann 1945, Kendall 1975)
    double dependence; ///< by which factor neighbours that resemble each other widen the variance of the test; 1: not

    /// There is a trend, at the significance level of all tests here.
    bool detectable() const noexcept { return p < 0.05; }
};

/// Whether y, measured at the moments x, has a trend. Neither needs to be normal, and single wild values do no harm.
///
/// The test asks how many pairs are in order: normal approximation with tie correction, as SciPy's kendalltau has it.
/// Memory and latencies depend on what they were a moment ago, which makes false alarms; so the variance is multiplied
/// by the factor of Hamed and Rao (J. Hydrology 204, 1998), made of the significant autocorrelations of the ranks
/// without the trend, and at least 1. The same factor widens the interval. independent: without it.
///
/// Nothing for fewer than four points, or where all y are equal. Requires x to grow strictly, and as many y.
std::optional<trend> trend_of(sample x, sample y, bool independent = false);

} // namespace chimera::host::statistics
