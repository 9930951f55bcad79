#pragma once
#include "registry/registry.hpp"
#include <nlohmann/json.hpp>

/// What a loaded plugin says about itself, as JSON.
namespace chimera::host {

/// {id, version, description, abi, flags}
nlohmann::ordered_json entry_document(const chm_plugin_entry&);

/// {kind, options}
nlohmann::ordered_json factory_document(const plugin&, plugin_kind);

/// {flags, extensions} of an instance that is made with default options, asked and destroyed, or {no_instance}: why
/// none could be made.
nlohmann::ordered_json instance_document(const std::shared_ptr<const plugin>&, plugin_kind);

} // namespace chimera::host
