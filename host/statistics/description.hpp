// A sample of runs or requests, and the figures that describe it.
//
// For this folder: values are finite. Functions have no state: any thread may call them. No figure is NaN or infinite:
// where a sample is too small or too uniform for a figure, the figure is an empty optional, or as documented.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace chimera::host::statistics {

/// Values in any unit. Not owned.
using sample = std::span<const double>;

struct interval {
    double low, high;
};
/// Its form in JSON.
inline std::array<double, 2> json_array_of(const interval& i) noexcept { return {i.low, i.high}; }

/// The sums that every parametric figure begins with. Exact for a sample of equal values: the mean is that value and
/// `squares` is 0, whatever the value.
struct moments {
    double n = 0;
    double mean = 0;    ///< 0 for an empty sample
    double squares = 0; ///< sum of squared deviations from the mean

    /// The sample variance (n - 1); requires n >= 2.
    double variance() const noexcept { return squares / (n - 1); }
};

moments moments_of(sample);

/// Linear between order statistics: type 7 of Hyndman and Fan (1996), the default of R and NumPy. p in [0, 1]; requires
/// a sample of at least one value, in which the values beside the quantile are in their places in sorted order.
double quantile(sample sorted, double p) noexcept;

/// In the unit of the values. Everything is 0 or empty for an empty sample.
struct description {
    std::size_t n = 0;
    double mean = 0;
    double sd = 0;                                               ///< sample standard deviation (n - 1); 0 for n < 2
    double cv_pct = 0;                                           ///< sd / |mean|; 0 where the mean is 0
    double min = 0, p50 = 0, p90 = 0, p95 = 0, p99 = 0, max = 0; ///< as quantile() has them
    std::optional<interval> ci95; ///< of the mean: mean +- t(0.975, n - 1) sd / sqrt(n) (Student 1908); needs n >= 2
};

/// Reorders its own copy of the values.
description describe(std::vector<double> values);
/// The same, for a large sample: reorders the values themselves.
description describe_in_place(std::span<double> values);

/// Indices, ascending, of the values beyond Tukey's fences, Q1 - 1.5 IQR and Q3 + 1.5 IQR (Tukey, Exploratory Data
/// Analysis, 1977).
std::vector<std::size_t> outliers(sample);

/// How much a metric depends on one parameter of a sweep. A level is one value of the parameter; its sample pools the
/// runs of all configurations with that value.
struct parameter_effect {
    std::vector<description> levels; ///< in the order given
    /// Largest minus smallest mean of a level, in percent of the absolute mean of all values; nothing where that is 0.
    std::optional<double> range_pct;
    /// Share of the variation that the parameter explains, in [0, 1]: sum of squares between levels / total (Cohen,
    /// Statistical Power Analysis for the Behavioral Sciences, 1988). 0 where nothing varies. Large by chance where
    /// levels have few values: with one each it is 1.
    double eta_squared;
};

/// Nothing for fewer than two levels or where a level is empty.
std::optional<parameter_effect> effect_of(std::span<const sample> levels);

} // namespace chimera::host::statistics
