// The small words of HTTP: tokens, lists, and how the peer's bytes are shown in a message.
#pragma once

#include <string>
#include <string_view>

#include "chimera/sdk/error.hpp"

namespace chimera::socket {

/// A method, a field's name, a transfer coding: at least one character, all of them letters, digits or !#$%&'*+-.^_`|~
bool is_token(std::string_view s) noexcept;
/// Whether two names are the same, letters' case aside. `lower` is in lower case.
bool same_name(std::string_view name, std::string_view lower) noexcept;
/// Without blanks and tabs at both ends.
std::string_view trimmed(std::string_view s) noexcept;
/// A control character other than the tab; a field's value and a reason have none.
inline bool is_control(char c) noexcept { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7f'; }

/// Cuts the first element off a list that is separated by commas. Returns it without the blanks around it; it may be
/// empty.
std::string_view next_element(std::string_view& list) noexcept;

/// In quotes, on one line, at most 80 bytes of it: everything but printable ASCII as \xNN.
std::string shown(std::string_view s);

/// CHM_E_PROTO: the peer's bytes are not a response, because of `why`.
sdk::error bad_response(const std::string& why);

} // namespace chimera::socket
