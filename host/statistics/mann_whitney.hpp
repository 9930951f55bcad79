// Do two samples differ in rank, whatever their distribution?
#pragma once

#include "statistics/description.hpp"

namespace chimera::host::statistics {

/// u: the pairs in which a value of a exceeds one of b, ties counted half. p is two-sided.
struct mann_whitney_result {
    double u, p;
    bool exact;
};

/// The Mann-Whitney U test (Mann and Whitney, Ann. Math. Stat. 18, 1947).
///
/// Up to 50 values together, p is exact: twice the smaller tail, at most 1, of the distribution of u over all ways of
/// dealing the pooled values, ties included, to two samples of these sizes. Above, it is the normal approximation with
/// tie and continuity correction (Lehmann, Nonparametrics, 1975), as SciPy has it.
///
/// p = 1 where all values are equal. Nothing for an empty sample.
std::optional<mann_whitney_result> mann_whitney(sample a, sample b);

} // namespace chimera::host::statistics
