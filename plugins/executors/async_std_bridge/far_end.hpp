// await = "channel": the task on the foreign executor that owns the inner session.
#pragma once

#include <memory>
#include <string>

#include "channel.hpp"
#include "chimera/abi/transport.h"

namespace chimera::async_std_bridge {

/// What every far end of one bridge shares.
struct far_side {
    chm_executor* foreign;
    chm_reactor* reactor; // the foreign one's
    chm_transport* inner;
    const chm_timing_ext* timing; // the inner transport's, or nullptr
    std::size_t capacity;
    std::shared_ptr<session_count> open_sessions;
};

/// Spawns the task that serves `link`: it opens the inner session with the first request, pulls responses into the
/// channel, and ends when the channel is closed. All calls on the inner transport's objects happen in its polls and in
/// its drop, so an affine reactor is good enough. Throws sdk::error when the foreign executor takes no task.
void spawn_far_end(const far_side& side, std::string base_url, std::shared_ptr<channel> link);

} // namespace chimera::async_std_bridge
