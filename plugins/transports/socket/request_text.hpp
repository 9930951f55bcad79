// A request as it goes over the wire.
#pragma once

#include <string>

#include "chimera/abi/transport.h"
#include "stream_socket/base_url.hpp"

namespace chimera::socket {

/// Head and body of one request in one piece, so that one system call sends both.
struct request_text {
    std::string target; ///< the base URL's path with the request's own behind it
    std::string bytes;
    bool is_head = false; ///< the response will have no body

    /// Replaces the request; memory is reused. Throws sdk::error(CHM_E_INVAL) for a method, path or header that would
    /// break the framing, and for headers that are the transport's own (Content-Length, Transfer-Encoding).
    void write(const stream_socket::base_url& url, const chm_request& request);
};

} // namespace chimera::socket
