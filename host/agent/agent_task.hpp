// The agents: what one agent does from its first poll to its end, as a coroutine.
#pragma once

#include "agent/blocking_pool.hpp"
#include "agent/call_schedule.hpp"
#include "agent/llm_client.hpp"
#include "agent/permit_pool.hpp"
#include "agent/think_timer.hpp"
#include "profile/profile.hpp"

namespace chimera::host {

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
