// A curl multi handle whose sockets and timeouts wait in a chm_reactor.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <chimera/sdk/reactor.hpp>
#include <curl/curl.h>

#include "curl_handle.hpp"

namespace chimera::curl {

/// Drives one easy handle at a time. Everything happens on the polls of one task, so that an affine reactor will do.
///
/// curl announces its sockets and timeouts through callbacks, from inside its own calls. The callbacks only write them
/// down; turn() acts on them:
///   socket callback        IN/OUT: an entry to be watched.  REMOVE: the entry goes, and with it the registration,
///   because
///                          curl may close the descriptor next (its resolver's does not pass the close callback)
///   timer callback         the moment when curl wants to be called; -1: none; 0: at the next turn
///   close-socket callback  gives up a registration before close(fd)
class multi_driver {
  public:
    static constexpr std::uint64_t never = UINT64_MAX;

    /// The work of one turn.
    enum class turned {
        nothing, ///< nothing was ready; the waker waits on every socket
        timeout, ///< curl's timeout was served
        written, ///< a writable socket was served
        read     ///< a readable socket was served at readable_ns()
    };

    /// Borrows the reactor, which outlives this object.
    explicit multi_driver(chm_reactor& reactor);
    multi_driver(const multi_driver&) = delete;
    multi_driver& operator=(const multi_driver&) = delete;

    /// Gives an easy handle its CURLOPT_CLOSESOCKETFUNCTION.
    void adopt(CURL* easy);
    /// Begins a transfer. No I/O yet. Throws sdk::error.
    void add(CURL* easy);
    /// Ends a transfer, finished or not: an unfinished one loses its connection. Afterwards nothing is registered and
    /// no waker is held.
    void remove(CURL* easy) noexcept;

    /// Serves one thing that is ready. ahead: when curl is about to read, the bytes that it will find are appended;
    /// nullptr: they are not wanted. Throws sdk::error when the reactor refuses a socket, also later
    /// (CHM_E_AFFINITY).
    turned turn(chm_waker* waker, std::string* ahead);
    /// When curl has finished the transfer: its result.
    std::optional<CURLcode> finished() noexcept;
    /// True when curl's timeout or `deadline_ns` may have passed: take another turn and look. False: the waker will be
    /// woken then, or somewhat earlier. Lazy: a deadline that moves on does not re-arm the timer before it fires.
    /// Throws sdk::error when the reactor refuses.
    bool expired(std::uint64_t deadline_ns, chm_waker* waker);

    /// When the reactor last said that a socket is readable. CLOCK_MONOTONIC, ns.
    std::uint64_t readable_ns() const noexcept { return readable_ns_; }

    /// Bytes that curl has read from the socket that it read last, since the connection began. 0: not known (not TCP,
    /// or closed).
    std::uint64_t taken() const noexcept;

    /// Bytes that the socket which curl gave up last had received until then, as the kernel counted them.
    std::uint64_t received_at_removal() const noexcept { return received_at_removal_; }

    /// From the open-socket callback: the connection's socket. Throws std::bad_alloc.
    void opened(curl_socket_t fd) { connections_.push_back(fd); }
    /// [between transfers] Closes idle connections that have unexpected bytes, and says whether there was one. curl by
    /// itself would keep such a connection until another one has served. A server that takes one connection at a time
    /// would wait for that.
    bool end_unread() noexcept;

  private:
    struct watched {
        curl_socket_t fd;
        std::uint32_t interest;
        std::uint64_t serial; // tells an entry from a later one with the same descriptor
        sdk::io io;           // empty until the next turn
    };

    static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) noexcept;
    static int on_timer(CURLM*, long timeout_ms, void* self) noexcept;
    static int on_close(void* self, curl_socket_t fd) noexcept;

    watched* find(curl_socket_t fd) noexcept;
    void forget(curl_socket_t fd) noexcept;
    void act(curl_socket_t fd, int events);

    chm_reactor& reactor_;
    std::vector<watched> sockets_;
    bool out_of_memory_ = false; // a callback could not write something down
    std::uint64_t next_serial_ = 0;
    std::uint64_t due_ns_ = never; // curl's timeout
    std::uint64_t readable_ns_ = 0;
    curl_socket_t read_fd_ = -1;
    std::uint64_t received_at_removal_ = 0;
    std::vector<curl_socket_t> connections_; // opened and not closed; not the sockets of curl's resolver
    sdk::timer timer_;
    std::uint64_t armed_ns_ = never; // the deadline of timer_
    multi_handle multi_;             // last: its end calls back
};

} // namespace chimera::curl
