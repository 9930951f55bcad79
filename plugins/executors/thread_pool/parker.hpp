// Where one worker sleeps: on a futex, or in the reactor.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <ctime>

#include <chimera/sdk/epoll_reactor.hpp>

namespace chimera::thread_pool {

/// A wake-up that comes before the sleep ends it at once: nothing is lost between a decision to sleep and the sleep.
class parker {
  public:
    /// [owner] Sleeps until unpark; with a limit, at most that long. False when the limit passed.
    bool sleep(const timespec* limit) noexcept {
        if (std::uint32_t state = awake; state_.compare_exchange_strong(state, asleep)) {
            while (state_.load() == asleep) {
                const long rc =
                    ::syscall(SYS_futex, &state_, FUTEX_WAIT_PRIVATE, std::uint32_t{asleep}, limit, nullptr, 0);
                state = asleep;
                if (rc < 0 && errno == ETIMEDOUT && state_.compare_exchange_strong(state, awake)) return false;
            }
        }
        state_.exchange(awake);
        return true;
    }

    /// [owner, holds the role of the driver] Sleeps in the reactor until unpark or until something is ready.
    void drive(sdk::epoll_reactor& reactor) noexcept {
        if (std::uint32_t state = awake; state_.compare_exchange_strong(state, driving)) reactor.turn(-1);
        state_.exchange(awake);
    }

    /// [any thread while the reactor lives] One system call if the owner sleeps, none otherwise.
    void unpark(sdk::epoll_reactor& reactor) noexcept {
        switch (state_.exchange(notified)) {
        case asleep:
            ::syscall(SYS_futex, &state_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
            break;
        case driving:
            reactor.interrupt();
            break;
        default:
            break;
        }
    }

  private:
    enum : std::uint32_t { awake, asleep, driving, notified };

    std::atomic<std::uint32_t> state_{awake};
    static_assert(sizeof state_ == sizeof(std::uint32_t)); // it is the futex
};

} // namespace chimera::thread_pool
