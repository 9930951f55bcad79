// What the figures of a study say, in sentences.
#pragma once

#include "study/runtime_comparison.hpp"
#include "study/runtime_result.hpp"

#include <span>
#include <string>
#include <vector>

namespace chimera::host {

/// Why agent-time was lost, which runtimes differ detectably, which were serialized and by what, how throughput scales,
/// what was gained over a baseline, and where the client could have changed the result. Each sentence says how its
/// figures came about.
std::vector<std::string> findings_of(const study&, const std::vector<runtime_result>&,
                                     std::span<const metric_comparison>);

} // namespace chimera::host
