// What a sweep runs: every runtime in every configuration, as resolved profiles.
#pragma once

#include "profile/load.hpp"
#include "profile/profile.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace chimera::host {

/// One way of running the agents: what is compared.
struct sweep_runtime {
    std::string name, description;
};

/// One set of conditions in which every runtime is run.
struct sweep_config {
    std::string name;
    /// What it sets, by the last step of each key; "agents" for workload.agents.count. A key that it does
    /// not give the same value for all agents is left out.
    std::map<std::string, std::variant<double, std::string>> parameters;
};

/// A sweep with everything resolved. Runs, seed and the time limit of a cell are the profile's ([measure]).
struct sweep_definition {
    std::string name, description;
    std::string question;    ///< what the sweep is to answer; heads its report
    double until_ci_pct = 0; ///< enough runs: the 95 % CI of a cell's efficiency is narrower than this; 0: all runs
    int runs = 0;            ///< at most, of each runtime and configuration
    std::uint64_t seed = 0;
    std::vector<sweep_runtime> runtimes;
    std::vector<sweep_config> configs;
    std::vector<std::vector<profile>> profiles; ///< [runtime][config]
};

/// Reads a profile with a [sweep] table:
///     [sweep]
///     question = "..."
///     until_ci_pct = 0.5                 # see sweep_definition
///     common_seed = false                # every configuration draws its own requests; true (the default): the same
///     [[sweep.runtimes]]                 # none: the profile as it is, under its name
///     name = "smol"
///     set = { executor = { plugin = "fiber" } }
///     [[sweep.configs]]                  # none, and no grid: the profile as it is, as "default"
///     name = "homo"
///     set = { workload.agents."*".options = { num_gpu = 80 } }
///     [sweep.grid]                       # and every combination of these
///     "workload.agents.*.options.num_ctx" = [256, 512]
/// Overrides change the profile before a runtime or a configuration does. Errors: profile_error with all faults.
sweep_definition load_sweep(const std::filesystem::path& file, const schema_lookup&, const profile_overrides&);

} // namespace chimera::host
