// One-sided tests beside p_above() (equivalence.hpp): by ranks, and downwards.
#pragma once

#include "statistics/description.hpp"

namespace chimera::host::statistics {

/// One-sided p of "a lies above b by more than this": Mann and Whitney's U test of a - margin against b, exact up to 50
/// values together (two_samples.hpp). Half of the two-sided p where a lies above b; otherwise 1 minus that half, which
/// is at least 0.5 and may be too small by the probability of this one U. A margin that is not a multiple of the
/// resolution of the values breaks ties. Nothing for an empty sample.
std::optional<double> p_above_by_ranks(sample a, sample b, double margin);

/// p of "a and b differ by no more than this": two one-sided tests by ranks. Requires margin > 0. Nothing for an empty
/// sample.
std::optional<double> p_within_by_ranks(sample a, sample b, double margin);

/// One-sided p of "mean - reference is below -margin", by Student's t test; the mirror of p_above(). Nothing for fewer
/// than two values.
std::optional<double> p_below(sample, double reference, double margin);

} // namespace chimera::host::statistics
