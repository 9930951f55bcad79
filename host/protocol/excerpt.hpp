#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace chimera::host {

/// Bytes of a server or a plugin made fit for a one-line message: at most `limit` bytes of it, control characters and
/// broken UTF-8 written as \n, \r, \t or \xNN, invisible characters (a byte order mark, blanks without width or without
/// break, marks of direction) as \u{NNNN}, never cut within a character, "..." where something is left out.
std::string excerpt(std::string_view text, std::size_t limit = 120);

/// A text without the blanks and line ends around it.
std::string_view trimmed(std::string_view text) noexcept;

} // namespace chimera::host
