#pragma once
#include "registry/elf_file.hpp"
#include <filesystem>
#include <string>
#include <sys/types.h>

namespace chimera::host {

/// Everything about a plugin's file that can be known before any of its code runs.
struct plugin_file {
    std::filesystem::path path; ///< absolute, links resolved
    uid_t owner = 0;
    mode_t mode = 0;      ///< permissions
    std::string distrust; ///< who else than you and root may change it or a folder above it; empty: nobody
    elf_file elf;

    /// Why it must not be loaded, empty where nothing speaks against it.
    std::string fault(bool allow_untrusted) const;
};

/// Looks at a file. Errors: plugin_error where it does not exist or is no regular file once links are followed.
plugin_file look_at_plugin_file(const std::filesystem::path&);

} // namespace chimera::host
