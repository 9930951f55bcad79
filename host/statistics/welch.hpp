// Do two samples differ in their means, when their variances may differ too?
#pragma once

#include "statistics/description.hpp"

namespace chimera::host::statistics {

/// difference = mean(a) - mean(b), with its 95 % confidence interval; p is two-sided.
struct welch_result {
    double difference;
    interval ci95;
    double t, df, p;
};

/// Welch's t test (B. L. Welch, Biometrika 34, 1947), degrees of freedom after Satterthwaite (1946).
///
/// Where neither sample varies: equal means give t = 0 and p = 1 with n_a + n_b - 2 degrees of freedom; for different
/// means t would be infinite on no evidence of how the values scatter, and there is no result.
/// Nothing for fewer than two values in either sample.
std::optional<welch_result> welch(sample a, sample b);

} // namespace chimera::host::statistics
