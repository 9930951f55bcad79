// Where the body of a response ends (RFC 9112 6.3), and where curl takes it to end.
#pragma once

#include <cstdint>

#include "http1/message_head.hpp"

namespace chimera::curl {

/// How the bytes behind a head are to be read. Of these curl knows only what it took from the fields by itself; of a
/// folded field it reads the first line.
struct body_framing {
    /// There is no body: it ends with the head.
    bool empty = false;
    /// The body comes in chunks.
    bool chunked = false;
    /// curl sees where the body ends: at a length, at the last chunk or at the connection's end. False: this plugin
    /// ends the exchange, and the connection with it.
    bool ended_by_curl = true;
    /// [not ended_by_curl, not chunked] Bytes of the body.
    std::uint64_t length = 0;
    /// The connection may serve another request, as far as the head tells.
    bool reusable = true;

    /// For a final head. no_body: the request was a HEAD. Throws sdk::error(CHM_E_PROTO) for lengths and codings that
    /// leave the end open; the message shows them.
    static body_framing of(std::int32_t status, int minor_version, bool no_body, const http1::field_list& fields);
};

} // namespace chimera::curl
