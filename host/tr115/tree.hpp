// Where the runs of the original results are.
#pragma once

#include "tr115/place.hpp"

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace chimera::host {

/// One run of the originals.
struct tr115_run {
    std::string runtime, phase, model, config; ///< as its folders say it
    int number = 0;
    std::filesystem::path file; ///< its metrics.json; or the summary.json that alone knows it
    int summary_run = 0;        ///< run_number in that summary.json; 0: file is a metrics.json
    std::filesystem::path tree; ///< that it was found in
};

struct tr115_runs {
    std::vector<tr115_run> runs; ///< runtimes in the order of the published table, then by phase, configuration, number
    std::vector<std::string> left_out; ///< a sentence for each metrics.json and summary.json that is none of a run
};

/// Walks all trees. A run is counted once: a summary.json gives only the runs that have no metrics.json. Where there
/// are several trees, the phase begins with the tree's name; a phase that all runs share is dropped.
///
/// Throws results_error if a tree is not a folder or lies in another one, if there is no run, if a named runtime has
/// none, if two metrics.json are the same run, in one tree or in two, or if a summary.json cannot be read and nothing
/// else describes its run.
tr115_runs find_tr115_runs(std::span<const std::filesystem::path> trees, const std::vector<named_runtime>&);

} // namespace chimera::host
