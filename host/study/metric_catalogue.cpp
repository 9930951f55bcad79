#include "study/metric_catalogue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace chimera::host {
namespace {

struct entry {
    std::string_view name, unit, text;
    better way;
};

constexpr entry of_runs[] = {
    {"efficiency_pct", "%", "sum(T_i) / (N W): T_i agent i alone, W wall time of the concurrent run", better::higher},
    {"speedup", "x", "sum(T_i) / W", better::higher},
    {"estimated_efficiency_pct", "%", "sum(C_i) / (N W), from the concurrent run alone: it cannot see contention",
     better::higher},
    {"imbalance_bound_pct", "%", "sum(C_i) / (N max C_i): the most that agents of these lengths can reach",
     better::neither},
    {"remainder_pct", "%", "imbalance bound - estimate: what imbalance does not explain", better::lower},
    {"wall_ms", "ms", "W, wall time of the concurrent run", better::lower},
    {"sequential_ms", "ms", "sum(T_i): the agents one after the other, each alone", better::neither},
    {"late_start_pct", "%", "N (W - max C_i), in percent of the agent-time N W", better::lower},
    {"late_permit_pct", "%", "the part of late start spent waiting for a permit", better::lower},
    {"late_blocked_pct", "%", "the part of late start spent runnable while another agent's poll held a worker",
     better::lower},
    {"late_spawn_pct", "%", "the rest of late start: spawning and joining", better::lower},
    {"imbalance_pct", "%", "N max C_i - sum(C_i), in percent of N W: agents of unequal length", better::neither},
    {"inflation_pct", "%", "sum(C_i - T_i), in percent of N W: slower together than alone", better::lower},
    {"inflation_scheduling_pct", "%", "the part of inflation from runnable to polled", better::lower},
    {"inflation_blocked_pct", "%", "the part of inflation inside a poll that blocked", better::lower},
    {"inflation_transport_pct", "%", "the part of inflation from polled to delivered", better::lower},
    {"inflation_parsing_pct", "%", "the part of inflation from delivered to recorded", better::lower},
    {"inflation_work_pct", "%", "the part of inflation in the agent's own work", better::lower},
    {"inflation_server_pct", "%", "the rest of inflation: the server", better::lower},
    {"inflation_ratio", "x", "mean(C_i / T_i)", better::lower},
    {"jain_index", "1", "fairness of the agents' token rates: sum(x)^2 / (N sum(x^2))", better::higher},
    {"throughput_tok_s", "1/s", "tokens of all agents / W", better::higher},
    {"tokens", "1", "tokens of all agents", better::neither},
    {"client_overhead_pct", "%", "client delay / E2E", better::lower},
    {"busiest_worker_pct", "%", "share of W that the busiest worker was on a CPU", better::lower},
    {"dispatch_delay_us_p99", "us", "intended -> dispatched, 99th percentile", better::lower},
    {"delivery_delay_us_p99", "us", "readable -> delivered, 99th percentile", better::lower},
};

constexpr entry of_requests[] = {
    {"ttft_ms", "ms", "first_token - dispatched", better::lower},
    {"itl_ms", "ms", "gaps between consecutive content records, pooled", better::lower},
    {"tpot_ms", "ms", "(last_token - first_token) / (tokens - 1)", better::lower},
    {"e2e_ms", "ms", "done - dispatched", better::lower},
    {"tokens_per_second", "1/s", "token rate of a request, as the server has it where it says", better::higher},
    {"scheduling_us", "us", "readable -> polled", better::lower},
    {"transport_us", "us", "polled -> delivered", better::lower},
    {"parsing_us", "us", "delivered -> recorded", better::lower},
};

constexpr std::pair<std::string_view, std::string_view> of_a_run[] = {
    {"_mean", "mean"}, {"_p50", "median"}, {"_p95", "95th percentile"}, {"_p99", "99th percentile"}};

struct known_metric {
    std::string name;
    metric_definition definition;
    better way;
};

const std::vector<known_metric>& catalogue() {
    static const std::vector<known_metric> known = [] {
        std::vector<known_metric> out;
        const auto add = [&out](std::string name, const entry& e, std::string text) {
            out.push_back({std::move(name), {std::string(e.unit), std::move(text), "not measured"}, e.way});
        };
        for (const entry& e : of_runs) add(std::string(e.name), e, std::string(e.text));
        for (const entry& e : of_requests)
            for (const auto& [suffix, words] : of_a_run)
                add(fmt::format("{}{}", e.name, suffix), e, fmt::format("{}; {} of the run", e.text, words));
        return out;
    }();
    return known;
}

const known_metric* find(std::string_view metric) {
    const auto found = std::ranges::find(catalogue(), metric, &known_metric::name);
    return found == catalogue().end() ? nullptr : &*found;
}

} // namespace

better better_of(std::string_view metric) {
    const known_metric* known = find(metric);
    return known ? known->way : better::neither;
}

metric_definition definition_of(const study& s, const std::string& metric) {
    if (const auto found = s.definitions.find(metric); found != s.definitions.end()) return found->second;
    const known_metric* known = find(metric);
    return known ? known->definition : metric_definition{"", "", "not measured"};
}

std::vector<std::string> metrics_of(const study& s) {
    std::vector<std::string> out;
    for (const known_metric& m : catalogue()) out.push_back(m.name);
    for (const auto& [name, definition] : s.definitions)
        if (!find(name)) out.push_back(name);
    return out;
}

metric_definition catalogued(std::string_view metric, std::string_view provenance) {
    const known_metric* known = find(metric);
    assert(known);
    metric_definition out = known->definition;
    out.provenance = provenance;
    return out;
}

} // namespace chimera::host
