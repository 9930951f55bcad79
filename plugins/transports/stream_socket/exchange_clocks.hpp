// The clocks of an exchange: when bytes arrived, and when a time limit has passed.
#pragma once

#include <atomic>
#include <cstdint>

#include "chimera/abi/reactor.h"

namespace chimera::stream_socket {

/// The kernel stamps in CLOCK_REALTIME. Both clocks are slewed alike, so their distance changes only when somebody sets
/// the time: it is measured with an exchange's first stamp, and again when that is more than a second ago. Looking at a
/// clock makes no system call (vDSO).
class arrival_clock {
  public:
    /// For the next exchange.
    void begin() noexcept { measured_ns_ = latest_ns_ = 0; }
    /// When the kernel received the bytes that it stamped (CLOCK_REALTIME ns), in CLOCK_MONOTONIC ns: not before
    /// not_before_ns, not before an earlier answer of this exchange, and not after now_ns. 0 where there is no stamp
    /// (0).
    std::uint64_t monotonic(std::uint64_t stamp_ns, std::uint64_t not_before_ns, std::uint64_t now_ns) noexcept;

  private:
    void measure() noexcept;

    std::int64_t distance_ns_ = 0; // CLOCK_REALTIME - CLOCK_MONOTONIC
    std::uint64_t measured_ns_ = 0;
    std::uint64_t latest_ns_ = 0;
};

/// Tells a task that a deadline has passed. Moving the deadline further into the future touches neither the reactor nor
/// the clock: the timer stays where it is, goes off too early and is then set again. Whether it went off is seen by a
/// relay, a waker that leaves a mark and wakes the task. Used on the session's worker.
class deadline_alarm {
  public:
    explicit deadline_alarm(chm_reactor* reactor) noexcept : reactor_(reactor) {}
    deadline_alarm(const deadline_alarm&) = delete;
    deadline_alarm& operator=(const deadline_alarm&) = delete;
    ~deadline_alarm();

    /// True once deadline_ns has passed; otherwise waker will be woken then, or before. 0: no deadline, never true.
    /// Throws sdk::error when the reactor gives no timer.
    bool passed(std::uint64_t deadline_ns, chm_waker* waker);
    /// No waker is woken any more.
    void silence() noexcept;

  private:
    /// The waker that the timer gets. Reference counted, because the reactor may hold it longer than we live.
    class relay final : public chm_waker {
      public:
        relay() noexcept : chm_waker{&vtable} {}
        /// Wakes (a clone of) the borrowed waker when the timer goes off. One load when it is the same as before: the
        /// clone that is held here keeps its address from being another waker's.
        void aim(chm_waker* waker) noexcept {
            if (target_.load(std::memory_order_acquire) != waker) replace(waker->vt->clone(waker));
        }
        void aim_at_nobody() noexcept { replace(nullptr); }
        bool fired() const noexcept { return fired_.load(std::memory_order_acquire); }
        void reset() noexcept { fired_.exchange(false, std::memory_order_acq_rel); }
        void release() noexcept;

      private:
        void replace(chm_waker* owned) noexcept;
        void fire() noexcept;
        static relay& self(chm_waker* w) noexcept { return *static_cast<relay*>(w); }
        static const chm_waker_vt vtable;

        std::atomic<std::uint32_t> references_{1};
        std::atomic<bool> fired_{false};
        std::atomic<chm_waker*> target_{nullptr};
    };

    chm_reactor* const reactor_;
    chm_timer* timer_ = nullptr; // made with the first deadline, together with relay_
    relay* relay_ = nullptr;
    std::uint64_t armed_ns_ = 0; // the deadline of the timer; 0: none
};

} // namespace chimera::stream_socket
