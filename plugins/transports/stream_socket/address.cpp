#include "address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace chimera::stream_socket {

namespace {

template <class SockAddr>
address pack(const SockAddr& from) noexcept {
    address a;
    std::memcpy(&a.storage, &from, sizeof from);
    a.length = sizeof from;
    return a;
}

} // namespace

address address::v4(const std::array<unsigned char, 4>& bytes, std::uint16_t port) noexcept {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    std::memcpy(&in.sin_addr, bytes.data(), bytes.size());
    return pack(in);
}

address address::v6(const std::array<unsigned char, 16>& bytes, std::uint16_t port) noexcept {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(port);
    std::memcpy(&in.sin6_addr, bytes.data(), bytes.size());
    return pack(in);
}

address address::unix_socket(std::string_view path) noexcept {
    sockaddr_un in{};
    in.sun_family = AF_UNIX;
    std::memcpy(in.sun_path, path.data(), std::min(path.size(), longest_path));
    return pack(in);
}

std::string address::text() const {
    if (is_unix_socket()) {
        sockaddr_un in{};
        std::memcpy(&in, &storage, sizeof in);
        return std::string("the unix socket ") + in.sun_path;
    }
    std::array<char, INET6_ADDRSTRLEN> host{};
    std::uint16_t port = 0;
    if (storage.ss_family == AF_INET6) {
        sockaddr_in6 in{};
        std::memcpy(&in, &storage, sizeof in);
        inet_ntop(AF_INET6, &in.sin6_addr, host.data(), host.size());
        port = ntohs(in.sin6_port);
    } else {
        sockaddr_in in{};
        std::memcpy(&in, &storage, sizeof in);
        inet_ntop(AF_INET, &in.sin_addr, host.data(), host.size());
        port = ntohs(in.sin_port);
    }
    return std::string(host.data()) + " port " + std::to_string(port);
}

} // namespace chimera::stream_socket
