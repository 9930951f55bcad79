// An interval for a figure that has no formula for one: a ratio of sums over several groups of runs, say.
#pragma once

#include "statistics/description.hpp"

#include <cstdint>
#include <functional>

namespace chimera::host::statistics {

/// One draw with replacement from each group: the indices of the members drawn, as many as the group has.
using resample = std::span<const std::vector<std::size_t>>;

/// The percentile interval, 95 %, of a figure over draws with replacement from groups of these sizes, each group by
/// itself (Efron, Ann. Stat. 7, 1979). Draws for which the figure is nothing are left out. The same seed gives the same
/// interval on every machine; the error of its ends falls with the root of `draws`.
/// Nothing where a group is empty, all have one member, or fewer than half of the draws have the figure.
std::optional<interval> bootstrap(std::span<const std::size_t> sizes,
                                  const std::function<std::optional<double>(resample)>& figure, std::uint64_t seed,
                                  unsigned draws = 4000);

} // namespace chimera::host::statistics
