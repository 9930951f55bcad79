// A waker that resumes a thread instead of a task: with it, a poll can block.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <utility>

#include "chimera/abi/waker.h"

namespace chimera::async_std_bridge {

/// Each worker has one. Reference counted: foreign reactors keep clones of it.
class thread_waker final : public chm_waker {
  public:
    /// owner: names the executor.
    explicit thread_waker(const void* owner) noexcept : chm_waker{&vtable}, owner_(owner) {}
    thread_waker(const thread_waker&) = delete;
    thread_waker& operator=(const thread_waker&) = delete;

    /// The one of the worker whose thread this is, if it is one of `owner`'s; otherwise nullptr.
    static thread_waker* current(const void* owner) noexcept {
        return mine() && mine()->owner_ == owner ? mine() : nullptr;
    }
    /// [the worker's thread] Makes this the thread's own.
    void settle() noexcept { mine() = this; }

    /// [the worker's thread] Holds the thread until a wake, or returns at once where one came since the last park. A
    /// wake may be a late one, meant for something earlier: look again. False: the executor is being stopped.
    bool park() noexcept {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return woken_ || stopped_; });
        return std::exchange(woken_, false) && !stopped_;
    }
    /// [any-thread] No park blocks from now on.
    void stop() noexcept {
        std::lock_guard lock(mutex_);
        stopped_ = true;
        changed_.notify_one();
    }
    /// Gives the creator's reference back.
    void release() noexcept {
        if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }

  private:
    ~thread_waker() = default;
    static thread_waker*& mine() noexcept {
        static thread_local thread_waker* p = nullptr;
        return p;
    }
    static thread_waker& self(chm_waker* w) noexcept { return *static_cast<thread_waker*>(w); }
    void unpark() noexcept {
        std::lock_guard lock(mutex_);
        woken_ = true;
        changed_.notify_one();
    }

    static chm_waker* clone(chm_waker* w) noexcept {
        self(w).refs_.fetch_add(1, std::memory_order_relaxed);
        return w;
    }
    static void wake(chm_waker* w) noexcept {
        self(w).unpark();
        self(w).release();
    }
    static void wake_by_ref(chm_waker* w) noexcept { self(w).unpark(); }
    static void drop(chm_waker* w) noexcept { self(w).release(); }
    static constexpr chm_waker_vt vtable{clone, wake, wake_by_ref, drop};

    const void* const owner_;
    std::atomic<std::uint32_t> refs_{1};
    std::mutex mutex_;
    std::condition_variable changed_;
    bool woken_ = false;
    bool stopped_ = false;
};

} // namespace chimera::async_std_bridge
