// What a case asks of the transport under test and of what it is tried over: skipped, with the reason, where that is
// not so.
#pragma once

#include "environment.hpp"

namespace chimera::conformance {

/// Where HTTP/1.1's framing or connections are the subject.
inline void needs_http1(const environment& env) {
    if (env.servers().http2) throw skipped("it speaks HTTP/2");
}

/// Where HTTP/2's streams are.
inline void needs_http2(const environment& env) {
    if (!env.servers().http2) throw skipped("it does not speak HTTP/2");
}

/// Where the server resets a connection.
inline void needs_resets(const environment& env) {
    if (env.servers().over == wire::unix_socket && !env.servers().http2) throw skipped("the kit resets no Unix socket");
}

/// Where URLs have host names or addresses, or plain http is the subject.
inline void needs_tcp(const environment& env) {
    if (env.servers().over != wire::tcp) throw skipped("it is tried over " + std::string(name_of(env.servers().over)));
}

/// Whether its sessions may share connections.
inline bool shares_connections(environment& env) { return (env.offers().flags & CHM_TRANSPORT_SHARED) != 0; }

} // namespace chimera::conformance
