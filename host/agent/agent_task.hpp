// What one agent does from its first poll to its end, and when its calls are due.
#pragma once

#include "agent/llm_client.hpp"
#include "measure/timeline.hpp"
#include "profile/profile.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <random>

namespace chimera::host {

/// The agent's place among all agents, and the seed of its draws.
struct schedule_place {
    std::size_t agent = 0, agents = 1;
    std::uint64_t seed = 0;
};

/// The schedule of one agent's calls, kind = "calls". Closed arrivals: a call is due workload.think_ms after the one
/// before. Open arrivals do not wait: each agent makes an equal share of the workload.rate_per_s calls per second,
/// either at even intervals that interleave with the other agents' (constant), or as a Poisson process; the processes
/// of all agents add up to one of the whole rate. Not thread-safe.
class call_schedule {
  public:
    /// begin: of the execution; all times count from it.
    call_schedule(const workload_spec&, const schedule_place&, nanoseconds_t begin);

    /// The time at which the next call is due, which may have passed; nothing after the last call. now: the end of the
    /// call before.
    std::optional<nanoseconds_t> next(nanoseconds_t now);

  private:
    nanoseconds_t due(nanoseconds_t now);

    const workload_spec& workload_;
    nanoseconds_t begin_;
    double interval_ns_;                      ///< open arrivals: mean interval of this agent's calls
    double due_ns_;                           ///< open arrivals: the next call, from begin_
    std::unique_ptr<std::mt19937_64> random_; ///< Poisson arrivals only: it is larger than the rest of an agent
    int made_ = 0;
};

class report_corpus;
class agent_group;

/// The environment of an agent. Everything that it refers to outlives the agent.
struct agent_environment {
    const agent_spec& spec;
    const workload_spec& workload;
    const llm_endpoint& endpoint;
    llm_transport transport;
    schedule_place place;
    const nanoseconds_t& begin;  ///< of the execution; set before the agent is polled
    const report_corpus* corpus; ///< null unless kind = report
    permit_pool& permits;
    blocking_pool& blocking;
    think_timer& thinking;
    recorder& log;
    agent_group* group = nullptr; ///< null: the agents do not coordinate
};

/// The whole agent: waits for its permit, does its work, records its start and end. Failures are recorded, not thrown.
/// Poll the task on one executor only. The environment is moved into it.
sdk::task<void> run_agent(agent_environment env);

} // namespace chimera::host
