// Text that this program did not write, made fit to be shown to a person. The one place that says which characters are
// not shown as they are.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace chimera::host {

/// Bytes of a server or a plugin made fit for a one-line message: at most `limit` bytes of it, control characters and
/// broken UTF-8 written as \n, \r, \t or \xNN, invisible characters (a byte order mark, blanks without width or without
/// break, marks of direction, tags) as \u{NNNN}, never cut within a character, "..." where something is left out.
std::string excerpt(std::string_view text, std::size_t limit = 120);

/// The same without a limit: all of the text, on one line. Applied twice it is the same as applied once.
std::string on_one_line(std::string_view text);

/// The same with the line ends kept: what may be written to a terminal. Only "\n" ends a line; "\r" is escaped, as it
/// lets a text overwrite its own line.
std::string printable(std::string_view text);

/// A text as one word of a line that a person pastes into a shell: quoted where it is not plain, "it's" as 'it'\''s';
/// with what printable() would escape as $'\x1b', which bash and zsh read back as the same bytes.
std::string shell_word(std::string_view text);

/// The first character of a text that is not empty.
struct first_character {
    explicit first_character(std::string_view text) noexcept;

    std::string_view bytes; ///< one byte where no character stands there
    char32_t code = 0;
    bool is_utf8 = false;
    bool is_plain = false; ///< it can be seen, or is a blank, and it does nothing: what printable() leaves as it is
};

/// Whether all of a text is UTF-8.
bool is_utf8(std::string_view text) noexcept;

/// A text without the blanks and line ends around it.
std::string_view trimmed(std::string_view text) noexcept;

} // namespace chimera::host
