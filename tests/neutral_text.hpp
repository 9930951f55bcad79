// Checks that a program's output is plain text, even for hostile input. Written apart from host/protocol, whose rules
// they test.
#pragma once

#include <string>
#include <string_view>

namespace chimera::test {

// Each returns the fault and its place, or an empty string.

/// No byte below 0x20 but "\n", no DEL, C1, mark of direction, invisible character or broken UTF-8.
std::string fault_on_terminal(std::string_view text);

/// The same with "\r\n" for line ends; rows of RFC 4180 as long as the first; no cell that a spreadsheet computes.
std::string fault_in_csv(std::string_view text);

/// The same as on a terminal. No markup except a report's own: headings, bullets, tables whose rows are as long as
/// their heads, and one block of code.
std::string fault_in_markdown(std::string_view page);

/// Between `before` and `after` the page holds its report: ASCII JSON that cannot end its element, with neutral texts.
std::string fault_in_page(std::string_view page, std::string_view before, std::string_view after);

/// Text in which everything is tried at once: a terminal's title, clipboard and colours, marks of direction, HTML,
/// links, a formula, bars and line ends.
std::string hostile_text();

} // namespace chimera::test
