// Where a scripted server listens, and its protocol.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace chimera::conformance {

class server_room;

/// How a client reaches a server.
enum class wire {
    tcp,         ///< "http://127.0.0.1:port"
    unix_socket, ///< "http+unix://%2Ffolder%2Fname.sock"
    tls          ///< "https://localhost:port"
};

/// "tcp", "unix" or "tls".
constexpr std::string_view name_of(wire w) noexcept { return w == wire::tcp ? "tcp" : w == wire::tls ? "tls" : "unix"; }

struct served {
    wire over = wire::tcp;
    bool v6 = false;                   ///< TCP on ::1
    bool http2 = false;                ///< instead of HTTP/1.1; the script sees each stream as a connection
    std::uint32_t max_streams = 2000;  ///< of one HTTP/2 connection
    bool listens = true;               ///< false: connections are refused
    bool one_by_one = false;           ///< serves one connection after another, all on one thread
    const server_room* room = nullptr; ///< needed for TLS, and for a Unix socket without `path`
    std::filesystem::path path{};      ///< of a Unix socket; empty: a new one in the room
};

} // namespace chimera::conformance
