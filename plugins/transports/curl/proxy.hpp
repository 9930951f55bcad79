// Through which proxies a transport's requests go.
#pragma once

#include <string>
#include <string_view>

namespace chimera::curl {

/// One proxy. Its credentials are kept apart from the URL, so that no message of curl's can show them.
struct proxy {
    std::string url; ///< without credentials; empty: none
    std::string user, password;
};

/// What the option `proxy` asks for. Read once, when the transport is made: the environment of a later moment changes
/// nothing.
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
