// Where the runs of an original results tree are.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace chimera::host {

/// One run of the originals.
struct tr115_run {
    std::string runtime, config;
    int number = 0;
    std::filesystem::path file; ///< its metrics.json; or the summary.json that alone knows it
    int summary_run = 0;        ///< run_number in that summary.json; 0: file is a metrics.json
};

struct tr115_tree {
    std::vector<tr115_run> runs; ///< runtimes in the order of the published table, then by configuration and number
    std::vector<std::string> left_out; ///< a sentence for each metrics.json and summary.json that is none of a run
};

/// Walks a tree. A run is counted once: a summary.json gives only the runs that have no metrics.json. Throws
/// results_error if the tree is not a folder or holds no run, or if a summary.json cannot be read and nothing else
/// describes its run.
tr115_tree find_tr115_runs(const std::filesystem::path& folder);

} // namespace chimera::host
