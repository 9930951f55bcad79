// Polls on the test's own thread: an epoll reactor that is turned until the waker of the poll was woken.
#pragma once

#include <atomic>
#include <chrono>
#include <stdexcept>

#include <chimera/sdk/epoll_reactor.hpp>

#include "conformance/kit/counting_waker.hpp"

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
                if (const chm_rc rc = poll(waker_.get()); rc != CHM_PENDING) return rc;
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
    int wakers() const noexcept { return waker_.references(); }
    int polls() const noexcept { return polls_; }

  private:
    chimera::sdk::epoll_reactor reactor_;
    std::atomic<bool> woken_{false};
    chimera::conformance::counting_waker waker_{chimera::sdk::waker(), [this] { woken_ = true; }};
    int polls_ = 0;
};

} // namespace curl_test
