// The tables of a report's results, in Markdown.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace chimera::host {

/// A table without rows is left out, with its heading.
std::string results_markdown(const nlohmann::ordered_json& report);

} // namespace chimera::host
