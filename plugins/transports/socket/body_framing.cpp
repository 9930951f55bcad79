#include "body_framing.hpp"

#include <limits>

#include "http1/body_framing.hpp"

namespace chimera::socket {

body_framing body_framing::of(const response_head& head, bool head_request) {
    body_framing result;
    result.keep_alive = http1::stays_open(head.fields(), head.minor_version());
    if (head_request || head.status() / 100 == 1 || head.status() == 204 || head.status() == 304) return result;

    // Also a length that could be counted: beyond 63 bits none is meant, and libcurl refuses it.
    const auto declared =
        http1::declared_body::of(head.fields(), std::numeric_limits<std::int64_t>::max(), "this transport");
    if (declared.chunked) {
        result.body = kind::chunked;
        // Somebody on the way may have seen another end (RFC 9112 6.1): nothing is read behind this one.
        if (declared.has_length || head.minor_version() == 0) result.keep_alive = false;
    } else if (declared.has_length) {
        result.length = declared.length;
        if (result.length != 0) result.body = kind::counted;
    } else {
        result.body = kind::until_close;
        result.keep_alive = false;
    }
    return result;
}

} // namespace chimera::socket
