// `chimera-host selfcheck`: how much this client can take on this machine, and whether that is enough for a profile.
#pragma once

#include "cli/exit_status.hpp"
#include "profile/load.hpp"

#include <cstddef>
#include <filesystem>

namespace chimera::host {

struct selfcheck_arguments {
    std::filesystem::path profile;
    profile_overrides overrides;
    std::size_t most_agents = 512;
    bool json = false;
    bool dry_run = false; ///< print the resolved profile, run nothing
    bool allow_untrusted = false;
};

/// Exit status: success also when the client is found too slow; that is the answer. all_failed when a request of the
/// profile's own load failed. Throws as run_command does.
exit_status selfcheck_command(const selfcheck_arguments&);

} // namespace chimera::host
