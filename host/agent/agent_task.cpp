#include "agent/agent_task.hpp"

#include "agent/report_agent.hpp"

#include <fmt/format.h>

namespace chimera::host {
namespace {

/// kind = "calls": one call after the other, none before it is due; the first failure ends it.
sdk::task<void> make_calls(agent_environment& env, llm_client& client) {
    const workload_spec& w = env.workload;
    call_schedule schedule(w, env.place, env.begin);
    for (std::size_t k = 0;; ++k) {
        const std::optional<nanoseconds_t> intended = schedule.next(sdk::now_ns());
        if (!intended) co_return;
        auto thinking = env.thinking.until(*intended);
        co_await thinking;
        const std::string& prompt = w.prompts.at(k % w.prompts.size());
        auto calling = client.call(fmt::format("call_{}", k), prompt, *intended);
        const request_record* r = co_await calling;
        if (!r->ok()) co_return;
    }
}

sdk::task<void> work(agent_environment& env) {
    env.log.stage(agent_stage::connect);
    llm_client client(env.endpoint, env.transport, env.log, env.thinking);
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
