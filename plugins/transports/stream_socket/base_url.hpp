// A session's base URL, taken apart.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "address.hpp"

namespace chimera::stream_socket {

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
    /// only where `https` is `offered`), CHM_E_INVAL for what is not a base URL.
    static base_url parse(std::string_view text, std::string_view transport = "socket", tls_scheme https = refused);

  private:
    static base_url parse_unix(std::string_view text, std::string_view behind_scheme);
};

} // namespace chimera::stream_socket
