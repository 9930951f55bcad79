#include "agent/agent_task.hpp"

#include "agent/report_agent.hpp"

#include <fmt/format.h>

namespace chimera::host {
namespace {

/// kind = "calls": one call after the other, with a pause between them; the first failure ends it.
sdk::task<void> make_calls(agent_environment& env, llm_client& client) {
    const workload_spec& w = env.workload;
    const auto think_ns = static_cast<nanoseconds_t>(w.think_ms * 1e6);
    for (int k = 0; k < w.calls_per_agent; ++k) {
        const nanoseconds_t intended = sdk::now_ns() + (k == 0 ? 0 : think_ns);
        auto thinking = env.thinking.until(intended);
        co_await thinking;
        const std::string& prompt = w.prompts.at(static_cast<std::size_t>(k) % w.prompts.size());
        auto calling = client.call(fmt::format("call_{}", k), prompt, intended);
        const request_record* r = co_await calling;
        if (!r->ok()) co_return;
    }
}

sdk::task<void> work(agent_environment& env) {
    env.log.stage(agent_stage::connect);
    llm_client client(env.endpoint, env.transport, env.log);
    if (env.workload.kind == workload_kind::calls) {
        auto calls = make_calls(env, client);
        co_await calls;
    } else {
        auto report = make_report(env, client);
        co_await report;
    }
}

} // namespace

sdk::task<void> run_agent(agent_environment env) {
    agent_record& record = env.log.record();
    record.permit_asked = sdk::now_ns();
    auto asking = env.permits.acquire();
    const permit_pool::permit mine = co_await asking;
    env.log.starts();
    try {
        auto working = work(env);
        co_await working;
    } catch (const std::exception& e) {
        record.error = e.what();
    }
    env.log.ends();
}

} // namespace chimera::host
