// How throughput and efficiency grow with the number of agents, where a sweep varies it.
#pragma once

#include "study/study.hpp"

namespace chimera::host {

/// The parameter of a configuration that is the number of agents.
inline constexpr const char* agents_parameter = "agents";

/// True where at least three numbers of agents were run.
bool scales(const study&);

/// The entry "scaling" of the report document: for each runtime, and for each set of the other parameters, the points
/// and the fits. Empty where the study does not scale.
nlohmann::ordered_json scaling_table(const study&);

} // namespace chimera::host
