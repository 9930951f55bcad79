#pragma once
#include "registry/registry.hpp"

namespace chimera::host {

/// Maps a checked file for the rest of the process's life and finds its entry, checked field by field.
/// Errors: plugin_error.
const chm_plugin_entry& open_entry(const std::filesystem::path&);

/// What keeps an entry from being used, found against expected; empty where nothing does.
std::string entry_fault(const chm_plugin_entry&);

/// "message (CHM_E_INVAL)" for a call that failed with rc and wrote into text; the code alone where it wrote nothing.
std::string explain(chm_rc rc, const char* text);

} // namespace chimera::host
