// Whether what a program shows is only text, whatever it was told: rules of their own, not those of host/protocol.
#pragma once

#include <string>
#include <string_view>

namespace chimera::test {

// Each returns what is wrong, with the place; empty: nothing.

/// No byte below 0x20 but "\n", no DEL, C1, mark of direction, invisible character or broken UTF-8.
std::string fault_on_terminal(std::string_view text);

/// The same with "\r\n" for line ends; rows of RFC 4180 as long as the first; no cell that a spreadsheet computes.
std::string fault_in_csv(std::string_view text);

/// The same as on a terminal; nothing in a line that is markup, but for what a report itself is made of: headings,
/// bullets, tables whose rows are as long as their heads, and one block of code.
std::string fault_in_markdown(std::string_view page);

/// A page whose report stands between these two as ASCII JSON that cannot end its element, whose texts are neutral.
std::string fault_in_page(std::string_view page, std::string_view before, std::string_view after);

/// Text in which everything is tried at once: a terminal's title, clipboard and colours, marks of direction, HTML,
/// links, a formula, bars and line ends.
std::string hostile_text();

} // namespace chimera::test
