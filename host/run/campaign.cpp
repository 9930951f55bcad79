#include "run/campaign.hpp"

#include <algorithm>
#include <numeric>
#include <random>
#include <utility>

namespace chimera::host {
namespace {

bool nothing_works(const execution_record& x) {
    if (x.coordination && !x.has_requests()) // a hub alone has no agents
        return !x.agents.empty() && std::ranges::none_of(x.agents, &agent_record::ok);
    return std::ranges::none_of(
        x.agents, [](const agent_record& a) { return std::ranges::any_of(a.requests, &request_record::ok); });
}

} // namespace

std::vector<planned_execution> plan_executions(const profile& p, std::optional<int> only) {
    std::vector<std::size_t> all(p.workload.agents.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    const planned_execution together{0, all, true};
    std::vector<planned_execution> plan(static_cast<std::size_t>(p.measure.warmup), together);
    std::mt19937_64 random(p.measure.seed);
    for (int run = 1; run <= p.measure.runs; ++run) {
        std::vector<planned_execution> executions;
        if (p.measure.baseline)
            for (const std::size_t agent : all) executions.push_back({run, {agent}, false});
        const bool together_first = (random() & 1U) != 0;
        executions.insert(together_first ? executions.begin() : executions.end(), {run, all, true});
        if (only && run != *only) continue;
        plan.insert(plan.end(), executions.begin(), executions.end());
    }
    return plan;
}

void run_campaign(const execution_setup& setup, execution_control& control, const campaign_events& events,
                  std::vector<run_record>& done, std::optional<int> only) {
    const std::vector<planned_execution> plan = plan_executions(setup.what, only);
    run_record current;
    const auto complete = [&] {
        current.origin = setup.origin;
        done.push_back(std::exchange(current, run_record{}));
        events.run_done(done);
    };
    for (std::size_t i = 0; i < plan.size() && !control.stopped(); ++i) {
        const planned_execution& next = plan[i];
        events.begins(next, i, plan.size());
        // Alone and together the agents get the same seeds: a run compares equal work.
        const std::uint64_t seed_base = setup.what.measure.seed * 1'000'003U + static_cast<std::uint64_t>(next.run);
        execution_record x = execute(setup, next.agents, seed_base, control);
        events.execution_done(next, x);
        if (control.stopped()) return;
        if (next.run == 0) {
            if (!nothing_works(x)) continue;
            current.concurrent = std::move(x); // nothing works: the failed warm-up is the result
            complete();
            return;
        }
        current.number = next.run;
        if (next.concurrent)
            current.concurrent = std::move(x);
        else
            current.baseline.push_back(std::move(x));
        if (i + 1 < plan.size() && plan[i + 1].run == next.run) continue;
        const bool hopeless = nothing_works(current.concurrent) && std::ranges::all_of(current.baseline, nothing_works);
        complete();
        if (hopeless) return;
    }
}

} // namespace chimera::host
