// A session's base URL, and the address that it may name.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
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

/// "http://host:port/prefix", or "http+unix://%2Fpath%2Fof%2Fthe.sock/prefix": a unix socket, its path in the host's
/// place, percent-encoded. "http+unix:///path/of/the.sock" is one too, without a prefix.
struct base_url {
    enum tls_scheme : bool { refused, offered };

    std::string origin;      ///< "http://host:port" (https with TLS), or the unix socket as it was given, for messages
    std::string host;        ///< for the resolver; of a unix socket: none
    std::uint16_t port = 80; ///< the scheme's (80, with TLS 443) where the URL has none
    std::string host_header; ///< value of the Host header; of a unix socket: "localhost"
    std::string path_prefix; ///< without a final '/'; may be empty
    bool tls = false;        ///< https
    std::optional<address> literal; ///< where the host is an address, or a unix socket, and needs no resolver

    /// transport: whose URL it is, for messages. Throws sdk::error: CHM_E_NOSYS for schemes that are not offered (https
    /// only where `https` is `offered`), CHM_E_INVAL for a text that is not a base URL.
    static base_url parse(std::string_view text, std::string_view transport = "socket", tls_scheme https = refused);

  private:
    static base_url parse_unix(std::string_view text, std::string_view behind_scheme);
};

} // namespace chimera::stream_socket
