// How a listing shows the options of a plugin.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace chimera::host {

/// One line for each option of a factory_document.
std::string option_lines(const nlohmann::ordered_json& factory);

} // namespace chimera::host
