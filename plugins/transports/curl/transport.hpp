// The transport: its options, checked once, and the sessions made from them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <chimera/sdk/plugin.hpp>

#include "url.hpp"

namespace chimera::curl {

/// The options, shared by all sessions of a transport.
struct settings {
    long buffer_size;            ///< bytes of one read from the socket
    std::size_t high_water;      ///< bytes of body kept before curl is paused
    long connect_timeout_ms;     ///< 0: none
    std::uint64_t first_byte_ns; ///< 0: none
    std::uint64_t idle_ns;       ///< 0: none
    bool tls_verify;
    std::string ca_file; ///< empty: the system's
    proxy_choice proxies;
};

/// Immutable after construction; any thread may open sessions.
class transport final : public sdk::transport_base<transport> {
  public:
    static constexpr std::array schema{
        sdk::int_option("buffer_size", "8192", 1024, 524288, "Bytes of one read from the socket"),
        sdk::int_option("high_water", "65536", 1024, 1 << 30,
                        "Bytes of body kept before curl is paused; at least buffer_size"),
        sdk::int_option("connect_timeout_ms", "10000", 0, 86400000,
                        "Limit for name resolution, connection and TLS handshake together; 0: none"),
        sdk::int_option("first_byte_timeout_ms", "300000", 0, 86400000,
                        "Limit on the wait from the request sent to the first byte of the final response; 0: none"),
        sdk::int_option("idle_timeout_ms", "60000", 0, 86400000,
                        "Limit on a pause inside the request or the response; 0: none"),
        sdk::bool_option("tls_verify", "true", "Check the server's certificate and host name"),
        sdk::string_option("ca_file", "", "PEM file of trusted certificates; empty: the system's"),
        sdk::string_option("proxy", "",
                           "Proxy: a URL, or env for http_proxy, https_proxy, all_proxy and no_proxy; empty: none"),
    };

    /// Throws sdk::error(CHM_E_INVAL) for options that do not go together, a ca_file that cannot be read or
    /// a proxy that cannot be.
    transport(const chm_host*, const sdk::options& given);

    /// See chm_transport_vt.open.
    chm_session* open(const chm_session_args& args);
    const void* extension(std::string_view id) noexcept;

  private:
    const settings settings_;
};

} // namespace chimera::curl
