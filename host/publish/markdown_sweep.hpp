// What only a sweep over parameters has, and what failed, in Markdown.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace chimera::host {

/// Scaling with fits, sensitivity to parameters, improvement over a baseline. Empty where the report has none.
std::string sweep_markdown(const nlohmann::ordered_json& report);

/// The runs that failed; empty where none did.
std::string failures_markdown(const nlohmann::ordered_json& report);

} // namespace chimera::host
