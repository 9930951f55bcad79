#include "study/stability.hpp"

#include "statistics/description.hpp"
#include "study/analysis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace chimera::host {
namespace {

std::optional<double> sd_of_means(const std::vector<statistics::description>& configs) {
    std::vector<double> means;
    for (const auto& d : configs)
        if (d.n > 0) means.push_back(d.mean);
    return means.size() > 1 ? std::optional(statistics::describe(means).sd) : std::nullopt;
}

double agents_in(const study& s, const std::string& config) {
    std::size_t most = 0;
    for (const study_run& run : s.runs)
        if (run.config == config) most = std::max(most, run.agents().size());
    return static_cast<double>(most);
}

std::optional<double> tokens_of(const study_run& run, const std::string& agent) {
    double sum = 0;
    bool counted = false;
    for (const request_result& r : run.requests)
        if (r.agent == agent && r.execution == "together" && r.tokens) {
            sum += *r.tokens;
            counted = true;
        }
    return counted ? std::optional(sum) : std::nullopt;
}

double median_tokens(const study& s, const std::string& agent) {
    std::vector<double> all;
    for (const study_run& run : s.runs)
        if (const auto tokens = run.ok() ? tokens_of(run, agent) : std::nullopt) all.push_back(*tokens);
    return all.empty() ? 0 : statistics::describe(std::move(all)).p50;
}

void add_lengths(std::vector<std::string>& out, const study_run& run, const study& s) {
    constexpr double few = 0.6, many = 1.6; // of the median
    for (const agent_result& a : run.agents()) {
        const auto tokens = tokens_of(run, a.id);
        const double median = median_tokens(s, a.id);
        if (tokens && median > 0 && (*tokens < few * median || *tokens > many * median))
            out.push_back(fmt::format("{} got {:.0f} tokens (median {:.0f})", a.id, *tokens, median));
    }
}

void add_loads(std::vector<std::string>& out, const study_run& run) {
    if (!run.cold.value_or(false)) return;
    std::optional<double> least, most;
    std::string slowest;
    for (const request_result& r : run.requests) {
        if (!r.server || !r.server->load_ns) continue;
        const double seconds = static_cast<double>(*r.server->load_ns) / 1e9;
        if (!most || seconds > *most) slowest = r.agent;
        most = std::max(most.value_or(0), seconds);
        least = std::min(least.value_or(seconds), seconds);
    }
    if (most)
        out.push_back(fmt::format("the server of {} loaded its model for {:.1f} s, {:.1f} s more than the least",
                                  slowest, *most, *most - *least));
}

double load_ms_of(const study_run& run, const std::string& agent) {
    double sum = 0;
    for (const request_result& r : run.requests)
        if (r.agent == agent && r.execution == "together" && r.server && r.server->load_ns)
            sum += static_cast<double>(*r.server->load_ns) / 1e6;
    return sum;
}

/// N max C - sum(C), in percent of the agent-time.
double imbalance_pct(const std::vector<double>& durations, double wall_ms) {
    const double n = static_cast<double>(durations.size());
    return (n * std::ranges::max(durations) - std::accumulate(durations.begin(), durations.end(), 0.0)) /
           (n * wall_ms) * 100;
}

/// Points of imbalance that would not be there if each agent's servers had loaded for as short a time as the least.
double imbalance_of_loads(const study_run& run, double wall_ms) {
    std::vector<double> durations, loads;
    for (const agent_result& a : run.agents()) {
        if (!a.start_ns || !a.end_ns) return 0;
        durations.push_back(static_cast<double>(*a.end_ns - *a.start_ns) / 1e6);
        loads.push_back(load_ms_of(run, a.id));
    }
    if (durations.empty()) return 0;
    std::vector<double> even = durations;
    const double least = std::ranges::min(loads);
    for (std::size_t i = 0; i < even.size(); ++i) even[i] -= loads[i] - least;
    const double shorter_ms = std::ranges::max(durations) - std::ranges::max(even);
    return imbalance_pct(durations, wall_ms) - imbalance_pct(even, wall_ms - shorter_ms);
}

void add_machine(std::vector<std::string>& out, const study_run& run) {
    constexpr double much_steal_pct = 2;
    if (const auto steal = run.value(metric::steal); steal && *steal > much_steal_pct)
        out.push_back(fmt::format("the hypervisor gave {:.1f} % of the CPU time to others", *steal));
    if (run.result.serialization && run.result.serialization->serialized())
        out.emplace_back("its agents ran one after the other");
    if (run.result.client && !run.result.client->client_limited.empty())
        out.emplace_back("the client could have changed it");
}

} // namespace

std::vector<stability_report> stability_of(const study& s) {
    std::vector<stability_report> out;
    const std::string& headline = headline_of(s);
    for (const planned_runtime& r : s.runtimes) {
        stability_report row{.runtime = r.name,
                             .sd_within_pct = {},
                             .sd_of_config_means_pct = {},
                             .most_stable = {},
                             .least_stable = {}};
        std::vector<statistics::description> configs;
        double squares = 0, df = 0;
        for (const planned_configuration& c : s.configs) {
            const auto& d = configs.emplace_back(statistics::describe(values_of(s, r.name, headline, c.name)));
            if (d.n < 2) continue;
            squares += d.sd * d.sd * static_cast<double>(d.n - 1);
            df += static_cast<double>(d.n - 1);
            if (!row.most_stable || d.sd < row.most_stable->sd_pct) row.most_stable = {c.name, d.sd};
            if (!row.least_stable || d.sd > row.least_stable->sd_pct) row.least_stable = {c.name, d.sd};
        }
        row.sd_of_config_means_pct = sd_of_means(configs);
        if (df > 0) row.sd_within_pct = std::sqrt(squares / df);
        if (row.sd_within_pct && row.sd_of_config_means_pct) out.push_back(std::move(row));
    }
    return out;
}

std::vector<ranked_config> ranked_configs_of(const study& s) {
    std::vector<ranked_config> out;
    if (s.configs.size() < 2) return out;
    for (const planned_runtime& r : s.runtimes) {
        std::vector<ranked_config> rows;
        for (const planned_configuration& c : s.configs) {
            const auto d = statistics::describe(values_of(s, r.name, headline_of(s), c.name));
            if (d.n == 0) continue;
            rows.push_back({r.name, c.name, 0, d.n, d.mean, d.n > 1 ? std::optional(d.sd) : std::nullopt,
                            agents_in(s, c.name) * d.mean / 100});
        }
        std::ranges::stable_sort(rows, std::ranges::greater(), &ranked_config::mean_pct);
        for (std::size_t i = 0; i < rows.size(); ++i) rows[i].rank = i + 1;
        out.insert(out.end(), rows.begin(), rows.end());
    }
    return out;
}

std::optional<load_imbalance> load_imbalance_of(const study& s, const std::vector<const runtime_report*>& runtimes) {
    load_imbalance out;
    double points = 0;
    std::size_t n = 0;
    for (const study_run& run : s.runs) {
        const auto is_of = [&](const runtime_report* r) { return r->name == run.runtime; };
        const auto wall = run.value(metric::wall);
        if (!run.ok() || !run.cold || !wall || std::ranges::none_of(runtimes, is_of)) continue;
        ++n;
        if (!*run.cold) continue;
        const double lost = imbalance_of_loads(run, *wall);
        points += lost;
        constexpr double stands_out = 5;
        out.runs += lost > stands_out;
    }
    if (n == 0) return std::nullopt;
    out.points = points / static_cast<double>(n);
    return out;
}

std::vector<std::string> unusual_in(const study_run& run, const study& s) {
    std::vector<std::string> out;
    add_loads(out, run);
    add_lengths(out, run, s);
    add_machine(out, run);
    return out;
}

} // namespace chimera::host
