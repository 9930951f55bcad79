// A document as text.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace chimera::host {

/// Indented, with a newline at its end. A byte that is not UTF-8, as a path may have one, becomes U+FFFD.
std::string json_text(const nlohmann::ordered_json&);

} // namespace chimera::host
