// From a checked file to an initialized plugin, step by step. registry.hpp does it for the rest of the host.
#pragma once

#include "registry/checked_file.hpp"
#include "registry/registry.hpp"

#include <chimera/abi/option.h>
#include <chimera/abi/plugin.h>

#include <functional>
#include <memory>
#include <span>
#include <string>

namespace chimera::host {

/// The host as one plugin sees it: its lines go to the default logger, under the plugin's id.
struct plugin_host : chm_host {
    explicit plugin_host(std::string plugin_id);
    plugin_host(const plugin_host&) = delete; // the plugin keeps its address
    plugin_host& operator=(const plugin_host&) = delete;
    std::string id;
};

/// Called before each step that runs or reads what a plugin brought. `step` completes the sentence "it crashed ...":
/// "in its init".
using plugin_steps = std::function<void(const char* step)>;

/// Maps a checked file for the rest of the process's life, keeps it open as long, and finds its entry, checked field by
/// field. Precondition: the file has no fault. Errors: plugin_error.
const chm_plugin_entry& open_entry(const checked_file_ptr&, const plugin_steps&);

/// Initializes a plugin and checks its factories. Errors: plugin_error.
std::shared_ptr<const plugin> initialize_plugin(const checked_file_ptr&, const chm_plugin_entry&, const plugin_steps&);

/// Why an entry cannot be used: what was found and what was expected. Empty: it can.
std::string entry_fault(const chm_plugin_entry&);

/// A factory's options in this host's struct, whatever size the struct had when the plugin was compiled. The result
/// lives until the process ends. Sets *fault if the size makes no sense.
std::span<const chm_option> read_schema(const chm_option* options, std::uint32_t n, std::string* fault);

/// What is wrong with a schema (names, types, ranges, choices, defaults): the option, what was found and what was
/// expected. Empty: nothing.
std::string schema_fault(std::span<const chm_option>);

/// "message (CHM_E_INVAL)" for a call that failed with rc and wrote into text; only the code if it wrote nothing.
std::string explain(chm_rc rc, const char* text);

} // namespace chimera::host
