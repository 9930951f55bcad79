// URLs as a user gives them: the server's base URL, and the proxy's.
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

/// One proxy. Its credentials are kept apart from the URL, so that no message of curl's can show them.
struct proxy {
    std::string url; ///< without credentials; empty: none
    std::string user, password;
};

/// The meaning of the option `proxy`. Read once, when the transport is made; later changes of the environment have no
/// effect.
struct proxy_choice {
    proxy for_http, for_https;
    std::string except; ///< hosts that are reached directly, as in NO_PROXY

    /// The one for a URL of this kind.
    const proxy& of(bool tls) const noexcept { return tls ? for_https : for_http; }

    /// option: "" (none), "env" (http_proxy, HTTP_PROXY, https_proxy, HTTPS_PROXY, all_proxy, ALL_PROXY, no_proxy,
    /// NO_PROXY) or a URL. Throws sdk::error(CHM_E_INVAL), without credentials in its message.
    static proxy_choice parse(std::string_view option);
};

} // namespace chimera::curl
