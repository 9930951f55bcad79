// A difference of means, and how well it is known: the start of every t test.
#pragma once

#include "statistics/description.hpp"

namespace chimera::host::statistics {

/// The size of a sample, at least 2, and its variance (n - 1).
struct spread {
    double n, variance;
};

/// The difference divided by `error` is t with `df` degrees of freedom. error is 0 where nothing varies.
struct mean_difference {
    double difference, error, df;
};

/// Of two means, with the degrees of freedom after Satterthwaite (Biometrics Bulletin 2, 1946).
mean_difference difference_of(double mean_a, spread a, double mean_b, spread b);
/// Of a mean and a value that is known without error.
mean_difference difference_of(double mean, spread, double reference);

/// Nothing for fewer than two values in either sample.
std::optional<mean_difference> difference_of(sample a, sample b);
std::optional<mean_difference> difference_of(sample, double reference);

} // namespace chimera::host::statistics
