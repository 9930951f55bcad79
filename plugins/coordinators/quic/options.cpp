#include "quic/options.hpp"

#include <stdexcept>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

namespace chimera::quic {

void system_random(std::span<std::byte> out) {
    if (gnutls_rnd(GNUTLS_RND_RANDOM, out.data(), out.size()) < 0)
        throw std::runtime_error("the system gave no random bytes");
}

void connection_options::check() const {
    if (max_udp_payload < 1200 || max_udp_payload > 16384)
        throw std::invalid_argument("max_udp_payload: not in 1200 to 16384 bytes");
    if (probe_path && max_udp_payload > 1452)
        throw std::invalid_argument("max_udp_payload: over 1452 bytes only with probe_path = false, on loopback");
    if (receive_window < 1024) throw std::invalid_argument("receive_window: less than 1024 bytes");
    if (initial_rtt == 0) throw std::invalid_argument("initial_rtt: 0 (example: 10 ms)");
    if (handshake_timeout == 0) throw std::invalid_argument("handshake_timeout: 0 (example: 10 s)");
}

} // namespace chimera::quic
