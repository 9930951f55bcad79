#pragma once
#include "registry/checked_file.hpp"
#include <chimera/abi/base.h>
#include <chrono>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

namespace chimera::host {

/// How much of a plugin's code is run: what every user of it runs first, or an instance of each kind besides.
enum class trial_depth { load, instance };

/// What a plugin said about itself before it ended, well or badly.
struct trial {
    /// What was learned of it: the members of entry_document; factories: an array of factory_document, with
    /// trial_depth::instance the members of instance_document in each.
    nlohmann::ordered_json said = nlohmann::ordered_json::object();
    std::string fault;  ///< why it cannot be used, beginning with the file; empty: it can
    chm_rc rc = CHM_OK; ///< the plugin's own code where it failed itself, otherwise CHM_E_FAIL
};

/// [no other thread running] Loads files that have no fault and initializes and deinitializes the plugins, one after
/// the other, in a child process of at most `limit`, so that a crash, a hang or an exit costs no more than that. One
/// that ends the child is blamed only where it was the first in it; otherwise it begins another child. They log
/// nothing, and what they print goes to standard error. The answers are in the order of the files. Throws
/// std::system_error where there can be no child process.
std::vector<trial> try_plugins(std::span<const checked_file_ptr>, trial_depth, std::chrono::milliseconds limit);
trial try_plugin(const checked_file_ptr&, trial_depth, std::chrono::milliseconds limit);

} // namespace chimera::host
