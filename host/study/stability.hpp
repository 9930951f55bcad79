// How much the headline of a runtime scatters within a configuration and between configurations, which configurations
// are best, and the causes of runs that stand out.
#pragma once

#include "result/json_fields.hpp"
#include "study/study.hpp"

namespace chimera::host {

struct config_scatter {
    std::string config;
    double sd_pct = 0;
};
template <>
inline constexpr auto fields_of<config_scatter> = field_list(field("config", &config_scatter::config),
                                                             field("sd_pct", &config_scatter::sd_pct));

/// The two deviations are different things, and reports mix them up: sd_within_pct is that of runs which differ in
/// nothing, sd_of_config_means_pct is how much configurations differ.
struct stability_report {
    std::string runtime;
    std::optional<double> sd_within_pct; ///< root of the mean variance within configurations, weighted by runs - 1
    std::optional<double> sd_of_config_means_pct;
    std::optional<config_scatter> most_stable, least_stable; ///< by the deviation within the configuration
};
template <>
inline constexpr auto fields_of<stability_report> = field_list(
    field("runtime", &stability_report::runtime), field("sd_within_pct", &stability_report::sd_within_pct),
    field("sd_of_config_means_pct", &stability_report::sd_of_config_means_pct),
    field("most_stable", &stability_report::most_stable), field("least_stable", &stability_report::least_stable));

/// A configuration of one runtime; rank 1 has the highest mean of that runtime.
struct ranked_config {
    std::string runtime, config;
    std::size_t rank = 0, n = 0;
    double mean_pct = 0;
    std::optional<double> sd_pct;
    double speedup = 0; ///< N x mean / 100: agents that are so efficient are so much faster than one after the other
};
template <>
inline constexpr auto fields_of<ranked_config> = field_list(
    field("runtime", &ranked_config::runtime), field("config", &ranked_config::config),
    field("rank", &ranked_config::rank), field("n", &ranked_config::n), field("mean_pct", &ranked_config::mean_pct),
    field("sd_pct", &ranked_config::sd_pct), field("speedup", &ranked_config::speedup));

/// Of every runtime with two configurations or more, and two runs in one of them.
std::vector<stability_report> stability_of(const study&);
/// By runtime, best first.
std::vector<ranked_config> ranked_configs_of(const study&);

/// What was unusual in a run, as clauses: "insight replied with 62 tokens (median 410)", "the server loaded its model
/// for 5.1 s (collector)". Empty: nothing that was recorded. Requires that the requests were read.
std::vector<std::string> unusual_in(const study_run&, const study&);

} // namespace chimera::host
