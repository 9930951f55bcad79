// The metrics of all runs of one profile, by name, with their units: what summaries, files and reports show.
#pragma once

#include "measure/attribution.hpp"
#include "measure/serialization.hpp"
#include "statistics/description.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::host {

/// How a figure came about: read from a clock or a counter, computed from such readings by its definition, or guessed
/// from a part of what it stands for.
enum class provenance { measured, derived, estimated };

/// "measured", "derived", "estimated".
const char* name_of(provenance) noexcept;

/// What there is one value of: a run, or a request or a piece of a body (many in a run, pooled).
enum class metric_level { per_run, per_request };

/// One metric. `definition` is printed wherever the figure is.
struct metric {
    std::string_view name, unit, definition;
    provenance from;
    metric_level level;
    statistics::description values;
};

/// Metrics of runs (one value a run in which every agent succeeded), of requests (one value a successful request of a
/// concurrent execution) and of pieces of bodies (pooled). A metric without a value is there with n = 0: it was not
/// measured.
std::vector<metric> metrics_of(const std::vector<run_record>&);
/// The same for a single run, which is not copied.
std::vector<metric> metrics_of_run(const run_record&);

/// One number of a run. Of a metric of requests there are four: <name>_mean, _p50, _p95 and _p99.
struct run_value {
    std::string name;
    const metric* of; ///< its definition
    double value;
};

/// Every figure of the metrics of a single run; what was not measured is not there. The metrics must outlive it.
std::vector<run_value> values_of(const std::vector<metric>& of_one_run);

/// The metric of that name; requires that it exists.
const statistics::description& find(const std::vector<metric>&, std::string_view name);

/// The verdict on all runs: serialized when most of them are, with the evidence of the first such run. Nothing where no
/// run of two or more agents was complete.
std::optional<serialization_verdict> judge_serialization(const std::vector<run_record>&, const std::string& executor);

} // namespace chimera::host
