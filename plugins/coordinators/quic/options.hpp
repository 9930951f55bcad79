// What is chosen for the connections of one endpoint.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace chimera::quic {

/// Fills the span with random bytes: connection ids, reset tokens, challenges. A simulation hands in a seeded source.
/// GnuTLS takes the randomness of its keys elsewhere, from the system.
using random_source = std::function<void(std::span<std::byte>)>;

/// Bytes from GnuTLS' generator, good for keys. Throws std::runtime_error if the system gives none.
void system_random(std::span<std::byte> out);

enum class congestion_control { cubic, reno };

/// Times are nanoseconds.
struct connection_options {
    std::uint64_t handshake_timeout = 10'000'000'000; ///< from connect() until the handshake is complete
    /// Without a packet from the peer the connection is over. The smaller one of the two sides holds. 0: no limit.
    std::uint64_t idle_timeout = 30'000'000'000;
    std::uint64_t keep_alive = 0; ///< a PING after a silence of this length; 0: never
    /// Taken for the round trip until it was measured: a lost first packet is sent again after three times this.
    std::uint64_t initial_rtt = 10'000'000;
    /// The largest datagram to send and to receive, 1200 to 16384 bytes. Values over 1452 are for loopback.
    std::size_t max_udp_payload = 1452;
    /// Begins with datagrams of 1200 bytes and tries larger ones. false: max_udp_payload is known to pass, and is used
    /// from the first datagram on. Must be false for a max_udp_payload over 1452.
    bool probe_path = true;
    std::size_t receive_window = 1 << 20; ///< bytes the peer may send beyond those that were consumed()
    congestion_control congestion = congestion_control::cubic;
    /// Spreads a window's datagrams over a round trip. false: they leave at once, with no timer between them.
    bool pacing = false;

    /// Throws std::invalid_argument, naming the option and the values it takes.
    void check() const;
};

} // namespace chimera::quic
