// Does a figure change while its runs go by, whatever is being run?
#pragma once

#include "statistics/description.hpp"

namespace chimera::host::statistics {

/// A value at a place in time, in any unit.
struct moment_value {
    double at, value;
};

/// The slope, in units of value for a unit of time, with its 95 % confidence interval; p is two-sided.
struct slope_result {
    double slope;
    interval ci95;
    double t, df, p;
};

/// The common slope of several groups of which each has a level of its own: least squares, analysis of covariance
/// (Fisher, Statistical Methods for Research Workers, 4th edition, 1932). What differs between groups is not in it.
/// Nothing where times do not vary within any group, or where fewer than three values more than groups are left.
/// Where nothing varies: slope 0 and p 1.
std::optional<slope_result> slope_within(std::span<const std::vector<moment_value>> groups);

} // namespace chimera::host::statistics
