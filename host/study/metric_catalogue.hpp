// The metrics that a run can have: which there are, in which order they are shown, and which way is better.
#pragma once

#include "study/study.hpp"

#include <string_view>
#include <vector>

namespace chimera::host {

enum class better { higher, lower, neither };

/// Which way of a metric is better; `neither` also for a metric that nobody knows.
better better_of(std::string_view metric);

/// Unit, definition and provenance of a metric as the study's files have them; of one that no run has, those of the
/// catalogue with the provenance "not measured".
metric_definition definition_of(const study&, const std::string& metric);

/// The names of every metric of the study and of every one that a full measurement would have, in the order in which
/// they are shown.
std::vector<std::string> metrics_of(const study&);

/// Unit and definition by the catalogue, with this provenance. Requires that the catalogue has the metric.
metric_definition catalogued(std::string_view metric, std::string_view provenance);

} // namespace chimera::host
