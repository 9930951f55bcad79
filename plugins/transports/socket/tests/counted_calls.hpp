// What this thread asked of the system and of the heap: this executable's own recv, epoll_ctl, ... stand before libc's.
#pragma once

#include <cstdint>

namespace chimera::socket::test {

struct call_counts {
    std::uint64_t allocations = 0;
    std::uint64_t receives = 0; ///< recv and recvmsg
    std::uint64_t clock_reads = 0;
    std::uint64_t registrations = 0; ///< epoll_ctl of any kind
    std::uint64_t alarms = 0;        ///< timerfd_settime
    std::uint64_t failed_deregistrations = 0;
    std::int64_t held_bytes = 0; ///< of the heap: taken, and not given back, by this thread
};

/// While it lives, getaddrinfo waits.
class held_resolver {
  public:
    held_resolver() noexcept;
    ~held_resolver();
    held_resolver(const held_resolver&) = delete;
    held_resolver& operator=(const held_resolver&) = delete;
    /// Returns once a thread waits in getaddrinfo.
    void wait_until_asked() const noexcept;
};

/// While it lives, this process sees a CLOCK_REALTIME that somebody has set forward by so many seconds.
class shifted_realtime {
  public:
    explicit shifted_realtime(int seconds) noexcept;
    ~shifted_realtime();
    shifted_realtime(const shifted_realtime&) = delete;
    shifted_realtime& operator=(const shifted_realtime&) = delete;
};

/// The calling thread's counts, since it began.
call_counts& calls() noexcept;

} // namespace chimera::socket::test
