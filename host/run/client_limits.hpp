// How much load the client can take on this machine, measured against a simulator with the profile's plugins.
#pragma once

#include "profile/profile.hpp"
#include "registry/registry.hpp"
#include "run/execution.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

/// One execution of N equal agents with paced replies.
struct load_point {
    std::size_t agents = 0;
    double tokens_per_s = 0;                   ///< of each agent, as the simulator paces them
    double wall_ratio = 0;                     ///< wall time / that of a single agent
    double delay_p50_us = 0, delay_p99_us = 0; ///< arrived, else readable -> delivered
    double busiest_pct = 0;                    ///< of the client's busiest thread
    double queued_pct = 0;                     ///< that thread was ready and had no CPU
    std::string failure;                       ///< the first error; empty: all requests succeeded

    /// p99 at most 10 ms, wall time within 1 % of a single agent's, nothing failed.
    bool held() const noexcept { return failure.empty() && delay_p99_us <= 10'000 && wall_ratio <= 1.01; }
    /// The client itself was the limit: one of its threads was more than 85 % busy.
    bool client_busy() const noexcept { return busiest_pct > 85; }
};

struct client_limits {
    double unpaced_tokens_per_s = 0; ///< eight agents, replies as fast as the socket takes them
    double unpaced_busiest_pct = 0;
    load_point own;                ///< the profile's number of agents at its rate
    std::vector<load_point> ramp;  ///< 1, 2, 4, ... agents, up to `most` or the first load that was not held
    double ramp_tokens_per_s = 50; ///< of each agent in the ramp

    /// The largest load that was held; null if even one agent was too much.
    const load_point* held() const noexcept;
    /// The first load that was not held; null if all were held.
    const load_point* broken() const noexcept;
};

/// Runs the loads one after the other and calls `told` before each. most: the largest number of agents. Ends early when
/// the control is stopped. Throws as execute() does.
client_limits measure_client_limits(const profile&, registry&, const loaded_plugins&, std::size_t most,
                                    execution_control&, const std::function<void(const std::string&)>& told);

} // namespace chimera::host
