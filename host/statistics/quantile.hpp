// Quantiles of a sorted sample.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

namespace chimera::host::statistics {

/// Linear between order statistics: type 7 of Hyndman and Fan (1996), the default of R and NumPy. p in [0, 1]; requires
/// a sorted sample of at least one value.
inline double quantile(std::span<const double> sorted, double p) noexcept {
    const double place = p * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

} // namespace chimera::host::statistics
