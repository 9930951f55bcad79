// A waker of the kit's own around another one, for one poll: it knows whether anybody will use it.
#pragma once

#include <atomic>
#include <string>

#include "chimera/sdk/waker.hpp"
#include "probe.hpp"

namespace chimera::conformance {

/// Lent to a plugin in place of the waker of the task that polls. What the plugin clones counts as kept, until it is
/// woken or dropped; wakes are passed on. The plugin may hold it for as long as it likes. Any thread.
class watched_waker {
  public:
    explicit watched_waker(chm_waker* around) : watched_(new watched(around)) {}
    watched_waker(const watched_waker&) = delete;
    watched_waker& operator=(const watched_waker&) = delete;
    ~watched_waker() { watched_->release(); }

    /// To be lent.
    chm_waker* get() const noexcept { return watched_; }
    /// Somebody holds a reference beside this one, or has woken it: a poll that answered 0 may be waited for.
    bool is_kept_or_woken() const noexcept {
        return watched_->references.load(std::memory_order_acquire) > 1 || watched_->woken.load();
    }

  private:
    struct watched final : chm_waker {
        explicit watched(chm_waker* around) : chm_waker{&vtable}, to(sdk::waker::clone(around)) {}
        const sdk::waker to;
        std::atomic<unsigned> references{1};
        std::atomic<bool> woken{false};

        void wake_once() noexcept {
            woken = true; // before the reference is given back: who sees none sees this
            to.wake_by_ref();
        }
        void release() noexcept {
            if (references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
        }
    };
    static watched& self(chm_waker* w) noexcept { return *static_cast<watched*>(w); }
    static constexpr chm_waker_vt vtable{
        [](chm_waker* w) noexcept {
            self(w).references.fetch_add(1, std::memory_order_relaxed);
            return w;
        },
        [](chm_waker* w) noexcept {
            self(w).wake_once();
            self(w).release();
        },
        [](chm_waker* w) noexcept { self(w).wake_once(); },
        [](chm_waker* w) noexcept { self(w).release(); },
    };
    watched* watched_;
};

/// Of the task that this thread polls: something that it waits for answered 0 and will never wake it. Whoever polls
/// coroutines ends the task then; it would hang.
inline thread_local bool nobody_will_wake = false;

/// After a call of a plugin that was given `w` and has answered `pending`: reports the broken rule when nobody will
/// wake.
inline void expect_a_wake(const watched_waker& w, bool pending, const char* call, ledger& to) {
    if (!pending || w.is_kept_or_woken()) return;
    nobody_will_wake = true;
    to.report(std::string(call) +
              " answered 0 (CHM_OK is CHM_PENDING) and kept no waker: nothing will ever wake this task");
}

} // namespace chimera::conformance
