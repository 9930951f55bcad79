// A coroutine polled by the test itself.
#pragma once

#include <chimera/sdk/task.hpp>

#include <atomic>
#include <thread>

namespace chimera::test {

/// Counts wakes; lives on the test's stack. Whoever wakes gives its reference back after the wake is seen, so the end
/// waits for that: without it the next waker on the same stack could be reached by the last one's thread.
struct flag_waker : chm_waker {
    std::atomic<int> wakes{0}, refs{1};
    flag_waker() : chm_waker{&table} {}
    ~flag_waker() {
        while (refs.load() != 1) std::this_thread::yield();
    }
    static flag_waker& self(chm_waker* w) { return *static_cast<flag_waker*>(w); }
    static chm_waker* clone(chm_waker* w) noexcept {
        self(w).refs.fetch_add(1);
        return w;
    }
    static void wake(chm_waker* w) noexcept {
        self(w).wakes.fetch_add(1);
        self(w).refs.fetch_sub(1);
    }
    static void wake_by_ref(chm_waker* w) noexcept { self(w).wakes.fetch_add(1); }
    static void drop(chm_waker* w) noexcept { self(w).refs.fetch_sub(1); }
    static constexpr chm_waker_vt table{clone, wake, wake_by_ref, drop};
};

/// A root task with a waker of its own.
class polled_by_hand {
  public:
    explicit polled_by_hand(sdk::task<void> body) : task_(sdk::root_task::create(std::move(body))) {}
    polled_by_hand(const polled_by_hand&) = delete;
    polled_by_hand& operator=(const polled_by_hand&) = delete;
    ~polled_by_hand() { drop(); }
    chm_rc poll() { return task_->vt->poll(task_, &waker); }
    void drop() {
        if (task_) task_->vt->drop(task_);
        task_ = nullptr;
    }
    flag_waker waker;

  private:
    chm_task* task_;
};

} // namespace chimera::test
