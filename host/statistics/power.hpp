// How small a difference could data of this size and scatter have shown? "No detectable difference" means little
// without it.
#pragma once

#include "statistics/mean_difference.hpp"

namespace chimera::host::statistics {

/// The chance that a two-sided t test at the level alpha finds this true difference: Welch's test of two samples, with
/// the degrees of freedom after Satterthwaite, by the noncentral t distribution (Cohen, Statistical Power Analysis for
/// the Behavioral Sciences, 1988). 1 where neither varies and the difference is not 0. Requires alpha in (0, 1).
double power_of(spread a, spread b, double difference, double alpha);
/// The same of Student's test of one sample against a reference.
double power_of(spread, double difference, double alpha);

/// The smallest true difference, positive and in the unit of the values, that the test at this level finds with this
/// power, say 0.8. 0 where nothing varies. Requires alpha < power < 1. Not finite figures are never returned: nothing
/// where even a difference of 10^6 standard errors has less power, as may be with a very small alpha and two values a
/// side.
std::optional<double> detectable_difference(spread a, spread b, double alpha, double power);
/// The same against a reference.
std::optional<double> detectable_difference(spread, double alpha, double power);

} // namespace chimera::host::statistics
