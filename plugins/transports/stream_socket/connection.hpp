// One connection, over TCP or a unix socket, registered with a reactor.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base_url.hpp"
#include "chimera/sdk/owned_fd.hpp"
#include "chimera/sdk/reactor.hpp"

namespace chimera::stream_socket {

/// A waker without effect. It replaces a real one in a reactor.
chm_waker* nobody() noexcept;

/// Owner of a socket and of its registration; empty until open(). Used on the session's worker.
///
/// Where the reactor receives by itself (receives != nullptr), it does so from the connection's establishment on; the
/// registration is then there only while something waits for room to write. Either way the owner sees readiness.
class connection {
  public:
    /// receives: the reactor's extension, or nullptr. kernel_timestamps: asks the kernel to stamp what it receives.
    connection(chm_reactor* reactor, const chm_recv_ops* receives, bool kernel_timestamps) noexcept
        : reactor_(reactor), receives_(receives), kernel_timestamps_(kernel_timestamps) {}

    explicit operator bool() const noexcept { return static_cast<bool>(fd_); }

    /// [closed] Begins to connect. False: still closed, because the queue of a unix socket's listener is full; no event
    /// tells when there is room again. Throws sdk::error(CHM_E_CONNECT,
    /// CHM_E_TIMEOUT, CHM_E_IO) and is closed then.
    bool open(const address& to);
    /// True once the connection is established. Throws as open() does.
    bool poll_open(chm_waker* waker);
    /// Deregisters, ends the receive, then closes.
    void close() noexcept;

    /// Return as send(2) and recv(2) do, with errno; never interrupted by a signal.
    ssize_t send(std::string_view bytes) noexcept;
    /// stamp_ns: when the kernel received the last segment of these bytes, CLOCK_REALTIME; 0: unknown. The kernel joins
    /// unread segments to one, with the time of the last.
    ssize_t receive(char* to, std::size_t capacity, std::uint64_t& stamp_ns) noexcept;

    /// Readiness, as sdk::io. Throws sdk::error where the reactor refuses the registration.
    std::uint32_t poll(std::uint32_t interest, chm_waker* waker);
    void drained(std::uint32_t seen, std::uint32_t bits) noexcept;
    /// The error that the socket itself has pending, as errno; 0: none.
    int pending_error() const noexcept;

    /// [between two exchanges] Whether the other end is still there and silent, as it must be: one system call.
    bool idle_and_open();
    /// [between two exchanges] Makes sure that no waker of the last exchange is woken any more.
    void forget_waker() noexcept;

    /// When the connection was established.
    std::uint64_t connected_ns() const noexcept { return connected_ns_; }

  private:
    void established();
    ssize_t take_received(char* to, std::size_t capacity, std::uint64_t& stamp_ns) noexcept;

    chm_reactor* reactor_;
    const chm_recv_ops* receives_;
    const bool kernel_timestamps_;
    bool stamped_ = false; // kernel_timestamps_, and over TCP
    sdk::owned_fd fd_;
    sdk::io io_;             // destroyed before fd_
    sdk::receiver receiver_; // likewise; receives_ != nullptr, and connected
    std::uint64_t connected_ns_ = 0;
};

} // namespace chimera::stream_socket
