// A UDP socket: batches of datagrams in and out, and, on request, a link that loses and delays them.
#pragma once

#include "quic/listener.hpp"

#include <chimera/sdk/owned_fd.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace chimera::quic {

/// A link that is worse than the real one, for measurements. Only datagrams that are sent are touched.
struct impairment {
    double loss_pct = 0;        ///< so many of all datagrams are dropped
    std::uint64_t delay_ns = 0; ///< each leaves so much later
    std::uint64_t seed = 1;
    bool any() const noexcept { return loss_pct > 0 || delay_ns > 0; }
};

/// Addresses of host and port, from getaddrinfo: may block, unless host is numeric. Throws sdk::error (CHM_E_RESOLVE,
/// CHM_E_INVAL), which names the text.
std::vector<address> resolve(const std::string& host_and_port, bool numeric_only);
/// The host is written as numbers, so that resolve() does not block.
bool is_numeric(const std::string& host_and_port);
/// "127.0.0.1:4433"
std::string text_of(const address&);

/// Non-blocking. One thread at a time.
class udp_socket final : public datagram_sink {
  public:
    /// Throws sdk::error (CHM_E_CONNECT), which names the address.
    static udp_socket bound_to(const address&, const impairment&);
    /// Receives from this address only, and learns when nobody listens there.
    static udp_socket connected_to(const address&, const impairment&);

    int fd() const noexcept { return fd_.get(); }
    /// With the port that the system chose.
    address local() const;
    /// Gives every datagram that is there, at most a few hundred, to `to`. True: nothing is left.
    /// Throws sdk::error (CHM_E_CONNECT) when the peer's machine says that nobody listens.
    bool receive(const std::function<void(const address&, std::span<const std::byte>)>& to);

    /// False: the kernel has no room. What was not sent is kept, and flush() sends it.
    bool send(const address& to, std::span<const std::byte> datagrams, std::size_t segment) override;
    /// Sends what was kept, and what was delayed and is due. False: no room yet.
    bool flush(std::uint64_t now);
    bool is_blocked() const noexcept { return !kept_.empty() && !delays_; }
    /// When flush() has something to send again; UINT64_MAX: never.
    std::uint64_t expiry() const noexcept { return delays_ && !kept_.empty() ? kept_.front().due : UINT64_MAX; }

    std::uint64_t writes = 0, bytes = 0; ///< system calls that sent something, and what they sent

  private:
    struct kept {
        std::uint64_t due;
        address to;
        std::size_t segment;
        std::vector<std::byte> bytes;
    };
    udp_socket(sdk::owned_fd, const impairment&, bool connected);
    bool write(const address& to, std::span<const std::byte> datagrams, std::size_t segment);
    void impair(const address& to, std::span<const std::byte> datagrams, std::size_t segment);

    sdk::owned_fd fd_;
    impairment impaired_;
    bool connected_, delays_;
    std::minstd_rand random_;
    std::deque<kept> kept_;
    std::vector<std::byte> in_;
};

} // namespace chimera::quic
