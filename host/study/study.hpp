// Results read back from disk: the plan, and every run.
#pragma once

#include "questions/question_set.hpp"
#include "result/run_folder.hpp"
#include "result/sweep_result.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

/// One finished cell: a runtime in a configuration, once.
struct study_run {
    std::string runtime, config;
    int number = 0;
    /// ok, failed, crashed or timed_out; damaged: it ended well, but its files are missing or are not the ones that
    /// were written. A damaged run has neither values nor agents.
    std::string status = "ok";
    std::string message; ///< why it is not ok
    std::filesystem::path folder;
    std::vector<alert_result> alerts; ///< those that tripped in a cell of a sweep
    run_result result;
    std::vector<request_result> requests; ///< of the concurrent execution, once they were read (read_requests)
    std::vector<double> itl_ms;           ///< gaps between content records of all requests, once they were read
    std::optional<std::size_t> order;     ///< its place in time among the runs of the study, from 0
    /// A server loaded its model for a request, once these were read (see mark_model_loads); nothing: the servers do
    /// not say how long they loaded.
    std::optional<bool> cold;

    bool ok() const { return status == "ok"; }
    bool damaged() const { return status == "damaged"; }
    std::optional<double> value(const std::string& figure_name) const { return result.value(figure_name); }
    std::optional<double> value(figure f) const { return result.value(f); }
    const std::vector<agent_result>& agents() const { return result.concurrent.agents; }
};

/// Everything that one folder of results says. Runs are in the order of runtimes, configurations and run numbers.
struct study {
    std::filesystem::path path; ///< as it was given
    std::string name;
    std::string description, question; ///< may be empty
    std::string source = "chimera";    ///< who measured: "chimera" or "tr115"
    std::optional<std::string> backend, order;
    std::string profile;              ///< the file that defines it; empty: not recorded
    std::vector<std::string> options; ///< of the command line that changed the profile
    std::optional<std::int64_t> seed;
    std::size_t cells_planned = 0;
    std::size_t cells_not_needed = 0;  ///< never run: the runs before them were enough
    std::vector<std::string> warnings; ///< of the campaign
    std::vector<std::string> damage;   ///< what is missing or damaged beside the files of `runs`: "FILE: what"
    bool sweep = false;                ///< false: a campaign or a single run, which is one runtime in one configuration
    std::vector<planned_runtime> runtimes;
    std::vector<planned_configuration> configs;
    std::map<std::string, figure_definition> definitions; ///< of every figure that some run has
    std::vector<study_run> runs;
    std::vector<question_set> questions; ///< of its profile, and those that were asked of it since
};

/// What is missing or damaged, as "FILE: what; what to do": the messages of damaged runs, and the study's own damage.
/// Empty: the study is whole.
std::vector<std::string> damage_of(const study&);

/// Reads the results in a folder: of a sweep, a campaign or a run; or in a summary.json: the runs that it lists. A run
/// with a fault is damaged: it is in no figure, and damage_of() names it. Throws results_error with every fault found
/// where sweep.json or summary.json cannot be used, where no run is left, or where there are no results.
study load_study(const std::filesystem::path&);

/// Fills the requests of each complete run, its gaps, whether it was cold, and its recovered efficiency (recovery.hpp).
/// A run whose requests cannot be used becomes a damaged run. Throws results_error where no other is left.
void read_requests(study&);

/// The runs that match a pattern of the shell: of "runtime/config" or "runtime/config/run_N"; with their runtimes and
/// configurations. Throws results_error where none does.
study part_of(study, const std::string& glob);

/// The name of the metric that counts: efficiency_pct; where no agent ever ran alone, recovered_efficiency_pct; where
/// there is nothing to recover it from either, estimated_efficiency_pct.
const std::string& headline_of(const study&);

/// The most agents that a run had; 0 where no run says.
std::size_t agents_of(const study&);

/// The name of the agent at this place of the profile; "collector / chimera_a" where configurations name it
/// differently.
std::string agent_name(const study&, std::size_t place);

/// The values of a figure in the successful runs of a runtime, in their order; config empty: of every configuration.
std::vector<double> values_of(const study&, const std::string& runtime, const std::string& figure_name,
                              const std::string& config = {});

/// Unit, definition and provenance of a figure as the study's files have them; of a figure that no run has, those of
/// the table with the provenance "not measured".
figure_definition definition_of(const study&, const std::string& figure_name);

/// Every figure that a full measurement has, and every other one of the study, in the order in which they are shown.
std::vector<std::string> figure_names(const study&);

} // namespace chimera::host
