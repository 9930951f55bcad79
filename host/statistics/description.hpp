// What a sample of runs looks like: the figures that are always shown.
//
// For this folder: values are finite; no function has state, any thread may call it; no figure is ever NaN or infinite,
// what a sample is too small or too uniform to say is an empty optional or as documented.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace chimera::host::statistics {

/// One value a run, in any unit. Not owned.
using sample = std::span<const double>;

struct interval {
    double low, high;
};

/// In the unit of the values. Everything is 0 or empty for an empty sample.
struct description {
    std::size_t n = 0;
    double mean = 0;
    double sd = 0;     ///< sample standard deviation (n - 1); 0 for n < 2
    double cv_pct = 0; ///< sd / |mean|; 0 where the mean is 0
    double median = 0, min = 0, max = 0;
    std::optional<interval> ci95; ///< of the mean: mean +- t(0.975, n - 1) sd / sqrt(n) (Student 1908); needs n >= 2
    /// Indices, ascending, of the values beyond Tukey's fences, Q1 - 1.5 IQR and Q3 + 1.5 IQR (Tukey, Exploratory Data
    /// Analysis, 1977), with the quartiles of Hyndman and Fan's type 7. They are marked, and counted in all the above.
    std::vector<std::size_t> outliers;
};

description describe(sample);

} // namespace chimera::host::statistics
