// What agents do together after their own work.
#pragma once

#include <chimera/sdk/task.hpp>

#include <cstddef>
#include <string>

namespace chimera::host {

class recorder;

/// The group of an execution's agents. Outlives them. Any thread.
class agent_group {
  public:
    virtual ~agent_group() = default;
    /// The agent shares its report with the others, waits for theirs, and all vote on the merged one. Returns what came
    /// of it, a sentence. Throws sdk::error or std::runtime_error if the group failed. On the agent's own task.
    virtual sdk::task<std::string> agree(std::size_t agent, std::string report, recorder&) = 0;
    /// The agent will not come: nobody waits for it.
    virtual void give_up(std::size_t agent) = 0;
};

} // namespace chimera::host
