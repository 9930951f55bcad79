// The metrics of all runs of one profile, by name, with their units: what summaries, files and reports show.
#pragma once

#include "measure/attribution.hpp"
#include "measure/distribution.hpp"
#include "measure/serialization.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::host {

/// One metric. `definition` is printed wherever the figure is.
struct metric {
    std::string_view name, unit, definition;
    distribution values;
};

/// Metrics of runs (one value a run in which every agent succeeded), of requests (one value a successful request of a
/// concurrent execution) and of pieces of bodies (pooled). A metric without a value is there with n = 0: it was not
/// measured.
std::vector<metric> metrics_of(const std::vector<run_record>&);

/// The metric of that name; requires that it exists.
const distribution& find(const std::vector<metric>&, std::string_view name);

/// The verdict on all runs: serialized when most of them are, with the evidence of the first such run. Nothing where no
/// run of two or more agents was complete.
std::optional<serialization_verdict> judge_serialization(const std::vector<run_record>&, const std::string& executor);

} // namespace chimera::host
