// Where the body of a response ends, as its head says.
#pragma once

#include <cstdint>

#include "response_head.hpp"

namespace chimera::socket {

/// RFC 9112 6.3, and whether the connection can serve another request afterwards (9.3).
struct body_framing {
    enum class kind { none, counted, chunked, until_close };

    kind body = kind::none;
    std::uint64_t length = 0; ///< of a counted body; not 0
    bool keep_alive = false;

    /// of a final head. head_request: the request was a HEAD. Throws sdk::error(CHM_E_PROTO) for a Content-Length that
    /// is not one number, and for a Transfer-Encoding that is not "chunked".
    static body_framing of(const response_head& head, bool head_request);
};

} // namespace chimera::socket
