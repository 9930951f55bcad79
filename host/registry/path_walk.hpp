#pragma once
#include <chimera/sdk/owned_fd.hpp>
#include <filesystem>
#include <string>
#include <sys/stat.h>

namespace chimera::host {

/// Where a path led, and what speaks against trusting that.
struct walked_path {
    std::filesystem::path path; ///< from "/", without links; where it leads nowhere, as far as it leads
    sdk::owned_fd file;         ///< what it leads to, opened with O_PATH; none where it leads nowhere
    struct stat status {};      ///< of that
    int error = 0;              ///< errno of the step that failed; 0: it leads to something
    /// Who else than you and root may change what it leads to, or what lies at this path, and what to do; empty:
    /// nobody. A path that leads nowhere is distrusted where others may make what is missing.
    std::string distrust;
};

/// Walks a path from "/", one component after the other. Each is opened in the folder before it and looked at by its
/// descriptor, and links are resolved here: what was looked at cannot be exchanged, whatever happens to its name.
/// Thread: as accounts::of_system.
walked_path walk(const std::filesystem::path&);

} // namespace chimera::host
