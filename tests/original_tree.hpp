// A results tree as the original reports' programs wrote it, with figures that are known.
#pragma once

#include "temporary_folder.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace chimera::test {

/// One run of two agents, in seconds.
struct original_run {
    double collector_s = 5, insight_s = 10;
    double wall_s = 10;
    double collector_rate = 100, insight_rate = 110; ///< tokens/s
    int minute = 10;                                 ///< of the hour in which it ended, of two digits
};

inline nlohmann::ordered_json original_options(int num_gpu, int num_ctx) {
    return {{"num_ctx", num_ctx}, {"num_gpu", num_gpu}, {"temperature", 0.800000011920929}};
}

inline nlohmann::ordered_json original_agent(const char* id, const std::string& ended, double duration_s, double rate,
                                             const nlohmann::ordered_json& options) {
    const double ms = duration_s * 1e3;
    nlohmann::ordered_json run{{"eval_duration_ms", ms * 0.8},
                               {"load_duration_ms", 500.0},
                               {"prompt_eval_duration_ms", 13},
                               {"throughput_tokens_per_sec", rate},
                               {"tokens_generated", 400},
                               {"total_duration_ms", ms},
                               {"ttft_ms", 800.0}};
    return {
        {"config",
         {{"id", id},
          {"model", "gemma3:latest"},
          {"options", options},
          {"base_url", "http://localhost:1"},
          {"prompt", "Take stock."}}},
        {"execution_time_s", duration_s},
        {"result",
         {{"individual_runs", {run}},
          {"system_info", {{"arch", "x86_64"}, {"hostname", "laptop"}, {"os", "windows"}, {"rust_version", "1.90.0"}}},
          {"timestamp", ended}}}};
}

inline nlohmann::ordered_json original_summary(const original_run& r) {
    const double sum = r.collector_s + r.insight_s, speedup = sum / r.wall_s;
    return {{"collector_throughput", r.collector_rate},
            {"collector_ttft_ms", 800.0},
            {"concurrency_speedup", speedup},
            {"concurrent_wall_time_s", r.wall_s},
            {"efficiency_percent", speedup / 2 * 100},
            {"insight_throughput", r.insight_rate},
            {"insight_ttft_ms", 800.0},
            {"resource_contention_detected", speedup < 1.5},
            {"run_number", 1},
            {"sequential_estimated_s", sum}};
}

/// metrics.json of a run whose collector ended at second 20 of a minute, and whose insight agent began with it, or,
/// where the wall time is the sum of both, after it.
inline nlohmann::ordered_json original_metrics(const original_run& r, const nlohmann::ordered_json& collector_options,
                                               const nlohmann::ordered_json& insight_options) {
    const bool serialized = r.wall_s >= r.collector_s + r.insight_s;
    const double insight_ended = 20 + (serialized ? r.insight_s : r.insight_s - r.collector_s);
    const std::string hour = "2025-11-14T01:" + std::to_string(r.minute) + ":";
    return {{"collector",
             original_agent("collector", hour + "20.500000000Z", r.collector_s, r.collector_rate, collector_options)},
            {"insight", original_agent("insight", hour + std::to_string(static_cast<int>(insight_ended)) + ".5Z",
                                       r.insight_s, r.insight_rate, insight_options)},
            {"run_number", 1},
            {"summary", original_summary(r)}};
}

/// summary.json beside run_1.
inline nlohmann::ordered_json original_summary_file(const original_run& r, const nlohmann::ordered_json& options) {
    nlohmann::ordered_json agent{{"id", "collector"}, {"model", "gemma3:latest"}, {"options", options}};
    nlohmann::ordered_json other = agent;
    other["id"] = "insight";
    return {{"agent_a", agent}, {"agent_b", other}, {"runs", {original_summary(r)}}};
}

/// summary.json of the program in Python: one run, whose efficiency is computed from the server's durations, which are
/// a second shorter than the agents'.
inline nlohmann::ordered_json python_summary_file(const original_run& r, const nlohmann::ordered_json& options) {
    const auto agent = [&options](double duration_s, double rate) -> nlohmann::ordered_json {
        return {{"base_url", "http://localhost:1"},
                {"options", options},
                {"response", "It is."},
                {"metrics",
                 {{"tokens_generated", 400},
                  {"throughput_tokens_per_sec", rate},
                  {"ttft_ms", 100.0},
                  {"total_duration_ms", duration_s * 1e3 - 1000},
                  {"wall_clock_ms", duration_s * 1e3}}}};
    };
    const double server_s = r.collector_s + r.insight_s - 2;
    nlohmann::ordered_json run{{"run_number", 1},
                               {"collector", agent(r.collector_s, r.collector_rate)},
                               {"insight", agent(r.insight_s, r.insight_rate)},
                               {"concurrent_wall_time_ms", r.wall_s * 1e3},
                               {"sequential_estimate_ms", server_s * 1e3},
                               {"efficiency_percent", server_s / r.wall_s / 2 * 100}};
    return {{"runs", {run}}};
}

} // namespace chimera::test
