// Who wants to know of the agents while they run.
#pragma once

#include "measure/timeline.hpp"

namespace chimera::host {

/// Told by the agents, each on the thread that polls it, so by several threads at once. Called a few times for a
/// request and never for a token; its time counts as the agent's, so it must be quick and must not throw.
class agent_observer {
  public:
    virtual ~agent_observer() = default;
    /// An agent holds its permit.
    virtual void agent_starts() noexcept = 0;
    /// Its work is done, or has failed. Not called for an agent that is stopped.
    virtual void agent_ends() noexcept = 0;
    /// A request has succeeded or failed; its record is complete.
    virtual void request_ends(const agent_record&, const request_record&) noexcept = 0;
};

} // namespace chimera::host
