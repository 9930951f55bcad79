// Owning wakers, and the slot in which a waker waits for an event.
#pragma once

#include <atomic>
#include <utility>

#include "../abi/waker.h"

namespace chimera::sdk {

/// An owned reference to a chm_waker. Movable; copying clones. Any thread, one at a time.
class waker {
  public:
    waker() noexcept = default;
    /// Clones a borrowed waker.
    static waker clone(chm_waker* borrowed) noexcept { return waker(borrowed->vt->clone(borrowed)); }
    /// Takes over a reference.
    explicit waker(chm_waker* owned) noexcept : raw_(owned) {}
    /// Clones.
    waker(const waker& o) noexcept : raw_(o.raw_ ? o.raw_->vt->clone(o.raw_) : nullptr) {}
    /// Leaves the other empty.
    waker(waker&& o) noexcept : raw_(std::exchange(o.raw_, nullptr)) {}
    /// Takes the other's reference, and drops its own.
    waker& operator=(waker o) noexcept {
        std::swap(raw_, o.raw_);
        return *this;
    }
    ~waker() {
        if (raw_) raw_->vt->drop(raw_);
    }

    /// Wakes and gives up the reference; does nothing when empty.
    void wake() noexcept {
        if (chm_waker* w = std::exchange(raw_, nullptr)) w->vt->wake(w);
    }
    /// Wakes and keeps the reference; does nothing when empty.
    void wake_by_ref() const noexcept {
        if (raw_) raw_->vt->wake_by_ref(raw_);
    }
    /// Becomes a clone of the borrowed waker, unless it is one already: for a waiter that polls again and again.
    void become(chm_waker* borrowed) noexcept {
        if (raw_ != borrowed) *this = clone(borrowed);
    }
    /// True if there is a reference.
    explicit operator bool() const noexcept { return raw_ != nullptr; }
    /// The raw waker, still owned here.
    chm_waker* get() const noexcept { return raw_; }
    /// The raw waker, now the caller's.
    chm_waker* release() noexcept { return std::exchange(raw_, nullptr); }

  private:
    chm_waker* raw_ = nullptr;
};

/// Where one waiter leaves its waker and an event takes it. Any thread, no lock. The order that loses no event:
/// waiter: set, then look at the condition again; event: make the condition true, then wake. Both sides are
/// read-modify-writes on the slot, so one of them always sees the other.
class waker_slot {
  public:
    waker_slot() noexcept = default;
    waker_slot(const waker_slot&) = delete;
    waker_slot& operator=(const waker_slot&) = delete;
    ~waker_slot() { clear(); }

    /// Leaves a clone of the borrowed waker; an earlier one is dropped, not woken.
    void set(chm_waker* borrowed) noexcept { waker old(slot_.exchange(borrowed->vt->clone(borrowed), order)); }
    /// Takes the waker, empty if there is none.
    waker take() noexcept { return waker(slot_.exchange(nullptr, order)); }
    /// Wakes the waiter, if there is one.
    void wake() noexcept { take().wake(); }
    /// Drops the waiter, if there is one, without waking it.
    void clear() noexcept { take(); }

  private:
    static constexpr auto order = std::memory_order_acq_rel;
    std::atomic<chm_waker*> slot_{nullptr};
};

} // namespace chimera::sdk
