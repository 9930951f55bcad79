#include "study/tr115_record.hpp"

#include "study/results_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace chimera::host {
namespace {

constexpr std::pair<const char*, const char*> names[] = {{"collector", "agent_a"}, {"insight", "agent_b"}};

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

double within(const results_object& o, const std::string& key, double low, double high) {
    const double value = o.number(key.c_str());
    if (!(value >= low && value <= high))
        o.refuse(fmt::format("key \"{}\" is {:g}; a run has {:g} to {:g}", key, value, low, high));
    return value;
}

double seconds_in_ms(const results_object& o, const char* key) { return within(o, key, shortest_s, longest_s) * 1e3; }

tr115_agent agent_of(const results_object& config) {
    return {.id = config.text("id"),
            .model = config.text_or_empty("model"),
            .options = config.object("options").value(),
            .duration_ms = {},
            .ended_ns = {},
            .requests = {}};
}

tr115_agent full_agent(const results_object& o) {
    tr115_agent a = agent_of(o.object("config"));
    a.duration_ms = seconds_in_ms(o, "execution_time_s");
    const results_object result = o.object("result");
    a.ended_ns = moment(result.text_or_empty("timestamp"));
    for (const results_object& r : result.objects("individual_runs"))
        a.requests.push_back({.total_ms = within(r, "total_duration_ms", shortest_s * 1e3, most),
                              .tokens = within(r, "tokens_generated", 0, most),
                              .ttft_ms = within(r, "ttft_ms", 0, most),
                              .tokens_per_second = within(r, "throughput_tokens_per_sec", 0, most)});
    return a;
}

tr115_record record_of(const results_object& summary) {
    return {.wall_ms = seconds_in_ms(summary, "concurrent_wall_time_s"),
            .durations_ms = seconds_in_ms(summary, "sequential_estimated_s"),
            .efficiency_percent = summary.number("efficiency_percent"),
            .contention = summary.boolean_if("resource_contention_detected"),
            .agents = {}};
}

/// Agents cannot have run for longer than the wall time; the originals' clocks agree to well within a percent.
void check_estimate(const results_object& summary, const tr115_record& r) {
    constexpr double most_pct = 101;
    const double estimate = estimated_efficiency_pct(r);
    if (estimate > most_pct)
        summary.refuse(fmt::format("key \"concurrent_wall_time_s\" is {:g} s, too short for agents that ran for {:g} s "
                                   "together: an efficiency of {:.4g} %",
                                   r.wall_ms / 1e3, r.durations_ms / 1e3, estimate));
}

tr115_record from_metrics(const results_object& o) {
    tr115_record out = record_of(o.object("summary"));
    out.durations_ms = 0;
    for (const auto& [name, unused] : names) {
        out.agents.push_back(full_agent(o.object(name)));
        out.durations_ms += *out.agents.back().duration_ms;
    }
    check_estimate(o.object("summary"), out);
    return out;
}

tr115_record from_summary(const results_object& o, int number) {
    for (const results_object& run : o.objects("runs")) {
        if (run.integer("run_number") != number) continue;
        tr115_record out = record_of(run);
        for (const auto& [name, agent] : names) {
            tr115_agent a = agent_of(o.object(agent));
            const std::string of(name);
            a.requests.push_back({.total_ms = {},
                                  .tokens = {},
                                  .ttft_ms = within(run, of + "_ttft_ms", 0, most),
                                  .tokens_per_second = within(run, of + "_throughput", 0, most)});
            out.agents.push_back(std::move(a));
        }
        check_estimate(run, out);
        return out;
    }
    o.refuse("a run that it had is gone");
}

} // namespace

double estimated_efficiency_pct(const tr115_record& r) { return r.durations_ms / (std::size(names) * r.wall_ms) * 100; }

tr115_record read_tr115_run(const tr115_run& run) {
    const auto json = read_results_json(run.file);
    const results_object o(json, run.file.string());
    return run.summary_run == 0 ? from_metrics(o) : from_summary(o, run.summary_run);
}

} // namespace chimera::host
