// Lines of Markdown, as models and people write it. Lenient where CommonMark is not: in a model's reply, "Metrics:" or
// "**Metrics**" right after a list begins a section, and "•" is a bullet.
#pragma once

#include "protocol/excerpt.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::host {

/// The lines of a text, without their LF or CRLF.
std::vector<std::string_view> lines_of(std::string_view text);

/// The text without marks of emphasis and code: "**a** `b`" -> "a b".
std::string without_emphasis(std::string_view text);

struct markdown_heading {
    std::size_t level = 1;
    std::string text;
};

/// "## Text ##". Nothing for other lines.
std::optional<markdown_heading> heading_of(std::string_view line);

/// The text after a bullet (-, *, +, •) or a number (1. or 1)). Nothing for other lines.
std::optional<std::string_view> list_item_of(std::string_view line);

/// "|---|:--:|", the line below a table's head.
bool is_table_rule(std::string_view line) noexcept;

/// The trimmed cells of "| a | b |".
std::vector<std::string> table_cells(std::string_view line);

/// Whether the line opens or closes a fenced block (``` or ~~~).
bool is_fence(std::string_view line) noexcept;

} // namespace chimera::host
