// What a transport offers, as it says itself.
#pragma once

#include <cstdint>

#include "wire.hpp"

namespace chimera::conformance {

class environment;

/// Schemes and flags of a transport.
struct offered {
    bool tcp = false, unix_socket = false,
         tls = false;        ///< "http", "http+unix" and "https": open does not say CHM_E_NOSYS
    std::uint32_t flags = 0; ///< CHM_TRANSPORT_*

    bool has(wire w) const noexcept { return w == wire::tcp ? tcp : w == wire::tls ? tls : unix_socket; }
    /// The first of TCP, a Unix socket and TLS that it has; TCP where it has none.
    wire first() const noexcept {
        return tcp || (!unix_socket && !tls) ? wire::tcp : unix_socket ? wire::unix_socket : wire::tls;
    }

    /// [no task, no executor running] Opens a session for each scheme. Throws failure where no transport can be made.
    static offered asked(environment&);
};

} // namespace chimera::conformance
