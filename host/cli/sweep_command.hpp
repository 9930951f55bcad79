// `chimera-host sweep`: runtimes x configurations x runs, each in a process of its own.
#pragma once

#include "cli/exit_status.hpp"
#include "cli/run_command.hpp"
#include "profile/load.hpp"

#include <filesystem>
#include <string>

namespace chimera::host {

struct sweep_arguments {
    std::filesystem::path profile;
    profile_overrides overrides;
    std::filesystem::path output_dir = "results";
    std::string only; ///< shell pattern of runtime/config or runtime/config/run_N; empty: all
    key_arguments key;
    std::string api_key; ///< of these or of the environment; never written anywhere
    int jobs = 1;        ///< cells at a time
    bool resume = false;
    bool dry_run = false; ///< print the cells in their order, run nothing
    bool allow_untrusted = false;
};

/// Throws profile_error (bad input) and other std::exceptions (set-up).
exit_status sweep_command(const sweep_arguments&);

} // namespace chimera::host
