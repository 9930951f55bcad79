// What makes a figure mean something else than it seems.
#pragma once

#include "measure/timeline.hpp"
#include "profile/profile.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::host {

/// Of all runs together: the remarks on replies, each kind once with how many replies had it. Of each run: models that
/// were loaded for some executions only, arrivals that the agents could not keep up with, and a simulator that did not
/// send as fast as the profile says. A proxy of the environment that is not used.
std::vector<std::string> warnings_of(const profile&, const std::vector<run_record>&);

} // namespace chimera::host
