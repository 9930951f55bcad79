// The imported runs as a sweep: names and parameters of the configurations, and the order in time.
#pragma once

#include "result/sweep_result.hpp"
#include "tr115/record.hpp"

#include <string>
#include <vector>

namespace chimera::host {

struct imported_run {
    tr115_run run;
    tr115_record record;
    std::string config; ///< its configuration's name in the sweep (name_configurations)
};

/// Gives each run its configuration's name: the folder's, but for folders that the reports' programs named, the name
/// that a campaign of ours with these options has (config_name): "chimera_homo_gpu80_ctx512". The model is added where
/// there are several, and the phase in front. Where two folders would get one name, they keep theirs.
///
/// Returns a sentence for each folder whose name says other options than its files, and for each option that differs
/// within a configuration.
std::vector<std::string> name_configurations(std::vector<imported_run>&);

/// Sorts the runs by when they began, or else by when their file was written. Runs that do not say come last.
void sort_by_time(std::vector<imported_run>&);

/// sweep.json. runs: named, and in the order of time. runtimes: in the order of the report.
sweep_result converted_sweep(const std::vector<imported_run>& runs, const std::vector<std::string>& runtimes,
                             std::string name);

} // namespace chimera::host
