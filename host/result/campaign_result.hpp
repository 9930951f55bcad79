// summary.json, which is also the answer of `run --json`: the runs of one profile, put together.
#pragma once

#include "result/run_result.hpp"

namespace chimera::host {

inline constexpr int campaign_schema_version = 3;
inline constexpr int oldest_campaign_schema_version = 2;

/// A request or an agent that failed.
struct failure_result {
    int run = 0;           ///< 0: the warm-up
    std::string execution; ///< "together", or "alone"
    std::string agent, call, message;
};
template <>
inline constexpr auto
    fields_of<failure_result> = field_list(field("run", &failure_result::run, "", "0: the warm-up"),
                                           field("execution", &failure_result::execution, "", "alone or together"),
                                           field("agent", &failure_result::agent), field("call", &failure_result::call),
                                           field("message", &failure_result::message));

/// A limit of [alerts], and the value that it is for.
struct alert_result {
    std::string alert, unit;
    double limit = 0;
    std::optional<double> value; ///< nothing: not measured
    std::size_t samples = 0;     ///< that the value comes from
    bool tripped = false;        ///< the value lies beyond the limit
};
template <>
inline constexpr auto fields_of<alert_result> =
    field_list(field("alert", &alert_result::alert, "", "its key in the profile"), field("unit", &alert_result::unit),
               field("limit", &alert_result::limit), field("value", &alert_result::value),
               field("samples", &alert_result::samples, "", "values that it comes from"),
               field("tripped", &alert_result::tripped, "", "the value lies beyond the limit"));

/// "ttft_p95_ms: 1240 ms, the limit is 1000 ms".
std::string in_words(const alert_result&);

/// A metric over all runs. With n = 0, not measured, there are no other figures.
struct metric_result {
    std::string unit, provenance;
    std::size_t n = 0;
    std::optional<double> mean, std, min, p50, p90, p95, p99, max;
    std::string definition;
};
template <>
inline constexpr auto fields_of<metric_result> =
    field_list(field("unit", &metric_result::unit),
               field("provenance", &metric_result::provenance, "", "measured, derived or estimated"),
               field("n", &metric_result::n, "", "values; 0: not measured"), field("mean", &metric_result::mean),
               field("std", &metric_result::std, "", "sample standard deviation"), field("min", &metric_result::min),
               field("p50", &metric_result::p50), field("p90", &metric_result::p90), field("p95", &metric_result::p95),
               field("p99", &metric_result::p99), field("max", &metric_result::max),
               field("definition", &metric_result::definition));

/// Whether a run's memory and latencies grew while it lasted.
struct run_growth {
    int run = 0;
    growth_result growth;
};
template <>
inline constexpr auto fields_of<run_growth> = field_list(field("run", &run_growth::run),
                                                         field("growth", &run_growth::growth, "", "per hour"));

struct campaign_result {
    int schema_version = campaign_schema_version;
    std::string profile, config, config_hash, executor;
    std::optional<std::string> foreign;
    std::string transport, api, backend;
    std::optional<std::string> coordinator; ///< nothing: the agents do not coordinate
    std::optional<std::int64_t> seed;
    std::size_t runs = 0, complete_runs = 0;
    std::vector<std::string> run_folders;
    int runs_planned = 0;
    bool interrupted = false;
    std::optional<campaign_provenance> origin; ///< nothing: not recorded
    std::vector<std::string> agents;
    std::string tokens_from;
    std::size_t requests = 0, failed_requests = 0;
    std::vector<failure_result> errors;
    std::vector<std::string> warnings;
    std::vector<alert_result> alerts;
    std::vector<run_growth> over_time;                  ///< of runs with a planned duration
    std::optional<serialization_verdict> serialization; ///< nothing: no complete run of two agents or more
    std::optional<self_check> client;                   ///< nothing: pieces of bodies were not timed
    std::vector<std::pair<std::string, metric_result>> metrics;
    json questions; ///< a question_set (host/questions); null: none
    std::string files;
    std::map<std::string, std::string> run_crc32;
};
template <>
inline constexpr auto fields_of<campaign_result> = field_list(
    field("schema_version", &campaign_result::schema_version, "", "3; 2 is still read"),
    field("profile", &campaign_result::profile, "", "name of the profile"),
    field("config", &campaign_result::config, "", "name of the configuration"),
    field("config_hash", &campaign_result::config_hash, "", "hash of the resolved profile").defaulted(),
    field("executor", &campaign_result::executor),
    field("foreign", &campaign_result::foreign, "", "foreign executor of a bridge"),
    field("transport", &campaign_result::transport, "", "empty: the agents call no server"),
    field("coordinator", &campaign_result::coordinator, "", "of agents that coordinate").left_out(),
    field("api", &campaign_result::api).defaulted(),
    field("backend", &campaign_result::backend, "", "simulator, server, mixed or none").defaulted(),
    field("seed", &campaign_result::seed), field("runs", &campaign_result::runs, "", "that ended").defaulted(),
    field("complete_runs", &campaign_result::complete_runs, "", "without a failed request: only they have figures")
        .defaulted(),
    field("run_folders", &campaign_result::run_folders, "", "of this campaign").defaulted(),
    field("runs_planned", &campaign_result::runs_planned),
    field("interrupted", &campaign_result::interrupted).defaulted(),
    field("provenance", &campaign_result::origin, "", "where it comes from: machine, build, plugins, servers")
        .left_out(),
    field("agents", &campaign_result::agents).defaulted(),
    field("tokens_from", &campaign_result::tokens_from, "", "who counted tokens: server, content records or mixed")
        .defaulted(),
    field("requests", &campaign_result::requests, "", "in all executions").defaulted(),
    field("failed_requests", &campaign_result::failed_requests).defaulted(),
    field("errors", &campaign_result::errors, "", "one for each request or agent that failed").defaulted(),
    field("warnings", &campaign_result::warnings, "", "reasons why a figure may mislead"),
    field("alerts", &campaign_result::alerts, "", "limits that the profile sets").defaulted(),
    field("over_time", &campaign_result::over_time, "", "of runs with a planned duration").left_out(),
    field("serialization", &campaign_result::serialization, "", "did the agents run side by side?"),
    field("self_check", &campaign_result::client, "", "could the client have changed the result?"),
    field("metrics", &campaign_result::metrics, "", "each metric over all runs").defaulted(),
    field("questions", &campaign_result::questions, "",
          "claims, hypotheses, criteria, references and cost of the profile")
        .left_out(),
    field("files", &campaign_result::files, "", "the result folder").defaulted(),
    field("run_crc32", &campaign_result::run_crc32, "", "seal of each run's metrics.json; only in the file")
        .left_out());

} // namespace chimera::host
