// Polls on the test's own thread: an epoll reactor that is turned until the waker of the poll was woken.
#pragma once

#include <atomic>
#include <chrono>
#include <stdexcept>

#include <chimera/sdk/epoll_reactor.hpp>

namespace curl_test {

/// One thread's "executor". Counts wakers, so that a test sees when one was kept.
class turned_reactor {
  public:
    chm_reactor* reactor() noexcept { return &reactor_; }
    /// Calls poll(waker) until it is not CHM_PENDING; a poll happens only after a wake. Throws after 20 s.
    template <class Poll>
    chm_rc until_ready(Poll poll) {
        for (woken_ = true;;) {
            if (woken_.exchange(false)) {
                ++polls_;
                if (const chm_rc rc = poll(&waker_); rc != CHM_PENDING) return rc;
            } else {
                const auto began = std::chrono::steady_clock::now();
                while (!woken_) {
                    reactor_.turn(100);
                    if (std::chrono::steady_clock::now() - began > std::chrono::seconds(20))
                        throw std::runtime_error("no wake came for 20 s");
                }
            }
        }
    }
    /// Turns the reactor for a while and says whether anything was woken.
    bool wakes_within(int ms) {
        woken_ = false;
        const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
        while (std::chrono::steady_clock::now() < end) reactor_.turn(5);
        return woken_;
    }
    int wakers() const noexcept { return wakers_; }
    int polls() const noexcept { return polls_; }

  private:
    struct counted_waker : chm_waker {
        turned_reactor* owner;
    };
    static turned_reactor& of(chm_waker* w) noexcept { return *static_cast<counted_waker*>(w)->owner; }
    static chm_waker* clone(chm_waker* w) noexcept {
        ++of(w).wakers_;
        return w;
    }
    static void wake(chm_waker* w) noexcept {
        wake_by_ref(w);
        drop(w);
    }
    static void wake_by_ref(chm_waker* w) noexcept { of(w).woken_ = true; }
    static void drop(chm_waker* w) noexcept { --of(w).wakers_; }
    static constexpr chm_waker_vt vtable{clone, wake, wake_by_ref, drop};

    chimera::sdk::epoll_reactor reactor_;
    counted_waker waker_{{&vtable}, this};
    std::atomic<bool> woken_{false};
    std::atomic<int> wakers_{0};
    int polls_ = 0;
};

} // namespace curl_test
