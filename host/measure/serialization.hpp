// Did the agents run side by side, and if not, what kept them apart?
#pragma once

#include "measure/timeline.hpp"

#include <optional>
#include <span>
#include <string>

namespace chimera::host {

/// The verdict on one execution. executor: the plugin's id, named in the evidence. One agent alone is parallel.
serialization_verdict judge_serialization(const execution_record&, const std::string& executor);

/// The verdict on all runs: serialized when most of them are, with the evidence of the first such run. Nothing where no
/// run of two or more agents was complete, or where polls were not timed.
std::optional<serialization_verdict> judge_serialization(std::span<const run_record>, const std::string& executor);

} // namespace chimera::host
