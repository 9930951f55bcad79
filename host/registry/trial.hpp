// Trying plugins in a child process, where a crash or a hang does no harm.
#pragma once

#include "registry/checked_file.hpp"

#include <chimera/abi/base.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace chimera::host {

/// How much of a plugin's code is run: only loading and initialization, or also an instance of each kind.
enum class trial_depth { load, instance };

/// What a plugin said about itself before it ended, well or badly.
struct trial {
    /// {id, version, description, abi, flags, factories: [{kind, options}]}, as far as the plugin got. With
    /// trial_depth::instance each factory also has {flags, extensions}, or {no_instance}: why none could be made.
    nlohmann::ordered_json said = nlohmann::ordered_json::object();
    std::string fault;  ///< why it cannot be used, beginning with the file; empty: it can
    chm_rc rc = CHM_OK; ///< the plugin's own code if it reported the fault, otherwise CHM_E_FAIL
};

/// [no other thread running] Loads files that have no fault, and initializes and deinitializes the plugins, one after
/// the other, in a child process of at most `limit`. A crash, a hang or an exit costs no more than that child. A plugin
/// that ends the child is blamed only if it was the first in it; otherwise it is tried again in a new child. Plugins
/// log nothing, and what they print goes to standard error. The answers are in the order of the files. Throws
/// std::system_error if no child process can be started.
std::vector<trial> try_plugins(std::span<const checked_file_ptr>, trial_depth, std::chrono::milliseconds limit);
trial try_plugin(const checked_file_ptr&, trial_depth, std::chrono::milliseconds limit);

/// One entry of `chimera-host plugins`. A file that cannot be used is listed too, with the reason.
struct plugin_listing {
    std::string id; ///< the plugin's own; the file's stem if it could not be asked
    std::filesystem::path path;
    std::filesystem::path shadowed_by; ///< not empty: the file that is found first under this id
    nlohmann::ordered_json said = nlohmann::ordered_json::object(); ///< as in trial
    std::string error;                                              ///< not empty: why it cannot be used
};

} // namespace chimera::host
