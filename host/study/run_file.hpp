// metrics.json and requests.jsonl of one run.
#pragma once

#include "report/run_check.hpp"
#include "study/results_json.hpp"
#include "study/study.hpp"

namespace chimera::host {

inline constexpr std::int64_t readable_run_version = 2; ///< of metrics.json

/// Throws study_error where the schema_version of a results file is not the readable one.
void check_version(const results_object&, std::int64_t readable);

/// What metrics.json says of the run as a whole, for results that have nothing else that would.
struct run_origin {
    std::string profile, config, executor, transport, source; ///< config: by the folder where the file has none
    std::optional<std::int64_t> seed;
};

/// Reads the metrics.json of one run after another and remembers what they have in common.
class run_reader {
  public:
    /// Fills values, agents and verdicts of a run from the metrics.json of its folder; where that is incomplete, status
    /// and message too. Checks the run's files, requests.jsonl too, against their seals and these claims. Throws
    /// study_error; also for a schema version that cannot be read. What was filled in by then is of no use.
    run_origin read(study_run&, const run_claims& = {});

    /// How many files had which schema version.
    const std::map<std::int64_t, std::size_t>& versions() const { return versions_; }
    /// Of every metric of the runs that were read.
    const std::map<std::string, metric_definition>& definitions() const { return definitions_; }

  private:
    std::map<std::int64_t, std::size_t> versions_;
    std::map<std::string, metric_definition> definitions_;
};

/// Fills the requests of the agents, and the gaps between content records, of each complete run from the requests.jsonl
/// of its folder. A run whose requests cannot be used becomes a damaged run. Throws study_error where no other is left.
void read_requests(study&);

/// Takes all figures from a run, whose files are not what they should be.
void mark_damaged(study_run&, std::string message);

/// Throws study_error with all damage where the study has damaged runs and no others.
void check_something_left(const study&);

} // namespace chimera::host
