// The report on a study: what Markdown, the HTML page, CSV and JSON show. A figure that was not measured is absent
// here, null in JSON, and "not measured" in every rendering. docs/report.md describes the JSON.
#pragma once

#include "result/run_result.hpp"
#include "result/sweep_result.hpp"
#include "statistics/two_samples.hpp"
#include "study/agents.hpp"
#include "study/alerts_report.hpp"
#include "study/answer.hpp"
#include "study/claims.hpp"
#include "study/cost.hpp"
#include "study/criteria.hpp"
#include "study/hypotheses.hpp"
#include "study/order.hpp"
#include "study/overview.hpp"
#include "study/provenance_report.hpp"
#include "study/recovery.hpp"
#include "study/stability.hpp"

namespace chimera::host {

inline constexpr int report_schema_version = 2;

template <>
inline constexpr auto words_of_enum<statistics::verdict> =
    std::array{std::pair{statistics::verdict::a_higher, "a_higher"},
               std::pair{statistics::verdict::b_higher, "b_higher"},
               std::pair{statistics::verdict::no_detectable_difference, "no_detectable_difference"},
               std::pair{statistics::verdict::too_few_runs, "too_few_runs"}};

struct method_report {
    int runs = 0;
    std::optional<std::int64_t> seed;
    std::optional<std::string> order, backend;
    std::vector<planned_runtime> runtimes;
    std::vector<planned_configuration> configs;
    std::vector<std::string> agents, sentences;
};
template <>
inline constexpr auto fields_of<method_report> =
    field_list(field("runs", &method_report::runs), field("seed", &method_report::seed),
               field("order", &method_report::order), field("backend", &method_report::backend),
               field("runtimes", &method_report::runtimes), field("configs", &method_report::configs),
               field("agents", &method_report::agents), field("sentences", &method_report::sentences));

struct failed_cell {
    std::string runtime, config;
    int run = 0;
    std::string status, message;
};
template <>
inline constexpr auto
    fields_of<failed_cell> = field_list(field("runtime", &failed_cell::runtime), field("config", &failed_cell::config),
                                        field("run", &failed_cell::run), field("status", &failed_cell::status),
                                        field("message", &failed_cell::message));

struct cells_report {
    std::size_t planned = 0, ok = 0, failed = 0, damaged = 0, not_needed = 0;
    std::vector<failed_cell> failures;
};
template <>
inline constexpr auto fields_of<cells_report> = field_list(field("planned", &cells_report::planned),
                                                           field("ok", &cells_report::ok),
                                                           field("failed", &cells_report::failed),
                                                           field("damaged", &cells_report::damaged),
                                                           field("not_needed", &cells_report::not_needed),
                                                           field("failures", &cells_report::failures));

/// One value for each run, described.
struct described {
    std::size_t n = 0;
    double mean = 0;
    std::optional<double> sd, cv_pct; ///< nothing for a single run
    double median = 0, q1 = 0, q3 = 0, min = 0, max = 0;
    std::optional<statistics::interval> ci95;
};
template <>
inline constexpr auto
    fields_of<described> = field_list(field("n", &described::n), field("mean", &described::mean),
                                      field("sd", &described::sd), field("cv_pct", &described::cv_pct),
                                      field("median", &described::median), field("q1", &described::q1),
                                      field("q3", &described::q3), field("min", &described::min),
                                      field("max", &described::max), field("ci95", &described::ci95));

struct outlier_report {
    std::string metric, config;
    int run = 0;
    double value = 0;
    std::vector<std::string> unusual; ///< what else stands out in the run (unusual_in)
};
template <>
inline constexpr auto fields_of<outlier_report> = field_list(field("metric", &outlier_report::metric),
                                                             field("config", &outlier_report::config),
                                                             field("run", &outlier_report::run),
                                                             field("value", &outlier_report::value),
                                                             field("unusual", &outlier_report::unusual));

/// One runtime over its successful runs. Members that end in _pct are of the headline.
struct runtime_report {
    std::string name;
    std::optional<std::string> executor, transport, foreign;
    std::size_t n = 0;
    std::optional<double> mean_pct, sd_pct, sd_of_config_means_pct, cv_pct, median_pct, min_pct, peak_pct;
    std::optional<statistics::interval> ci95_pct;
    std::vector<outlier_report> outliers;
    std::optional<double> estimated_mean_pct, imbalance_bound_mean_pct, remainder_mean_pct;
    std::vector<std::pair<std::string, std::optional<double>>> loss_pct;
    std::optional<std::size_t> serialized_runs;
    std::optional<std::string> cause, evidence; ///< of the first serialized run
    std::optional<std::size_t> client_limited_runs, arrival_limited_runs;
    std::vector<std::pair<std::string, described>> values; ///< of every figure that was measured
    std::size_t runs = 0;                                  ///< successful ones; not in JSON

    /// In most runs the agents ran one after the other.
    bool serialized() const { return serialized_runs.value_or(0) * 2 > runs; }
    const described* find(const std::string& figure_name) const {
        const auto found = std::ranges::find(values, figure_name, &std::pair<std::string, described>::first);
        return found == values.end() ? nullptr : &found->second;
    }
    const described* find(figure f) const { return find(name_of(f)); }
    /// Mean over the runs; nothing: not measured.
    std::optional<double> mean(figure f) const {
        const described* found = find(f);
        return found ? std::optional(found->mean) : std::nullopt;
    }
};
template <>
inline constexpr auto fields_of<runtime_report> = field_list(
    field("name", &runtime_report::name), field("executor", &runtime_report::executor),
    field("transport", &runtime_report::transport), field("foreign", &runtime_report::foreign),
    field("n", &runtime_report::n), field("mean_pct", &runtime_report::mean_pct),
    field("sd_pct", &runtime_report::sd_pct), field("sd_of_config_means_pct", &runtime_report::sd_of_config_means_pct),
    field("cv_pct", &runtime_report::cv_pct), field("median_pct", &runtime_report::median_pct),
    field("min_pct", &runtime_report::min_pct), field("peak_pct", &runtime_report::peak_pct),
    field("ci95_pct", &runtime_report::ci95_pct), field("outliers", &runtime_report::outliers),
    field("estimated_mean_pct", &runtime_report::estimated_mean_pct),
    field("imbalance_bound_mean_pct", &runtime_report::imbalance_bound_mean_pct),
    field("remainder_mean_pct", &runtime_report::remainder_mean_pct), field("loss_pct", &runtime_report::loss_pct),
    field("serialized_runs", &runtime_report::serialized_runs), field("cause", &runtime_report::cause),
    field("evidence", &runtime_report::evidence), field("client_limited_runs", &runtime_report::client_limited_runs),
    field("arrival_limited_runs", &runtime_report::arrival_limited_runs), field("values", &runtime_report::values));

/// The headline of one runtime in one configuration.
struct config_report {
    std::string runtime, config;
    std::size_t n = 0;
    std::optional<double> mean_pct, sd_pct;
    std::optional<statistics::interval> ci95_pct;
    std::optional<double> min_pct, peak_pct, median_pct;
};
template <>
inline constexpr auto fields_of<config_report> = field_list(
    field("runtime", &config_report::runtime), field("config", &config_report::config), field("n", &config_report::n),
    field("mean_pct", &config_report::mean_pct), field("sd_pct", &config_report::sd_pct),
    field("ci95_pct", &config_report::ci95_pct), field("min_pct", &config_report::min_pct),
    field("peak_pct", &config_report::peak_pct), field("median_pct", &config_report::median_pct));

struct welch_report {
    double t = 0, df = 0, p = 0;
};
template <>
inline constexpr auto fields_of<welch_report> = field_list(field("t", &welch_report::t), field("df", &welch_report::df),
                                                           field("p", &welch_report::p));

struct rank_report {
    double u = 0, p = 0;
    bool exact = false;
    std::optional<double> p_holm; ///< corrected over all pairs of the metric
};
template <>
inline constexpr auto fields_of<rank_report> = field_list(field("u", &rank_report::u), field("p", &rank_report::p),
                                                          field("exact", &rank_report::exact),
                                                          field("p_holm", &rank_report::p_holm));

/// a - b run by run, where both got the same requests: two runtimes of a sweep in the same run of a configuration. The
/// scatter from request to request is not in it, so it sees far smaller differences than the two samples do.
struct paired_report {
    std::size_t n = 0;
    double difference = 0;
    std::optional<statistics::interval> ci95;
};
template <>
inline constexpr auto fields_of<paired_report> = field_list(field("n", &paired_report::n),
                                                            field("difference", &paired_report::difference),
                                                            field("ci95", &paired_report::ci95));

/// Two runtimes, or two studies, by one metric.
struct comparison_report {
    std::string metric, unit, a, b;
    std::size_t n_a = 0, n_b = 0;
    double mean_a = 0, mean_b = 0, median_a = 0, median_b = 0, sd_a = 0, sd_b = 0;
    double difference = 0; ///< of the means, a - b
    std::optional<statistics::interval> ci95;
    std::optional<welch_report> welch;
    std::optional<rank_report> mann_whitney;
    std::optional<paired_report> paired;
    std::optional<double> cohens_d, hedges_g;
    /// The smallest difference that runs of this number and scatter show with a chance of 80 %, at the level that
    /// Holm's correction leaves for the first of its pairs.
    std::optional<double> detectable_difference;
    double p_holm = 1; ///< of Welch's test, corrected over all pairs of the metric
    statistics::verdict verdict = statistics::verdict::too_few_runs;
    std::string words; ///< one sentence

    /// The means differ.
    bool detectable() const noexcept {
        return verdict == statistics::verdict::a_higher || verdict == statistics::verdict::b_higher;
    }
    /// The means do not differ detectably, but the ranks do.
    bool ranks_differ() const noexcept {
        return verdict == statistics::verdict::no_detectable_difference && mann_whitney && mann_whitney->p_holm &&
               *mann_whitney->p_holm < statistics::significance_level;
    }
};
template <>
inline constexpr auto fields_of<comparison_report> = field_list(
    field("metric", &comparison_report::metric), field("unit", &comparison_report::unit),
    field("a", &comparison_report::a), field("b", &comparison_report::b), field("n_a", &comparison_report::n_a),
    field("n_b", &comparison_report::n_b), field("mean_a", &comparison_report::mean_a),
    field("mean_b", &comparison_report::mean_b), field("median_a", &comparison_report::median_a),
    field("median_b", &comparison_report::median_b), field("sd_a", &comparison_report::sd_a),
    field("sd_b", &comparison_report::sd_b), field("difference", &comparison_report::difference),
    field("ci95", &comparison_report::ci95), field("welch", &comparison_report::welch),
    field("mann_whitney", &comparison_report::mann_whitney), field("paired", &comparison_report::paired),
    field("cohens_d", &comparison_report::cohens_d), field("hedges_g", &comparison_report::hedges_g),
    field("detectable_difference", &comparison_report::detectable_difference),
    field("p_holm", &comparison_report::p_holm), field("verdict", &comparison_report::verdict),
    field("words", &comparison_report::words));

struct scaling_level {
    double n = 0; ///< agents
    std::size_t runs = 0;
    double throughput_mean = 0;
    std::optional<statistics::interval> throughput_ci95;
    std::optional<double> efficiency_mean_pct, jain;
};
template <>
inline constexpr auto
    fields_of<scaling_level> = field_list(field("n", &scaling_level::n), field("runs", &scaling_level::runs),
                                          field("throughput_mean", &scaling_level::throughput_mean),
                                          field("throughput_ci95", &scaling_level::throughput_ci95),
                                          field("efficiency_mean_pct", &scaling_level::efficiency_mean_pct),
                                          field("jain", &scaling_level::jain));

struct amdahl_report {
    double serial_fraction = 0, rate = 0, r2 = 0;
};
template <>
inline constexpr auto fields_of<amdahl_report> = field_list(field("serial_fraction", &amdahl_report::serial_fraction),
                                                            field("rate", &amdahl_report::rate),
                                                            field("r2", &amdahl_report::r2));

struct usl_report {
    double contention = 0, coherency = 0, rate = 0, r2 = 0;
    std::optional<double> peak_n;
};
template <>
inline constexpr auto fields_of<usl_report> = field_list(field("contention", &usl_report::contention),
                                                         field("coherency", &usl_report::coherency),
                                                         field("rate", &usl_report::rate), field("r2", &usl_report::r2),
                                                         field("peak_n", &usl_report::peak_n));

/// How the throughput of one runtime grows with the number of agents.
struct scaling_report {
    std::string runtime, series; ///< series: the other parameters, "think_ms=0"
    std::vector<scaling_level> points;
    std::optional<amdahl_report> amdahl;
    std::optional<usl_report> usl;
    std::optional<double> saturation_n; ///< nothing: not reached
};
template <>
inline constexpr auto fields_of<scaling_report> = field_list(field("runtime", &scaling_report::runtime),
                                                             field("series", &scaling_report::series),
                                                             field("points", &scaling_report::points),
                                                             field("amdahl", &scaling_report::amdahl),
                                                             field("usl", &scaling_report::usl),
                                                             field("saturation_n", &scaling_report::saturation_n));

struct level_report {
    json value;
    std::size_t n = 0;
    double mean = 0;
    std::optional<double> sd;
};
template <>
inline constexpr auto
    fields_of<level_report> = field_list(field("value", &level_report::value), field("n", &level_report::n),
                                         field("mean", &level_report::mean), field("sd", &level_report::sd));

/// How much a metric depends on a parameter.
struct parameter_report {
    std::string parameter, metric;
    std::vector<level_report> levels;
    std::optional<double> range_pct;
    double eta_squared = 0;
};
template <>
inline constexpr auto fields_of<parameter_report> = field_list(field("parameter", &parameter_report::parameter),
                                                               field("metric", &parameter_report::metric),
                                                               field("levels", &parameter_report::levels),
                                                               field("range_pct", &parameter_report::range_pct),
                                                               field("eta_squared", &parameter_report::eta_squared));

struct improved_config {
    std::string config;
    std::size_t n = 0;
    double mean = 0;
    std::optional<double> cv_pct, improvement_pct; ///< improvement_pct: nothing for the baseline
};
template <>
inline constexpr auto fields_of<improved_config> = field_list(
    field("config", &improved_config::config), field("n", &improved_config::n), field("mean", &improved_config::mean),
    field("cv_pct", &improved_config::cv_pct), field("improvement_pct", &improved_config::improvement_pct));

/// How many of some configurations are better than the baseline.
struct improved_group {
    std::string kind, name; ///< kind: "runtime", or the name of a parameter; name: of the runtime, or the level
    std::size_t configs = 0, better = 0;
};
template <>
inline constexpr auto fields_of<improved_group> = field_list(field("kind", &improved_group::kind),
                                                             field("name", &improved_group::name),
                                                             field("configs", &improved_group::configs),
                                                             field("better", &improved_group::better));

/// What the configurations gain over the one called "default" or "baseline" by one metric. A change is in percent of
/// the baseline's mean; peak_pct is the best one, which of a metric of time is the lowest.
struct improvement_report {
    std::string baseline, metric;
    double success_rate_pct = 0, peak_pct = 0, mean_pct = 0;
    std::vector<improved_config> by_config;
    std::vector<improved_group> groups;
};
template <>
inline constexpr auto fields_of<improvement_report> =
    field_list(field("baseline", &improvement_report::baseline), field("metric", &improvement_report::metric),
               field("success_rate_pct", &improvement_report::success_rate_pct),
               field("peak_pct", &improvement_report::peak_pct), field("mean_pct", &improvement_report::mean_pct),
               field("by_config", &improvement_report::by_config), field("groups", &improvement_report::groups));

/// A metric of requests over all runs of a runtime, as its hundredths.
struct distribution_report {
    std::string runtime, metric;
    std::size_t n = 0;
    double mean = 0, sd = 0;
    std::vector<std::array<double, 2>> quantiles; ///< {p, value} for p = 0, 0.01, ..., 1
};
template <>
inline constexpr auto fields_of<distribution_report> = field_list(field("runtime", &distribution_report::runtime),
                                                                  field("metric", &distribution_report::metric),
                                                                  field("n", &distribution_report::n),
                                                                  field("mean", &distribution_report::mean),
                                                                  field("sd", &distribution_report::sd),
                                                                  field("quantiles", &distribution_report::quantiles));

/// Moments in ms since the execution began.
struct reported_request {
    std::string call;
    bool ok = false;
    std::optional<double> dispatched_ms, first_token_ms, last_token_ms, done_ms, tokens;
    std::uint64_t hidden_tokens = 0;
    std::optional<std::int64_t> prompt_tokens;
};
template <>
inline constexpr auto fields_of<reported_request> =
    field_list(field("call", &reported_request::call), field("ok", &reported_request::ok),
               field("dispatched_ms", &reported_request::dispatched_ms),
               field("first_token_ms", &reported_request::first_token_ms),
               field("last_token_ms", &reported_request::last_token_ms), field("done_ms", &reported_request::done_ms),
               field("tokens", &reported_request::tokens), field("hidden_tokens", &reported_request::hidden_tokens),
               field("prompt_tokens", &reported_request::prompt_tokens));

struct reported_agent {
    std::string id;
    std::optional<std::string> model;
    std::optional<double> start_ms, end_ms;
    std::vector<reported_request> requests;
};
template <>
inline constexpr auto fields_of<reported_agent> = field_list(field("id", &reported_agent::id),
                                                             field("model", &reported_agent::model),
                                                             field("start_ms", &reported_agent::start_ms),
                                                             field("end_ms", &reported_agent::end_ms),
                                                             field("requests", &reported_agent::requests));

struct reported_run {
    std::string runtime, config;
    int run = 0;
    std::string status;
    std::optional<std::string> message; ///< why it is not ok
    std::vector<std::pair<std::string, double>> values;
    std::optional<serialization_verdict> serialization;
    std::optional<std::vector<std::string>> client_limited, arrival_limited; ///< nothing: not checked
    std::vector<counted_remark> remarks;
    std::vector<reported_agent> agents;

    std::optional<double> value(const std::string& figure_name) const {
        const auto found = std::ranges::find(values, figure_name, &std::pair<std::string, double>::first);
        return found == values.end() ? std::nullopt : std::optional(found->second);
    }
};
template <>
inline constexpr auto fields_of<reported_run> = field_list(
    field("runtime", &reported_run::runtime), field("config", &reported_run::config), field("run", &reported_run::run),
    field("status", &reported_run::status), field("message", &reported_run::message).left_out(),
    field("values", &reported_run::values), field("serialization", &reported_run::serialization),
    field("client_limited", &reported_run::client_limited), field("arrival_limited", &reported_run::arrival_limited),
    field("remarks", &reported_run::remarks), field("agents", &reported_run::agents));

struct study_report {
    int schema_version = report_schema_version;
    std::string kind = "report", name, title;
    std::optional<std::string> description;
    std::string question, source, generated_by;
    method_report method;
    std::optional<provenance_report> origin;                        ///< nothing: no run says where it comes from
    std::vector<std::pair<std::string, figure_definition>> metrics; ///< every figure that the report may name
    cells_report cells;
    std::vector<std::string> damage;
    std::string headline; ///< headline_of() the study
    answer_report answer;
    std::vector<overview_row> overview;
    std::vector<decision_row> decisions; ///< which runtime is best by which metric
    std::optional<recovery_report> recovery;
    std::vector<runtime_report> runtimes;
    std::vector<config_report> configs;
    std::vector<ranked_config> ranked_configs;
    std::vector<stability_report> stability;
    order_report order;
    std::vector<agent_figures> agents;
    std::vector<agent_delta> agent_deltas;
    std::vector<parity_report> parity;
    std::vector<comparison_report> comparisons;
    std::vector<scaling_report> scaling;
    std::vector<parameter_report> parameters;
    std::vector<improvement_report> improvements;
    std::vector<alerted_run> alerts; ///< runs in which alerts tripped
    std::vector<soaked_run> soak;    ///< runs with a planned duration
    claims_report claims;            // these five: of the study's questions
    std::vector<judged_hypothesis> hypotheses;
    std::vector<judged_criterion> criteria;
    std::vector<judged_reference> references;
    std::vector<cost_report> costs;
    std::vector<std::string> findings; ///< the largest first
    std::vector<std::string> limits, repeat;
    std::vector<distribution_report> distributions;
    std::vector<reported_run> runs;

    const figure_definition* definition(const std::string& metric) const {
        const auto found = std::ranges::find(metrics, metric, &std::pair<std::string, figure_definition>::first);
        return found == metrics.end() ? nullptr : &found->second;
    }
};
template <>
inline constexpr auto fields_of<study_report> =
    field_list(field("schema_version", &study_report::schema_version), field("kind", &study_report::kind),
               field("name", &study_report::name), field("title", &study_report::title),
               field("description", &study_report::description), field("question", &study_report::question),
               field("source", &study_report::source), field("generated_by", &study_report::generated_by),
               field("method", &study_report::method), field("provenance", &study_report::origin),
               field("metrics", &study_report::metrics), field("cells", &study_report::cells),
               field("damage", &study_report::damage), field("headline", &study_report::headline),
               field("answer", &study_report::answer), field("overview", &study_report::overview),
               field("decisions", &study_report::decisions), field("recovery", &study_report::recovery),
               field("runtimes", &study_report::runtimes), field("configs", &study_report::configs),
               field("ranked_configs", &study_report::ranked_configs), field("stability", &study_report::stability),
               field("order", &study_report::order), field("agents", &study_report::agents),
               field("agent_deltas", &study_report::agent_deltas), field("parity", &study_report::parity),
               field("comparisons", &study_report::comparisons), field("scaling", &study_report::scaling),
               field("parameters", &study_report::parameters), field("improvements", &study_report::improvements),
               field("alerts", &study_report::alerts).left_out(), field("soak", &study_report::soak).left_out(),
               field("claims", &study_report::claims), field("hypotheses", &study_report::hypotheses),
               field("criteria", &study_report::criteria), field("references", &study_report::references),
               field("costs", &study_report::costs), field("findings", &study_report::findings),
               field("limits", &study_report::limits), field("repeat", &study_report::repeat),
               field("distributions", &study_report::distributions), field("runs", &study_report::runs));

} // namespace chimera::host
