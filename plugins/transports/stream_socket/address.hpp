// One address to connect to.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace chimera::stream_socket {

/// An IPv4 or IPv6 address with its port, or the path of a unix socket.
struct address {
    sockaddr_storage storage{};
    socklen_t length = 0;

    /// Bytes and port in network and host order.
    static address v4(const std::array<unsigned char, 4>& bytes, std::uint16_t port) noexcept;
    static address v6(const std::array<unsigned char, 16>& bytes, std::uint16_t port) noexcept;
    /// path: at most longest_path bytes, none of them a NUL.
    static address unix_socket(std::string_view path) noexcept;
    static constexpr std::size_t longest_path = sizeof(sockaddr_un::sun_path) - 1;
    bool is_unix_socket() const noexcept { return storage.ss_family == AF_UNIX; }
    /// "127.0.0.1 port 80" or "the unix socket /run/x.sock", for messages.
    std::string text() const;
};

} // namespace chimera::stream_socket
