// How much the parameters of a sweep matter, and what a tuned configuration gains over the default.
#pragma once

#include "study/runtime_result.hpp"

namespace chimera::host {

/// The entry "parameters": for each parameter with at least two levels and each metric that was measured, the runs by
/// level. Runs of all runtimes are pooled, but for those whose agents ran one after the other: their efficiency says
/// nothing about parameters. The number of agents is left to the scaling table where there is one.
nlohmann::ordered_json parameter_table(const study&, const std::vector<runtime_result>&);

/// The entry "improvement": each configuration against the one named "default" or "baseline"; null without one. The
/// metric is the headline, for studies of single agents the token rate of a request: a single agent has no parallel
/// efficiency.
nlohmann::ordered_json improvement_table(const study&);

} // namespace chimera::host
