// `chimera-host run`: a profile, executed, measured, summarized.
#pragma once

#include "cli/exit_status.hpp"
#include "profile/load.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace chimera::host {

/// Where --api-key is to come from.
struct key_arguments {
    std::string key;
    std::string file; ///< a file or a pipe that holds it
};

struct run_arguments {
    std::filesystem::path profile;
    profile_overrides overrides;
    std::filesystem::path output_dir = "results";
    std::string ui = "auto"; ///< auto, plain or none
    key_arguments key;
    std::string api_key;                       ///< of these or of the environment; never written anywhere
    std::filesystem::path trace;               ///< a file; empty: none
    std::optional<int> metrics_port;           ///< 0: any free one; nothing: no live metrics
    std::string metrics_address = "127.0.0.1"; ///< IPv4 or IPv6, without brackets
    int cell = 0;                              ///< not 0: this run alone, for a sweep, its results beside the profile
    bool json = false;                         ///< the summary as JSON on standard output
    bool dry_run = false;                      ///< print the resolved profile and the plan, run nothing
    bool allow_untrusted = false;
};

/// Throws profile_error, template_error and simulator_error with bad_options (bad input); other std::exceptions
/// (set-up).
exit_status run_command(const run_arguments&);

} // namespace chimera::host
