#include "tr115/record.hpp"

#include "result/sealed_file.hpp"
#include "tr115/original.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
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
    if (t.tm_year < 1970 || t.tm_year > 2200) return std::nullopt;
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

/// Of a duration that a file may not have.
std::optional<double> checked(const std::string& place, const char* key, std::optional<double> value) {
    if (value) check_within(place, key, *value, 0, most);
    return value;
}

tr115_agent agent_of(const char* part, const original_config& config) {
    return {.id = part,
            .model = config.model,
            .url = config.base_url,
            .prompt = config.prompt,
            .response = {},
            .options = config.options,
            .duration_ms = {},
            .ended_ns = {},
            .requests = {}};
}

tr115_request request_of(const std::string& place, double ttft_ms, double tokens_per_second) {
    check_within(place, "ttft_ms", ttft_ms, 0, most);
    check_within(place, "throughput_tokens_per_sec", tokens_per_second, 0, most);
    tr115_request out;
    out.ttft_ms = ttft_ms;
    out.tokens_per_second = tokens_per_second;
    return out;
}

tr115_agent full_agent(const std::string& file, const char* part, const original_agent& o) {
    const std::string place = file + ": " + part;
    tr115_agent a = agent_of(part, o.config);
    a.duration_ms = seconds_in_ms(place, "execution_time_s", o.execution_time_s);
    a.ended_ns = moment(o.result.timestamp);
    for (std::size_t i = 0; i < o.result.individual_runs.size(); ++i) {
        const original_call& c = o.result.individual_runs[i];
        const std::string at = fmt::format("{}: individual_runs[{}]", place, i);
        check_within(at, "total_duration_ms", c.total_duration_ms, shortest_s * 1e3, most);
        check_within(at, "tokens_generated", c.tokens_generated, 0, most);
        tr115_request r = request_of(at, c.ttft_ms, c.throughput_tokens_per_sec);
        r.total_ms = c.total_duration_ms;
        r.tokens = c.tokens_generated;
        r.load_ms = checked(at, "load_duration_ms", c.load_duration_ms);
        r.prompt_eval_ms = checked(at, "prompt_eval_duration_ms", c.prompt_eval_duration_ms);
        r.eval_ms = checked(at, "eval_duration_ms", c.eval_duration_ms);
        a.requests.push_back(r);
    }
    return a;
}

tr115_agent short_agent(const std::string& file, const char* part, const original_config& config, double ttft_ms,
                        double throughput) {
    check_within(file, (std::string(part) + "_ttft_ms").c_str(), ttft_ms, 0, most);
    check_within(file, (std::string(part) + "_throughput").c_str(), throughput, 0, most);
    tr115_agent a = agent_of(part, config);
    a.requests.push_back(request_of(file, ttft_ms, throughput));
    return a;
}

tr115_agent python_agent_of(const std::string& file, const char* part, const std::string& model,
                            const python_agent& o) {
    const std::string place = file + ": " + part;
    tr115_agent a = agent_of(part, {part, model, o.base_url, "", o.options});
    a.response = o.response;
    check_within(place, "wall_clock_ms", o.metrics.wall_clock_ms, shortest_s * 1e3, most);
    check_within(place, "tokens_generated", o.metrics.tokens_generated, 0, most);
    a.duration_ms = o.metrics.wall_clock_ms;
    tr115_request r = request_of(place, o.metrics.ttft_ms, o.metrics.throughput_tokens_per_sec);
    r.tokens = o.metrics.tokens_generated;
    r.server_total_ms = checked(place, "total_duration_ms", o.metrics.total_duration_ms);
    a.requests.push_back(r);
    return a;
}

tr115_record record_of(const std::string& file, const original_totals& t) {
    return {.wall_ms = seconds_in_ms(file, "concurrent_wall_time_s", t.concurrent_wall_time_s),
            .durations_ms = seconds_in_ms(file, "sequential_estimated_s", t.sequential_estimated_s),
            .efficiency_percent = t.efficiency_percent,
            .contention = t.resource_contention_detected,
            .system = {},
            .written_ns = {},
            .agents = {}};
}

/// Agents cannot have run for longer than the wall time; the originals' clocks agree to well within a percent.
void check_estimate(const std::string& file, const char* key, const tr115_record& r) {
    constexpr double most_pct = 101;
    const double estimate = estimated_efficiency_pct(r);
    if (estimate > most_pct)
        throw results_error(fmt::format("{}: key \"{}\" is {:g} s, too short for agents that ran for {:g} s "
                                        "together: an efficiency of {:.4g} %",
                                        file, key, r.wall_ms / 1e3, r.durations_ms / 1e3, estimate));
}

std::optional<tr115_system> system_of(const std::optional<original_system>& o) {
    if (!o) return std::nullopt;
    tr115_system out{o->hostname, o->os, o->rust_version};
    if (o->arch) out.os = out.os ? *out.os + " " + *o->arch : *o->arch;
    return out;
}

void add_durations(tr115_record& out) {
    out.durations_ms = 0;
    for (const tr115_agent& a : out.agents) out.durations_ms += *a.duration_ms;
}

tr115_record from_metrics(const std::string& file, const original_metrics& o) {
    tr115_record out = record_of(file + ": summary", o.summary);
    out.system = system_of(o.collector.result.system_info);
    out.agents = {full_agent(file, "collector", o.collector), full_agent(file, "insight", o.insight)};
    add_durations(out);
    check_estimate(file + ": summary", "concurrent_wall_time_s", out);
    return out;
}

/// The run with this number. It was there when the tree was walked.
template <class Run>
const Run& run_of(const std::string& file, const std::vector<Run>& runs, int number) {
    const auto run = std::ranges::find(runs, number, &Run::run_number);
    if (run == runs.end()) throw results_error(file + ": a run that it had is gone");
    return *run;
}

tr115_record from_summary(const std::string& file, const original_summary& o, int number) {
    const original_summary_run& run = run_of(file, o.runs, number);
    tr115_record out = record_of(file, run);
    out.written_ns = moment(o.generated_at);
    out.agents.push_back(short_agent(file, "collector", o.agent_a, run.collector_ttft_ms, run.collector_throughput));
    out.agents.push_back(short_agent(file, "insight", o.agent_b, run.insight_ttft_ms, run.insight_throughput));
    check_estimate(file, "concurrent_wall_time_s", out);
    return out;
}

/// The program in Python computed its efficiency from the server's total durations; the agents' own are beside them.
tr115_record from_python(const std::string& file, const std::string& model, const python_summary& o, int number) {
    const python_run& run = run_of(file, o.runs, number);
    check_within(file, "concurrent_wall_time_ms", run.concurrent_wall_time_ms, shortest_s * 1e3, most);
    tr115_record out;
    out.wall_ms = run.concurrent_wall_time_ms;
    out.efficiency_percent = run.efficiency_percent;
    out.agents.push_back(python_agent_of(file, "collector", model, run.collector));
    out.agents.push_back(python_agent_of(file, "insight", model, run.insight));
    add_durations(out);
    check_estimate(file, "concurrent_wall_time_ms", out);
    return out;
}

/// The programs in Rust name the agents once, those in Python in each run.
bool is_python(const json& summary) { return summary.is_object() && !summary.contains("agent_a"); }

} // namespace

double estimated_efficiency_pct(const tr115_record& r) {
    constexpr double agents = 2;
    return r.durations_ms / (agents * r.wall_ms) * 100;
}

std::optional<std::int64_t> began_ns(const tr115_record& r) {
    std::optional<std::int64_t> first;
    for (const tr115_agent& a : r.agents) {
        if (!a.ended_ns || !a.duration_ms) return std::nullopt;
        const std::int64_t began = *a.ended_ns - std::llround(*a.duration_ms * 1e6);
        first = std::min(first.value_or(began), began);
    }
    return first;
}

std::vector<int> listed_runs(const json& summary, const std::string& file) {
    std::vector<int> out;
    const auto add = [&](const auto& runs) {
        for (const auto& run : runs) {
            constexpr int most_runs = 1'000'000;
            if (run.run_number < 1 || run.run_number > most_runs)
                throw results_error(
                    fmt::format("{}: runs: run_number is {}; expected 1 to {}", file, run.run_number, most_runs));
            out.push_back(run.run_number);
        }
    };
    if (is_python(summary))
        add(from_json<python_summary>(summary, file).runs);
    else
        add(from_json<original_summary>(summary, file).runs);
    return out;
}

tr115_record read_tr115_run(const tr115_run& run) {
    const std::string file = run.file.string();
    const json document = read_results_document(run.file).content;
    if (run.summary_run == 0) return from_metrics(file, from_json<original_metrics>(document, file));
    if (is_python(document))
        return from_python(file, run.model, from_json<python_summary>(document, file), run.summary_run);
    return from_summary(file, from_json<original_summary>(document, file), run.summary_run);
}

} // namespace chimera::host
