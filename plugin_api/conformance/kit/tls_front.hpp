// TLS before a server that knows nothing of it.
#pragma once

#include <memory>

#include "server_room.hpp"
#include "stream_end.hpp"

struct ssl_ctx_st;

namespace chimera::conformance {

/// What a server needs for its handshakes. Any thread.
class tls_front {
  public:
    /// http2: "h2" is negotiated instead of "http/1.1", where the client offers it. Throws failure.
    tls_front(const tls_identity&, bool http2);

    /// Shakes hands on `outer`, a connected socket, then carries what is inside to and from `inner`, until either has
    /// ended. The end of `inner` becomes a proper end of TLS and of the connection, or a reset. Both stay the caller's,
    /// shut down, or, for a reset, to be closed at once.
    void carry(int outer, int inner, const stream_end&) const;

  private:
    std::shared_ptr<ssl_ctx_st> context_;
};

} // namespace chimera::conformance
