// One address to connect to.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>

namespace chimera::socket {

/// An IPv4 or IPv6 address with its port.
struct address {
    sockaddr_storage storage{};
    socklen_t length = 0;

    /// Bytes and port in network and host order.
    static address v4(const std::array<unsigned char, 4>& bytes, std::uint16_t port) noexcept;
    static address v6(const std::array<unsigned char, 16>& bytes, std::uint16_t port) noexcept;
    /// "127.0.0.1 port 80", for messages.
    std::string text() const;
};

} // namespace chimera::socket
