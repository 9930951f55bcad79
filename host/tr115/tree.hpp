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

/// Walks a tree. A run is counted once: a summary.json gives only those that no metrics.json has. Throws results_error
/// where the tree is no folder or holds no run, and for a summary.json that cannot be read where it alone knows a run.
tr115_tree find_tr115_runs(const std::filesystem::path& folder);

} // namespace chimera::host
