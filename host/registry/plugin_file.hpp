#pragma once
#include <filesystem>

namespace chimera::host {

/// Checks everything about a plugin's file that can be known before any of its code runs: it exists, is a regular file
/// once links are followed, cannot be written by others than its owner and root, and is a whole shared library for this
/// machine. allow_untrusted: leaves out who may write or own it. Returns its absolute path without links. Errors:
/// plugin_error.
std::filesystem::path check_plugin_file(const std::filesystem::path&, bool allow_untrusted);

/// What keeps a file from being a shared library that this process can load, empty where nothing does.
std::string elf_fault(const std::filesystem::path&);

} // namespace chimera::host
