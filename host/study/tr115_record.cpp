#include "study/tr115_record.hpp"

#include "study/results_json.hpp"

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
    a.duration_ms = o.number("execution_time_s") * 1e3;
    const results_object result = o.object("result");
    a.ended_ns = moment(result.text_or_empty("timestamp"));
    for (const results_object& r : result.objects("individual_runs"))
        a.requests.push_back({.total_ms = r.number("total_duration_ms"),
                              .tokens = r.number("tokens_generated"),
                              .ttft_ms = r.number("ttft_ms"),
                              .tokens_per_second = r.number("throughput_tokens_per_sec")});
    return a;
}

tr115_record record_of(const results_object& summary) {
    tr115_record out{.wall_ms = summary.number("concurrent_wall_time_s") * 1e3,
                     .durations_ms = summary.number("sequential_estimated_s") * 1e3,
                     .efficiency_percent = summary.number("efficiency_percent"),
                     .contention = summary.boolean_if("resource_contention_detected"),
                     .agents = {}};
    if (out.wall_ms <= 0) summary.refuse("\"concurrent_wall_time_s\" should be above 0");
    return out;
}

tr115_record from_metrics(const results_object& o) {
    tr115_record out = record_of(o.object("summary"));
    out.durations_ms = 0;
    for (const auto& [name, unused] : names) {
        out.agents.push_back(full_agent(o.object(name)));
        out.durations_ms += *out.agents.back().duration_ms;
    }
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
                                  .ttft_ms = run.number((of + "_ttft_ms").c_str()),
                                  .tokens_per_second = run.number((of + "_throughput").c_str())});
            out.agents.push_back(std::move(a));
        }
        return out;
    }
    o.refuse("a run that it had is gone");
}

} // namespace

tr115_record read_tr115_run(const tr115_run& run) {
    const auto json = read_results_json(run.file);
    const results_object o(json, run.file.string());
    return run.summary_run == 0 ? from_metrics(o) : from_summary(o, run.summary_run);
}

} // namespace chimera::host
