// How much a metric depends on one parameter of a sweep.
#pragma once

#include "statistics/description.hpp"

namespace chimera::host::statistics {

/// A level is one value of the parameter; its sample pools the runs of all configurations with that value.
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
