// How a listing shows the options of a plugin.
#pragma once

#include <nlohmann/json.hpp>

namespace chimera::host {

/// Prints one line for each option of a factory_document.
void print_options(const nlohmann::ordered_json& factory);

} // namespace chimera::host
