#pragma once
#include "registry/checked_file.hpp"
#include "registry/registry.hpp"
#include <functional>

namespace chimera::host {

/// Called before each step that runs or reads what a plugin brought, with what then goes wrong "in its init".
using plugin_steps = std::function<void(const char* step)>;

/// Maps a checked file for the rest of the process's life, keeps it open as long, and finds its entry, checked field by
/// field. Precondition: it has no fault. Errors: plugin_error.
const chm_plugin_entry& open_entry(const checked_file_ptr&, const plugin_steps&);

/// Initializes a plugin and checks what it offers. Errors: plugin_error.
std::shared_ptr<const plugin> initialize_plugin(const std::filesystem::path&, const chm_plugin_entry&,
                                                const plugin_steps&);

/// What keeps an entry from being used, found against expected; empty where nothing does.
std::string entry_fault(const chm_plugin_entry&);

/// "message (CHM_E_INVAL)" for a call that failed with rc and wrote into text; the code alone where it wrote nothing.
std::string explain(chm_rc rc, const char* text);

} // namespace chimera::host
