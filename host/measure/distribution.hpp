// A sample and the figures that describe it.
#pragma once

#include <cstddef>
#include <vector>

namespace chimera::host {

/// std: sample standard deviation (n - 1), 0 for n < 2. Quantiles: linear between order statistics (Hyndman and Fan's
/// type 7, the default of R and NumPy). All 0 for an empty sample.
struct distribution {
    std::size_t n = 0;
    double mean = 0, std = 0, min = 0, p50 = 0, p90 = 0, p95 = 0, p99 = 0, max = 0;
};

distribution describe(std::vector<double> sample);

} // namespace chimera::host
