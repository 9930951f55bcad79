// The small words of HTTP: tokens, lists, and how the peer's bytes are shown in a message.
#pragma once

#include <string>
#include <string_view>

#include <chimera/sdk/error.hpp>

namespace chimera::curl {

/// A method, a field's name, a transfer coding: at least one character, all of them letters, digits or !#$%&'*+-.^_`|~
bool is_token(std::string_view s) noexcept;
/// Whether two names are the same, letters' case aside.
bool same_name(std::string_view a, std::string_view b) noexcept;
/// Without blanks and tabs at both ends.
std::string_view trimmed(std::string_view s) noexcept;
/// A control character other than the tab; a field's value and a reason have none.
inline bool is_control(char c) noexcept { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7f'; }

/// Cuts the first element off a list that is separated by commas. Returns it without the blanks around it; it may be
/// empty.
std::string_view next_element(std::string_view& list) noexcept;

/// The bytes with every %XX replaced. Throws sdk::error(CHM_E_INVAL) for a '%' without two hexadecimal digits.
std::string percent_decoded(std::string_view s);

/// In quotes, on one line, at most 80 bytes of it: everything but printable ASCII as \xNN.
std::string shown(std::string_view s);

/// CHM_E_PROTO: the peer's bytes are not a response, because of `why`.
sdk::error bad_response(const std::string& why);

/// One line of a head or of trailers, without its end. follows: a field is before it, so that it may be folded. Throws
/// sdk::error(CHM_E_PROTO) for a name that is not a token (RFC 9112 5.1) and for control characters.
void check_field_line(std::string_view line, bool follows);
/// Throws sdk::error(CHM_E_PROTO) for a control character in `text`, which is `whose` and belongs to `line`.
void check_text(std::string_view text, const char* whose, std::string_view line);

} // namespace chimera::curl
