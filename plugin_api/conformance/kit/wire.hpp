// Over what the kit's servers are reached, and what they speak.
#pragma once

#include <cstdint>
#include <string_view>

namespace chimera::conformance {

class server_room;

/// Over what a client reaches the kit's servers.
enum class wire {
    tcp,         ///< "http://127.0.0.1:port"
    unix_socket, ///< "http+unix://%2Ffolder%2Fname.sock"
    tls          ///< "https://localhost:port"
};

/// "tcp", "unix" or "tls".
constexpr std::string_view name_of(wire w) noexcept { return w == wire::tcp ? "tcp" : w == wire::tls ? "tls" : "unix"; }

/// Where a server listens, and what it speaks.
struct served {
    wire over = wire::tcp;
    bool v6 = false;                   ///< TCP on ::1
    bool http2 = false;                ///< in place of HTTP/1.1; each stream is a connection to the script
    std::uint32_t max_streams = 2000;  ///< of one HTTP/2 connection
    bool listens = true;               ///< false: whoever connects is refused
    const server_room* room = nullptr; ///< for sockets and certificates; not needed over TCP
};

} // namespace chimera::conformance
