// Foreign text, made fit to be shown to a person. This is the one place that decides which characters are escaped.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace chimera::host {

/// Bytes of a server or a plugin, made fit for a one-line message of at most `limit` bytes. Control characters and
/// broken UTF-8 become \n, \r, \t or \xNN. Invisible characters (byte order mark, zero-width and no-break spaces, marks
/// of direction, tags) become \u{NNNN}. A longer text ends with "...", never within a character.
std::string excerpt(std::string_view text, std::size_t limit = 120);

/// The same without a limit: all of the text, on one line. Idempotent.
std::string on_one_line(std::string_view text);

/// The same, but line ends are kept: a text that may be written to a terminal. Only "\n" ends a line; "\r" is escaped,
/// because it lets a text overwrite its own line.
std::string printable(std::string_view text);

/// A text as one word of a shell command that a person may paste. Plain words stay as they are; "it's" becomes
/// 'it'\''s'. A text that printable() would escape becomes $'\x1b', which bash and zsh read back as the same bytes.
std::string shell_word(std::string_view text);

/// The first character of a text that is not empty.
struct first_character {
    explicit first_character(std::string_view text) noexcept;

    std::string_view bytes; ///< one byte if it is not UTF-8
    char32_t code = 0;
    bool is_utf8 = false;
    bool is_plain = false; ///< visible or a blank, without any effect: printable() leaves it as it is
};

/// Whether all of a text is UTF-8.
bool is_utf8(std::string_view text) noexcept;

/// A text without the blanks and line ends around it.
std::string_view trimmed(std::string_view text) noexcept;

/// A text with the letters of ASCII in lower case.
std::string lower_case(std::string_view text);

inline constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
/// A text without the byte order mark at its beginning.
std::string_view without_byte_order_mark(std::string_view text) noexcept;

} // namespace chimera::host
