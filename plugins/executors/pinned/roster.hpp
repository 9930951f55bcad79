// How many tasks an executor waits for, and whether its run is over.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>

#include "chimera/sdk/task_cell.hpp"

namespace chimera::pinned {

class worker;

/// One for each executor. Any thread. Admission and the end exclude each other: a task is either counted before the
/// end, and then it is polled or dropped by its worker, or it is refused.
class roster {
  public:
    enum class end { none, idle, stopped };

    /// [before anything else] Those to be told of the end; borrowed for good.
    void attend(std::span<worker* const> workers) noexcept { workers_ = workers; }

    /// Lists a task among a worker's, and counts it unless it is a service. False: over, not taken.
    bool admit(sdk::task_cell& cell, sdk::live_tasks& tasks) noexcept {
        std::lock_guard lock(mutex_);
        if (over()) return false;
        if (!cell.service()) ++alive_;
        tasks.add(cell);
        return true;
    }
    /// A task that was counted is done.
    void leave() noexcept;
    /// Run begins; with CHM_RUN_UNTIL_IDLE, the last task's leave ends it.
    void begin(std::uint32_t mode) noexcept;
    /// The end, unless it has come already.
    void stop() noexcept;

    bool over() const noexcept { return end_.load(std::memory_order_acquire) != end::none; }
    /// Waits for a stop in progress: after this, the stop that ended the run touches nothing of the executor any more.
    bool stopped() const noexcept {
        std::lock_guard lock(mutex_);
        return end_.load(std::memory_order_acquire) == end::stopped;
    }

  private:
    void end_if_idle() noexcept;
    void tell() const noexcept;

    std::span<worker* const> workers_; // constant while more than one thread is here
    std::atomic<end> end_{end::none};  // written under mutex_
    mutable std::mutex mutex_;
    std::size_t alive_ = 0; // tasks that are no services
    bool until_idle_ = false;
};

} // namespace chimera::pinned
