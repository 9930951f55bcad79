// A session's base URL, taken apart.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "address.hpp"

namespace chimera::socket {

/// "http://host:port/prefix".
struct base_url {
    std::string origin;             ///< "http://host:port", for messages
    std::string host;               ///< for the resolver
    std::uint16_t port = 80;        ///< 80 where the URL has none
    std::string host_header;        ///< value of the Host header
    std::string path_prefix;        ///< without a final '/'; may be empty
    std::optional<address> literal; ///< where the host is an address and needs no resolver

    /// Throws sdk::error: CHM_E_NOSYS for https and other schemes, CHM_E_INVAL for what is no base URL.
    static base_url parse(std::string_view text);
};

} // namespace chimera::socket
