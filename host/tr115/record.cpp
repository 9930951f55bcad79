#include "tr115/record.hpp"

#include "result/sealed_file.hpp"
#include "tr115/original.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace chimera::host {
namespace {

/// "2025-11-14T01:10:39.227337Z" in ns since 1970; nothing for another form. The originals write UTC and as many digits
/// of the second as there are.
std::optional<std::int64_t> moment(const std::string& text) {
    std::tm t{};
    int read = 0;
    if (std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%d%n", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour, &t.tm_min,
                    &t.tm_sec, &read) != 6)
        return std::nullopt;
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    std::int64_t ns = timegm(&t) * std::int64_t{1'000'000'000};
    auto at = text.begin() + read;
    if (at != text.end() && *at == '.') {
        ++at;
        for (std::int64_t digit = 100'000'000; at != text.end() && *at >= '0' && *at <= '9'; digit /= 10)
            ns += digit * (*at++ - '0');
    }
    return at != text.end() && *at == 'Z' ? std::optional(ns) : std::nullopt;
}

constexpr double shortest_s = 1e-6, longest_s = 1e9; ///< of what a clock can have shown of a run
constexpr double most = longest_s * 1e3;

void check_within(const std::string& place, const char* key, double value, double low, double high) {
    if (!(value >= low && value <= high))
        throw results_error(
            fmt::format("{}: key \"{}\" is {:g}; a run has {:g} to {:g}", place, key, value, low, high));
}

double seconds_in_ms(const std::string& place, const char* key, double value) {
    check_within(place, key, value, shortest_s, longest_s);
    return value * 1e3;
}

tr115_agent agent_of(const original_config& config) {
    return {.id = config.id,
            .model = config.model,
            .options = config.options,
            .duration_ms = {},
            .ended_ns = {},
            .requests = {}};
}

tr115_agent full_agent(const std::string& place, const original_agent& o) {
    tr115_agent a = agent_of(o.config);
    a.duration_ms = seconds_in_ms(place, "execution_time_s", o.execution_time_s);
    a.ended_ns = moment(o.result.timestamp);
    for (std::size_t i = 0; i < o.result.individual_runs.size(); ++i) {
        const original_call& c = o.result.individual_runs[i];
        const std::string at = fmt::format("{}: individual_runs[{}]", place, i);
        check_within(at, "total_duration_ms", c.total_duration_ms, shortest_s * 1e3, most);
        check_within(at, "tokens_generated", c.tokens_generated, 0, most);
        check_within(at, "ttft_ms", c.ttft_ms, 0, most);
        check_within(at, "throughput_tokens_per_sec", c.throughput_tokens_per_sec, 0, most);
        a.requests.push_back({.total_ms = c.total_duration_ms,
                              .tokens = c.tokens_generated,
                              .ttft_ms = c.ttft_ms,
                              .tokens_per_second = c.throughput_tokens_per_sec});
    }
    return a;
}

tr115_agent short_agent(const std::string& file, const original_config& config, const char* name, double ttft_ms,
                        double throughput) {
    check_within(file, (std::string(name) + "_ttft_ms").c_str(), ttft_ms, 0, most);
    check_within(file, (std::string(name) + "_throughput").c_str(), throughput, 0, most);
    tr115_agent a = agent_of(config);
    a.requests.push_back({.total_ms = {}, .tokens = {}, .ttft_ms = ttft_ms, .tokens_per_second = throughput});
    return a;
}

tr115_record record_of(const std::string& file, const original_totals& t) {
    return {.wall_ms = seconds_in_ms(file, "concurrent_wall_time_s", t.concurrent_wall_time_s),
            .durations_ms = seconds_in_ms(file, "sequential_estimated_s", t.sequential_estimated_s),
            .efficiency_percent = t.efficiency_percent,
            .contention = t.resource_contention_detected,
            .agents = {}};
}

/// Agents cannot have run for longer than the wall time; the originals' clocks agree to well within a percent.
void check_estimate(const std::string& file, const tr115_record& r) {
    constexpr double most_pct = 101;
    const double estimate = estimated_efficiency_pct(r);
    if (estimate > most_pct)
        throw results_error(
            fmt::format("{}: key \"concurrent_wall_time_s\" is {:g} s, too short for agents that ran for {:g} s "
                        "together: an efficiency of {:.4g} %",
                        file, r.wall_ms / 1e3, r.durations_ms / 1e3, estimate));
}

tr115_record from_metrics(const std::string& file, const original_metrics& o) {
    tr115_record out = record_of(file + ": summary", o.summary);
    out.durations_ms = 0;
    out.agents = {full_agent(file + ": collector", o.collector), full_agent(file + ": insight", o.insight)};
    for (const tr115_agent& a : out.agents) out.durations_ms += *a.duration_ms;
    check_estimate(file + ": summary", out);
    return out;
}

tr115_record from_summary(const std::string& file, const original_summary& o, int number) {
    const auto run = std::ranges::find(o.runs, number, &original_summary_run::run_number);
    if (run == o.runs.end()) throw results_error(file + ": a run that it had is gone");
    tr115_record out = record_of(file, *run);
    out.agents.push_back(short_agent(file, o.agent_a, "collector", run->collector_ttft_ms, run->collector_throughput));
    out.agents.push_back(short_agent(file, o.agent_b, "insight", run->insight_ttft_ms, run->insight_throughput));
    check_estimate(file, out);
    return out;
}

} // namespace

double estimated_efficiency_pct(const tr115_record& r) {
    constexpr double agents = 2;
    return r.durations_ms / (agents * r.wall_ms) * 100;
}

tr115_record read_tr115_run(const tr115_run& run) {
    const std::string file = run.file.string();
    return run.summary_run == 0 ? from_metrics(file, read_results<original_metrics>(run.file))
                                : from_summary(file, read_results<original_summary>(run.file), run.summary_run);
}

} // namespace chimera::host
