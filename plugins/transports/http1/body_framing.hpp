// What the fields of a head say of the body and of the connection.
#pragma once

#include <cstdint>
#include <string_view>

#include "message_head.hpp"

namespace chimera::http1 {

/// Transfer-Encoding and Content-Length (RFC 9112 6).
struct declared_body {
    bool has_codings = false; ///< there is a Transfer-Encoding; "identity" alone says nothing
    bool has_length = false;  ///< there is a Content-Length
    bool chunked = false;     ///< the body comes in chunks, whatever the length says
    std::uint64_t length = 0; ///< [has_length, not chunked]

    /// longest: the largest length that counts as one. whose: what undoes the coding, for messages. Throws bad_message
    /// for a Transfer-Encoding that is not "chunked", and, without that, a Content-Length that is not one number.
    static declared_body of(const field_list& fields, std::uint64_t longest, std::string_view whose);
};

/// Whether the sender keeps the connection for another message (RFC 9112 9.3), as far as its Connection field says.
bool stays_open(const field_list& fields, int minor_version);

} // namespace chimera::http1
