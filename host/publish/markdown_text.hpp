// Texts that a results file holds, as text of a Markdown page: nothing in them is markup.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

namespace chimera::host {

/// A text that renders as itself wherever it stands in a line of CommonMark or of GitHub's Markdown: no heading, list,
/// quotation, table cell, emphasis, code, link, image, address that becomes a link, HTML or entity. Line ends become
/// blanks; what acts on a terminal or cannot be seen is escaped as on_one_line() does. "<b>" becomes "&lt;b>", "a|b"
/// becomes "a\|b". A word such as efficiency_pct stays as it is.
std::string markdown_text(std::string_view text);

/// A report with each of its texts and names through markdown_text(), so that what a page is made of needs no further
/// care. A parameter that is no single value becomes the text of its JSON. Left out are "runs" and "distributions",
/// which no page shows.
nlohmann::ordered_json markdown_document(const nlohmann::ordered_json& report);

/// Lines as a block of code in which nothing ends the block. language may be empty.
std::string code_block(std::string_view language, const nlohmann::ordered_json& lines);

} // namespace chimera::host
