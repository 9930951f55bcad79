// Did the agents run side by side, and if not, what kept them apart?
#pragma once

#include "measure/timeline.hpp"

#include <string>

namespace chimera::host {

enum class serialization_cause { none, permit, blocked_executor, server_queue, unknown };

/// "none", "permit", "blocked-executor", "server-queue", "unknown".
const char* name_of(serialization_cause) noexcept;

/// Verdict on one concurrent execution.
///
/// An agent is active from the first byte of a response to its end. Over all pairs of agents, overlap is the time in
/// which both are active, divided by the active time of the less active one. Below 5 % the execution is serialized.
struct serialization_verdict {
    bool serialized = false;
    double overlap_pct = 0; ///< 0 for a single agent
    serialization_cause cause = serialization_cause::none;
    std::string evidence; ///< one sentence with the figures behind the cause; empty when parallel
};

/// executor: the plugin's id, named in the evidence.
serialization_verdict judge_serialization(const execution_record&, const std::string& executor);

} // namespace chimera::host
