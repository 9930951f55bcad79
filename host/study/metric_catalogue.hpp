// The metrics that a run can have, by the names that result files use: which there are and which way is better.
#pragma once

#include "study/study.hpp"

#include <string_view>
#include <vector>

namespace chimera::host {

enum class better { higher, lower, neither };

/// Which way of a metric is better; `neither` also for a metric that nobody knows.
better better_of(std::string_view metric);

/// Unit, definition and provenance of a metric as the study's files have them; of one that no run has, those of a
/// measurement with the provenance "not measured".
metric_definition definition_of(const study&, const std::string& metric);

/// The names of every metric that a full measurement has, and of every other one of the study, in the order in which
/// they are shown.
std::vector<std::string> metric_names(const study&);

/// Unit and definition as a measurement has them, with this provenance. Requires that a measurement has the metric.
metric_definition catalogued(std::string_view metric, std::string_view provenance);

} // namespace chimera::host
