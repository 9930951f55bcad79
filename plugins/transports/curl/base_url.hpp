// Where the requests of a session go.
#pragma once

#include <string>
#include <string_view>

namespace chimera::curl {

/// A base URL, checked, without a final slash: ready to have a path appended.
struct base_url {
    std::string shown;       ///< as given; for messages
    std::string for_curl;    ///< http or https
    std::string unix_socket; ///< path of the socket to connect to; empty: none
    bool tls = false;

    /// http://, https:// with host, port and prefix; http+unix://%2Frun%2Fname.sock/prefix; or
    /// http+unix:///run/name.sock, where all of it is the socket's path. Throws sdk::error: CHM_E_NOSYS for another
    /// scheme, else CHM_E_INVAL.
    static base_url parse(std::string_view text);
};

} // namespace chimera::curl
