// A request as HTTP/2 has it: pseudo-header fields, fields with small letters, and a body.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <nghttp2/nghttp2.h>

#include "chimera/abi/transport.h"
#include "stream_socket/base_url.hpp"

namespace chimera::h2 {

/// One request. Memory is reused.
class request_fields {
  public:
    /// Replaces the request. Host becomes :authority; the fields that are of a connection in HTTP/1.1 (Connection,
    /// Keep-Alive, Proxy-Connection, Upgrade, and any TE but trailers) mean nothing here and are left out. Throws
    /// sdk::error(CHM_E_INVAL) for a method, path or field that cannot be sent, and for fields that are the transport's
    /// own (Content-Length, Transfer-Encoding).
    void write(const stream_socket::base_url& url, const chm_request& request);
    /// Gives the memory of the body and of the fields back.
    void clear() noexcept;

    /// For nghttp2, which copies them; valid until write() or clear().
    const std::vector<nghttp2_nv>& fields();
    const std::string& body() const noexcept { return body_; }
    /// The base URL's path with the request's own behind it.
    const std::string& target() const noexcept { return target_; }

  private:
    struct place {
        std::size_t name, value, end; // name begins, value begins, value ends
    };
    void add(std::string_view name, std::string_view value);

    std::string target_, body_, text_;
    std::vector<place> places_;
    std::vector<nghttp2_nv> fields_;
};

} // namespace chimera::h2
