// How a listing shows what a plugin says of itself.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace chimera::host {

/// The same document with every string on one line and fit for a terminal (see protocol/excerpt.hpp).
nlohmann::ordered_json printable_document(nlohmann::ordered_json);

/// What is not there is null in a document.
nlohmann::ordered_json or_null(const std::string& text);

/// One line for each option of a factory_document.
std::string option_lines(const nlohmann::ordered_json& factory);

} // namespace chimera::host
