// The files of the original programs, member by member.
#pragma once

#include "result/json_fields.hpp"

namespace chimera::host {

struct original_config {
    std::string id, model;
    json options;
};
template <>
inline constexpr auto fields_of<original_config> = std::tuple(field("id", &original_config::id),
                                                              field("model", &original_config::model).defaulted(),
                                                              field("options", &original_config::options));

struct original_call {
    double total_duration_ms = 0, tokens_generated = 0, ttft_ms = 0, throughput_tokens_per_sec = 0;
};
template <>
inline constexpr auto fields_of<original_call> =
    std::tuple(field("total_duration_ms", &original_call::total_duration_ms),
               field("tokens_generated", &original_call::tokens_generated), field("ttft_ms", &original_call::ttft_ms),
               field("throughput_tokens_per_sec", &original_call::throughput_tokens_per_sec));

struct original_calls {
    std::string timestamp;
    std::vector<original_call> individual_runs;
};
template <>
inline constexpr auto fields_of<original_calls> = std::tuple(field("timestamp", &original_calls::timestamp).defaulted(),
                                                             field("individual_runs",
                                                                   &original_calls::individual_runs));

struct original_agent {
    original_config config;
    double execution_time_s = 0;
    original_calls result;
};
template <>
inline constexpr auto fields_of<original_agent> = std::tuple(field("config", &original_agent::config),
                                                             field("execution_time_s",
                                                                   &original_agent::execution_time_s),
                                                             field("result", &original_agent::result));

/// The figures of a run as a whole.
struct original_totals {
    double concurrent_wall_time_s = 0, sequential_estimated_s = 0, efficiency_percent = 0;
    std::optional<bool> resource_contention_detected;
};
template <>
inline constexpr auto fields_of<original_totals> =
    std::tuple(field("concurrent_wall_time_s", &original_totals::concurrent_wall_time_s),
               field("sequential_estimated_s", &original_totals::sequential_estimated_s),
               field("efficiency_percent", &original_totals::efficiency_percent),
               field("resource_contention_detected", &original_totals::resource_contention_detected));

/// metrics.json of a run.
struct original_metrics {
    original_totals summary;
    original_agent collector, insight;
};
template <>
inline constexpr auto fields_of<original_metrics> = std::tuple(field("summary", &original_metrics::summary),
                                                               field("collector", &original_metrics::collector),
                                                               field("insight", &original_metrics::insight));

/// A run of summary.json: its totals, and one figure of each kind for each agent.
struct original_summary_run : original_totals {
    int run_number = 0;
    double collector_ttft_ms = 0, collector_throughput = 0, insight_ttft_ms = 0, insight_throughput = 0;
};
template <>
inline constexpr auto fields_of<original_summary_run> = std::tuple_cat(
    fields_of<original_totals>, std::tuple(field("run_number", &original_summary_run::run_number),
                                           field("collector_ttft_ms", &original_summary_run::collector_ttft_ms),
                                           field("collector_throughput", &original_summary_run::collector_throughput),
                                           field("insight_ttft_ms", &original_summary_run::insight_ttft_ms),
                                           field("insight_throughput", &original_summary_run::insight_throughput)));

struct original_summary {
    original_config agent_a, agent_b;
    std::vector<original_summary_run> runs;
};
template <>
inline constexpr auto fields_of<original_summary> = std::tuple(field("agent_a", &original_summary::agent_a),
                                                               field("agent_b", &original_summary::agent_b),
                                                               field("runs", &original_summary::runs));

} // namespace chimera::host
