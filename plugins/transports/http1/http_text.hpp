// The words of HTTP: characters, names, numbers, and the rules for a request.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "chimera/abi/transport.h"
#include "chimera/sdk/error.hpp"

namespace chimera::http1 {

/// A character of a method, a field's name or a transfer coding: a letter, a digit or one of !#$%&'*+-.^_`|~
bool is_token_character(char c) noexcept;
/// At least one character, all of them a token's.
bool is_token(std::string_view s) noexcept;
/// Whether two names are the same, letters' case aside.
bool same_name(std::string_view a, std::string_view b) noexcept;
/// Without blanks and tabs at both ends.
std::string_view trimmed(std::string_view s) noexcept;
inline bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }
/// A control character other than the tab; a field's value and a reason have none.
inline bool is_control(char c) noexcept { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7f'; }

/// Cuts the first element off a list that is separated by commas. Returns it without the blanks around it; it may be
/// empty.
std::string_view next_element(std::string_view& list) noexcept;

/// The bytes with every %XX replaced. Nothing: a '%' is not followed by two hexadecimal digits.
std::optional<std::string> percent_decoded(std::string_view s);

/// In quotes, on one line, at most 80 bytes of it: everything but printable ASCII as \xNN.
std::string shown(std::string_view s);

/// CHM_E_PROTO: the peer's bytes are not HTTP/1.1. what() is the message of a client, about a response.
class bad_message : public sdk::error {
  public:
    explicit bad_message(const std::string& why);
    /// Without "the server's response is not HTTP/1.1: ".
    std::string_view why() const noexcept;
};

/// Throws bad_message for a control character in `text`, which is `whose` and belongs to `line`.
void check_text(std::string_view text, const char* whose, std::string_view line);

/// Throws sdk::error (CHM_E_INVAL) that names the fault: a method or a header name that is not a token, a path that
/// does not begin with '/' or has a character that must be percent-encoded, a value with a line break or a NUL, a
/// header that is the transport's own to send.
void check_request(const chm_request& request);

/// Whether a request says the length of its body: where there is one, and where the method leads the server to expect
/// one.
bool says_length(std::string_view method, std::string_view body) noexcept;

} // namespace chimera::http1
