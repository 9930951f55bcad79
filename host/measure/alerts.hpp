// The limits of [alerts], compared with the measured figures.
#pragma once

#include "measure/metrics.hpp"
#include "profile/profile.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace chimera::host {

/// One kind of alert: a figure of a metric against a limit of the profile.
struct alert_rule {
    std::string_view name, unit; ///< name: the key in [alerts]
    std::optional<double> alert_spec::*limit;
    std::optional<metric> of;                ///< nothing: the requests that failed, or the growth of memory
    bool at_least;                           ///< the limit is a minimum
    double statistics::description::*figure; ///< the number that the limit is for; null where `of` is nothing
    double allowed = 0;              ///< the part of the samples that may lie beyond the limit; 0: not judged by parts
    std::size_t samples_to_warn = 1; ///< before there are so many, nothing is said during a run
    bool of_growth = false;          ///< of memory, in the run in which it grew most; 0 where no growth is detectable
};

/// Every kind there is.
inline constexpr std::size_t alert_rule_count = 10;
std::span<const alert_rule, alert_rule_count> alert_rules();

struct alert_outcome {
    const alert_rule* rule;
    double limit;
    std::optional<double> value; ///< nothing: not measured
    std::size_t samples = 0;     ///< that the value comes from
    bool tripped = false;        ///< the value lies beyond the limit
};

/// The limits that are set, in the order of the rules. metrics: those of the runs. The error rate counts the requests
/// of all executions, everything else comes from the metrics.
std::vector<alert_outcome> judge_alerts(const alert_spec&, std::span<const run_record>, const campaign_metrics&);

} // namespace chimera::host
