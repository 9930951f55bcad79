// Mean and variance: what every parametric figure of this folder begins with.
#pragma once

#include "statistics/description.hpp"

namespace chimera::host::statistics {

/// Exact for a sample of equal values: its mean is that value and its squares are 0, whatever the value.
struct moments {
    double n = 0;
    double mean = 0;    ///< 0 for an empty sample
    double squares = 0; ///< sum of squared deviations from the mean

    /// The sample variance (n - 1); requires n >= 2.
    double variance() const noexcept { return squares / (n - 1); }
};

moments moments_of(sample);

} // namespace chimera::host::statistics
