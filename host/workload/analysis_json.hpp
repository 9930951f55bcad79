#pragma once

#include "workload/analysis.hpp"

#include <optional>
#include <string_view>

namespace chimera::host {

enum class analysis_section : std::uint8_t { none, summary, findings, metrics, recommendations };

/// The section that a heading or key announces, in any case and with words around it.
analysis_section section_of(std::string_view title);

/// Reads a reply that is a JSON object: bare, fenced, or with text around it. Nothing when it is none, or when none of
/// its keys announces a section.
std::optional<analysis> parse_json_analysis(std::string_view reply);

} // namespace chimera::host
