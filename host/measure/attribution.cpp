#include "measure/attribution.hpp"

#include "measure/intervals.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace chimera::host {
namespace {

double ns(nanoseconds_t t) { return static_cast<double>(t); }

double sum_of_durations(const std::vector<agent_record>& agents) {
    return std::accumulate(agents.begin(), agents.end(), 0.0,
                           [](double s, const agent_record& a) { return s + ns(a.duration()); });
}

double longest(const execution_record& x) {
    nanoseconds_t most = 0;
    for (const agent_record& a : x.agents) most = std::max(most, a.duration());
    return ns(most);
}

std::optional<double> sum_alone(const run_record& run) {
    if (run.baseline.size() != run.concurrent.agents.size()) return std::nullopt;
    double sum = 0;
    for (const execution_record& x : run.baseline) sum += ns(x.agents.front().duration());
    return sum;
}

path_split sum_of_paths(const execution_record& x) {
    const std::vector<interval> held = long_polls_of(x);
    path_split sum;
    for (const agent_record& a : x.agents) sum += split_path(a, held);
    return sum;
}

} // namespace

loss_split split_loss(const run_record& run) {
    const execution_record& x = run.concurrent;
    const double n = static_cast<double>(x.agents.size());
    const double w = ns(x.wall()), m = longest(x), c = sum_of_durations(x.agents);
    loss_split split;
    split.agent_time = n * w;
    split.late_start = n * (w - m);
    split.imbalance = n * m - c;
    if (const auto t = sum_alone(run)) {
        split.inflation = c - *t;
        path_split stages = sum_of_paths(x);
        for (const execution_record& alone : run.baseline) stages -= sum_of_paths(alone);
        split.inflation_by_stage = stages;
    }

    const auto last = std::ranges::max_element(x.agents, {}, &agent_record::end);
    if (last != x.agents.end()) {
        // It asks for its permit in its first poll, and begins in the poll that follows the grant: before both it may
        // be runnable and wait for a worker.
        const std::vector<interval> held = long_polls_of(x, &*last);
        const double permit = ns(last->permit_wait());
        const double blocked = ns(covered(held, {std::max(last->spawned, x.begin), last->first_polled}) +
                                  covered(held, {last->granted, last->start}));
        split.late_permit = n * std::min(permit, w - m);
        const double rest = split.late_start - split.late_permit;
        split.late_blocked = std::min(n * blocked, rest);
        split.late_spawn = rest - split.late_blocked;
    }
    return split;
}

run_figures figures_of(const run_record& run) {
    const execution_record& x = run.concurrent;
    const double n = static_cast<double>(x.agents.size());
    const double w = ns(x.wall()), m = longest(x), c = sum_of_durations(x.agents);
    run_figures f;
    f.wall_ms = w / 1e6;
    f.loss = split_loss(run);
    f.estimated_efficiency_pct = w > 0 ? c / (n * w) * 100 : 0;
    f.imbalance_bound_pct = m > 0 ? c / (n * m) * 100 : 0;
    if (const auto t = sum_alone(run); t && w > 0) {
        f.sequential_ms = *t / 1e6;
        f.speedup = *t / w;
        f.efficiency_pct = *f.speedup / n * 100;
        double ratios = 0;
        for (std::size_t i = 0; i < x.agents.size(); ++i) {
            const double alone = ns(run.baseline[i].agents.front().duration());
            ratios += alone > 0 ? ns(x.agents[i].duration()) / alone : 1;
        }
        f.inflation_ratio = ratios / n;
        const bool slow = *f.speedup < 0.75 * n;
        const bool inflated = *f.inflation_ratio > 1.05;
        f.contention = slow && inflated;
    }
    return f;
}

} // namespace chimera::host
