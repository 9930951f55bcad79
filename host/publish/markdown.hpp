// A report as a page of Markdown, in the manner of a technical report.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace chimera::host {

/// Question, findings, method, tables, limits, how to repeat, definitions. Every figure carries its provenance, in its
/// column's heading or beside it; what was not measured says so.
std::string to_markdown(const nlohmann::ordered_json& report);

} // namespace chimera::host
