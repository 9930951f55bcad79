// Runs in which alerts tripped, and what runs that last say about time.
#pragma once

#include "result/campaign_result.hpp"
#include "result/over_time.hpp"

#include <string>
#include <vector>

namespace chimera::host {

struct study;

/// A run in which limits of the profile did not hold.
struct alerted_run {
    std::string runtime, config;
    int run = 0;
    std::vector<alert_result> alerts;
};
template <>
inline constexpr auto
    fields_of<alerted_run> = field_list(field("runtime", &alerted_run::runtime), field("config", &alerted_run::config),
                                        field("run", &alerted_run::run), field("alerts", &alerted_run::alerts));

/// A run with a planned duration.
struct soaked_run {
    std::string runtime, config;
    int run = 0;
    over_time_result over_time;
};
template <>
inline constexpr auto
    fields_of<soaked_run> = field_list(field("runtime", &soaked_run::runtime), field("config", &soaked_run::config),
                                       field("run", &soaked_run::run), field("over_time", &soaked_run::over_time));

/// In the order of the study's runs.
std::vector<alerted_run> alerted_runs_of(const study&);
std::vector<soaked_run> soaked_runs_of(const study&);

/// A sentence for each alert that tripped, with the number of runs; and one for each runtime whose memory or latency
/// grows, or for all of them where none does.
std::vector<std::string> alert_findings(const std::vector<alerted_run>&);
std::vector<std::string> growth_findings(const std::vector<soaked_run>&);

} // namespace chimera::host
