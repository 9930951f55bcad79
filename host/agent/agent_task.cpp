#include "agent/agent_task.hpp"

#include "agent/agent_group.hpp"
#include "agent/report_agent.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace chimera::host {

namespace {

/// kind = "calls": one call after the other, none before it is due. The first failure ends the agent.
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

call_schedule::call_schedule(const workload_spec& workload, const schedule_place& place, nanoseconds_t begin)
    : workload_(workload), begin_(begin) {
    if (workload.arrivals == arrival_kind::poisson) random_ = std::make_unique<std::mt19937_64>(place.seed);
    const auto agents = static_cast<double>(place.agents), agent = static_cast<double>(place.agent);
    begin_ += static_cast<nanoseconds_t>(workload.ramp_ms * 1e6 * agent / agents);
    interval_ns_ = workload.arrivals == arrival_kind::closed ? 0 : 1e9 * agents / workload.rate_per_s;
    due_ns_ = workload.arrivals == arrival_kind::constant ? interval_ns_ * agent / agents : 0;
}

nanoseconds_t call_schedule::due(nanoseconds_t now) {
    if (workload_.arrivals == arrival_kind::closed)
        return made_ == 0 ? std::max(now, begin_) : now + static_cast<nanoseconds_t>(workload_.think_ms * 1e6);
    if (workload_.arrivals == arrival_kind::poisson)
        due_ns_ += std::exponential_distribution<>(1 / interval_ns_)(*random_);
    else if (made_ > 0)
        due_ns_ += interval_ns_;
    return begin_ + static_cast<nanoseconds_t>(due_ns_);
}

std::optional<nanoseconds_t> call_schedule::next(nanoseconds_t now) {
    if (workload_.duration_s <= 0 && made_ == workload_.calls_per_agent) return std::nullopt;
    const nanoseconds_t at = due(now);
    if (workload_.duration_s > 0 && at >= begin_ + static_cast<nanoseconds_t>(workload_.duration_s * 1e9))
        return std::nullopt;
    ++made_;
    return at;
}

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
    const bool failed = !record.error.empty() || !std::ranges::all_of(record.requests, &request_record::ok);
    if (env.group != nullptr && failed) env.group->give_up(env.place.agent);
    env.log.ends();
}

} // namespace chimera::host
