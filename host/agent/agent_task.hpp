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

/// Which of how many agents it is, and what its draws depend on.
struct schedule_place {
    std::size_t agent = 0, agents = 1;
    std::uint64_t seed = 0;
};

/// The plan of one agent, kind = "calls". Closed arrivals: a call is due workload.think_ms after the one before. Open
/// ones do not wait: of workload.rate_per_s calls per second each agent has its equal share, at even distances that
/// interleave with the others' (constant), or a Poisson process of its own, which together make one of the whole rate.
/// Not thread-safe.
class call_schedule {
  public:
    /// begin: of the execution; every moment counts from it.
    call_schedule(const workload_spec&, const schedule_place&, nanoseconds_t begin);

    /// The moment at which the next call is due, which may have passed; nothing when it was the last. now: the call
    /// before is over.
    std::optional<nanoseconds_t> next(nanoseconds_t now);

  private:
    nanoseconds_t due(nanoseconds_t now);

    const workload_spec& workload_;
    nanoseconds_t begin_;
    double interval_ns_;                      ///< open arrivals: mean distance between this agent's calls
    double due_ns_;                           ///< open arrivals: the next call, from begin_
    std::unique_ptr<std::mt19937_64> random_; ///< Poisson arrivals only: it is larger than all else of an agent
    int made_ = 0;
};

class report_corpus;

/// What an agent is given. Everything referred to outlives the agent.
struct agent_environment {
    const agent_spec& spec;
    const workload_spec& workload;
    llm_endpoint endpoint;
    llm_transport transport;
    schedule_place place;
    const nanoseconds_t& begin;  ///< of the execution; set before the agent is polled
    const report_corpus* corpus; ///< kind = report: what is ingested; otherwise it may be null
    permit_pool& permits;
    blocking_pool& blocking;
    think_timer& thinking;
    recorder& log;
};

/// The whole agent: asks for its permit, does its work, stamps its start and end. Failures are recorded, not thrown.
/// The task must be polled on one executor only; the environment is moved into it.
sdk::task<void> run_agent(agent_environment env);

} // namespace chimera::host
