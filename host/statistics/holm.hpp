// Correction of many tests: who asks often enough finds something.
#pragma once

#include <span>
#include <vector>

namespace chimera::host::statistics {

/// The adjusted p of each test, in the order given, at most 1 (Holm, Scand. J. Stat. 6, 1979). Rejecting those below
/// 0.05 keeps the chance of any false rejection below 0.05. Requires each p in [0, 1].
std::vector<double> holm(std::span<const double> p);

} // namespace chimera::host::statistics
