// Finds out what a folder of results is and reads it.
#pragma once

#include "study/results_json.hpp"
#include "study/study.hpp"

namespace chimera::host {

inline constexpr std::int64_t readable_sweep_version = 1;   ///< of sweep.json
inline constexpr std::int64_t readable_summary_version = 2; ///< of summary.json

/// Reads results:
///  - a folder with sweep.json: a sweep, its finished cells as cells.jsonl has them;
///  - a folder with summary.json: a campaign, all of its run_N; one without metrics.json that the summary does not list
///    did not finish and counts as crashed;
///  - a summary.json: the runs that it lists;
///  - a folder with metrics.json: a single run.
/// A run whose files are missing, damaged, or not those that the journal or the summary recorded is a damaged run: it
/// is in no figure, and damage_of() names it. Throws study_error with every fault found where sweep.json or
/// summary.json cannot be read, no run is left, or the runs are of mixed schema versions.
study load_study(const std::filesystem::path&);

} // namespace chimera::host
