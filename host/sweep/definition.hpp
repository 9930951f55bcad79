// A sweep: every runtime in every configuration, as resolved profiles, and the order in which its cells run.
#pragma once

#include "profile/load.hpp"
#include "profile/profile.hpp"
#include "questions/question_set.hpp"
#include "result/sweep_result.hpp"
#include "sweep/sweep_keys.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace chimera::host {

/// One way of running the agents. Runtimes are what a sweep compares.
struct sweep_runtime {
    std::string name, description;
};

/// One set of conditions in which every runtime is run.
struct sweep_config {
    std::string name;
    /// The keys that it sets, by their last step ("num_ctx"), or "agents" for workload.agents.count. An option of the
    /// agents' requests has the value of all of them, or "80/100" where they differ; "default" is that of an agent
    /// which leaves it to its server. Any other key with several values is left out.
    std::map<std::string, std::variant<double, std::string>> parameters;
};

/// A sweep with everything resolved. Runs, seed and the time limit of a cell are the profile's ([measure]).
struct sweep_definition {
    std::string name, description;
    std::string question;    ///< the question that the sweep answers; heads its report
    double until_ci_pct = 0; ///< enough runs: the 95 % CI of a cell's efficiency is narrower than this; 0: all runs
    sweep_conduct conduct;
    int runs = 0; ///< at most, of each runtime and configuration
    std::uint64_t seed = 0;
    /// Options of the command line that make it this sweep: "--set", "measure.runs=3", ...; without secrets and the
    /// seed.
    std::vector<std::string> options;
    std::vector<sweep_runtime> runtimes;
    std::vector<sweep_config> configs;
    std::vector<std::vector<profile>> profiles; ///< [runtime][config]
    question_set questions;                     ///< what the sweep is to answer; may be empty
};

/// Reads a profile with a [sweep] table:
///     [sweep]
///     question = "..."
///     until_ci_pct = 0.5                 # and the other keys of sweep_keys.hpp
///     [[sweep.runtimes]]                 # none: the profile as it is, under its name
///     name = "smol"
///     set = { executor = { plugin = "fiber" } }
///     [[sweep.configs]]                  # none, and no grid: the profile as it is, as "default"
///     name = "homo"
///     set = { workload.agents."*".options = { num_gpu = 80 } }
///     [sweep.grid]                       # and every combination of these
///     "workload.agents.*.options.num_ctx" = [256, 512]
/// Overrides change the profile and its [sweep] before a runtime or a configuration changes the profile. Errors:
/// profile_error with all faults.
sweep_definition load_sweep(const std::filesystem::path& file, const schema_lookup&, const profile_overrides&);

/// One run of one runtime in one configuration, in a process of its own.
struct sweep_cell {
    std::size_t runtime = 0, config = 0;
    int run = 0; ///< counted from 1

    auto operator<=>(const sweep_cell&) const = default;
};

/// Round by round: in round k every runtime and configuration has its k-th run, in an order drawn from the seed, so
/// that drift of the machine hits all alike, and an interrupted sweep is about as far with each of them.
std::vector<sweep_cell> plan_cells(const sweep_definition&);

/// "smol/chimera_homo_gpu80_ctx512": a folder below the sweep's. --only is matched against it.
std::string group_name(const sweep_definition&, const sweep_cell&);
/// "smol/chimera_homo_gpu80_ctx512/run_3".
std::string cell_name(const sweep_definition&, const sweep_cell&);

/// The cells whose group name or own name matches a shell pattern (fnmatch).
std::vector<sweep_cell> matching(const sweep_definition&, const std::vector<sweep_cell>&, const std::string& glob);

/// The plan of a sweep, for sweep.json.
sweep_result result_of(const sweep_definition&);

} // namespace chimera::host
