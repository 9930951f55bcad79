// The files of the original programs, member by member.
#pragma once

#include "result/json_fields.hpp"

namespace chimera::host {

struct original_config {
    std::string id, model, base_url, prompt;
    json options;
};
template <>
inline constexpr auto fields_of<original_config> = field_list(field("id", &original_config::id),
                                                              field("model", &original_config::model).defaulted(),
                                                              field("base_url", &original_config::base_url).defaulted(),
                                                              field("prompt", &original_config::prompt).defaulted(),
                                                              field("options", &original_config::options));

/// total_duration_ms is by the client's clock; the other durations are the server's, from its final record.
struct original_call {
    double total_duration_ms = 0, tokens_generated = 0, ttft_ms = 0, throughput_tokens_per_sec = 0;
    std::optional<double> load_duration_ms, prompt_eval_duration_ms, eval_duration_ms;
};
template <>
inline constexpr auto
    fields_of<original_call> = field_list(field("total_duration_ms", &original_call::total_duration_ms),
                                          field("tokens_generated", &original_call::tokens_generated),
                                          field("ttft_ms", &original_call::ttft_ms),
                                          field("throughput_tokens_per_sec", &original_call::throughput_tokens_per_sec),
                                          field("load_duration_ms", &original_call::load_duration_ms),
                                          field("prompt_eval_duration_ms", &original_call::prompt_eval_duration_ms),
                                          field("eval_duration_ms", &original_call::eval_duration_ms));

struct original_system {
    std::optional<std::string> hostname, os, arch, rust_version;
};
template <>
inline constexpr auto fields_of<original_system> = field_list(field("hostname", &original_system::hostname),
                                                              field("os", &original_system::os),
                                                              field("arch", &original_system::arch),
                                                              field("rust_version", &original_system::rust_version));

struct original_calls {
    std::string timestamp; ///< when they had ended, in UTC
    std::optional<original_system> system_info;
    std::vector<original_call> individual_runs;
};
template <>
inline constexpr auto fields_of<original_calls> = field_list(field("timestamp", &original_calls::timestamp).defaulted(),
                                                             field("system_info", &original_calls::system_info),
                                                             field("individual_runs",
                                                                   &original_calls::individual_runs));

struct original_agent {
    original_config config;
    double execution_time_s = 0;
    original_calls result;
};
template <>
inline constexpr auto fields_of<original_agent> = field_list(field("config", &original_agent::config),
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
    field_list(field("concurrent_wall_time_s", &original_totals::concurrent_wall_time_s),
               field("sequential_estimated_s", &original_totals::sequential_estimated_s),
               field("efficiency_percent", &original_totals::efficiency_percent),
               field("resource_contention_detected", &original_totals::resource_contention_detected));

/// metrics.json of a run.
struct original_metrics {
    original_totals summary;
    original_agent collector, insight;
};
template <>
inline constexpr auto fields_of<original_metrics> = field_list(field("summary", &original_metrics::summary),
                                                               field("collector", &original_metrics::collector),
                                                               field("insight", &original_metrics::insight));

/// A run of summary.json: its totals, and one figure of each kind for each agent.
struct original_summary_run : original_totals {
    int run_number = 0;
    double collector_ttft_ms = 0, collector_throughput = 0, insight_ttft_ms = 0, insight_throughput = 0;
};
template <>
inline constexpr auto fields_of<original_summary_run> =
    field_list_after(fields_of<original_totals>, field("run_number", &original_summary_run::run_number),
                     field("collector_ttft_ms", &original_summary_run::collector_ttft_ms),
                     field("collector_throughput", &original_summary_run::collector_throughput),
                     field("insight_ttft_ms", &original_summary_run::insight_ttft_ms),
                     field("insight_throughput", &original_summary_run::insight_throughput));

/// summary.json of the programs in Rust.
struct original_summary {
    original_config agent_a, agent_b;
    std::string generated_at; ///< after the last run, in UTC
    std::vector<original_summary_run> runs;
};
template <>
inline constexpr auto fields_of<original_summary> = field_list(
    field("agent_a", &original_summary::agent_a), field("agent_b", &original_summary::agent_b),
    field("generated_at", &original_summary::generated_at).defaulted(), field("runs", &original_summary::runs));

// ---- summary.json of the programs in Python: agents are in the runs

/// wall_clock_ms is the agent's time; total_duration_ms is the server's.
struct python_metrics {
    double tokens_generated = 0, throughput_tokens_per_sec = 0, ttft_ms = 0, total_duration_ms = 0, wall_clock_ms = 0;
};
template <>
inline constexpr auto fields_of<python_metrics> = field_list(
    field("tokens_generated", &python_metrics::tokens_generated),
    field("throughput_tokens_per_sec", &python_metrics::throughput_tokens_per_sec),
    field("ttft_ms", &python_metrics::ttft_ms), field("total_duration_ms", &python_metrics::total_duration_ms),
    field("wall_clock_ms", &python_metrics::wall_clock_ms));

struct python_agent {
    std::string base_url, response;
    json options;
    python_metrics metrics;
};
template <>
inline constexpr auto fields_of<python_agent> = field_list(field("base_url", &python_agent::base_url).defaulted(),
                                                           field("options", &python_agent::options),
                                                           field("response", &python_agent::response).defaulted(),
                                                           field("metrics", &python_agent::metrics));

struct python_run {
    int run_number = 0;
    python_agent collector, insight;
    double concurrent_wall_time_ms = 0, sequential_estimate_ms = 0, efficiency_percent = 0;
};
template <>
inline constexpr auto fields_of<python_run> = field_list(
    field("run_number", &python_run::run_number), field("collector", &python_run::collector),
    field("insight", &python_run::insight), field("concurrent_wall_time_ms", &python_run::concurrent_wall_time_ms),
    field("sequential_estimate_ms", &python_run::sequential_estimate_ms),
    field("efficiency_percent", &python_run::efficiency_percent));

struct python_summary {
    std::vector<python_run> runs;
};
template <>
inline constexpr auto fields_of<python_summary> = field_list(field("runs", &python_summary::runs));

} // namespace chimera::host
