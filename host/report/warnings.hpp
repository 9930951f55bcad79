// What makes a figure mean something else than it seems.
#pragma once

#include "measure/timeline.hpp"
#include "profile/profile.hpp"

#include <string>
#include <vector>

namespace chimera::host {

/// Of each run: models that were loaded for some executions only, arrivals that the agents could not keep up with, and
/// a simulator that did not send as fast as the profile says.
std::vector<std::string> warnings_of(const profile&, const std::vector<run_record>&);

} // namespace chimera::host
