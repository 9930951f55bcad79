// The one queue from which all workers of the executor take their tasks.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>

#include "chimera/abi/executor.h"
#include "chimera/sdk/task_cell.hpp"

namespace chimera::async_std_bridge {

/// Runnable tasks, how many tasks the run waits for, and whether it is over. Any thread. Outlives the executor as
/// long as a waker does; once over, a wake only gives its reference back.
class run_queue final : public sdk::scheduler {
  public:
    enum class end { none, idle, stopped };

    void schedule(sdk::task_cell& cell) noexcept override {
        {
            std::lock_guard lock(mutex_);
            if (end_ == end::none) {
                append(cell);
                // Under the lock: as soon as it is free, another thread may finish the task and with it this queue.
                ready_.notify_one();
                return;
            }
        }
        cell.release();
    }

    /// Takes a task in, queued for its first poll. False: over, the cell stays the caller's.
    bool admit(sdk::task_cell& cell) noexcept {
        std::lock_guard lock(mutex_);
        if (end_ != end::none) return false;
        if (!cell.service()) ++alive_;
        tasks_.add(cell);
        append(cell);
        ready_.notify_one();
        return true;
    }
    /// [worker] The next task; waits for one. nullptr: the run is over.
    sdk::task_cell* next() noexcept {
        std::unique_lock lock(mutex_);
        ready_.wait(lock, [this] { return first_ != nullptr || end_ != end::none; });
        return end_ == end::none ? pop() : nullptr;
    }
    /// [worker] The task is done.
    void leave(sdk::task_cell& cell) noexcept {
        const bool counted = !cell.service();
        tasks_.remove(cell);
        if (!counted) return;
        std::lock_guard lock(mutex_);
        --alive_;
        end_if_idle();
    }
    void begin(std::uint32_t mode) noexcept {
        std::lock_guard lock(mutex_);
        until_idle_ = mode == CHM_RUN_UNTIL_IDLE;
        end_if_idle();
    }
    /// Ends the run and calls also(), all under the lock: the run cannot return, and the executor not be destroyed,
    /// before the stop that ended it is through.
    template <class F>
    void stop(F&& also) noexcept {
        std::lock_guard lock(mutex_);
        if (end_ == end::none) end_ = end::stopped;
        also();
        ready_.notify_all();
    }
    bool stopped() const noexcept {
        std::lock_guard lock(mutex_);
        return end_ == end::stopped;
    }
    /// [over; no task is being polled; where tasks may be dropped] Drops all tasks.
    void drop_all() noexcept {
        tasks_.drop_all();
        std::unique_lock lock(mutex_);
        while (sdk::task_cell* cell = pop()) {
            lock.unlock();
            cell->release();
            lock.lock();
        }
    }

  private:
    ~run_queue() override = default;
    void append(sdk::task_cell& cell) noexcept {
        cell.next = nullptr;
        (last_ ? last_->next : first_) = &cell;
        last_ = &cell;
    }
    sdk::task_cell* pop() noexcept {
        sdk::task_cell* cell = first_;
        if (cell && !(first_ = cell->next)) last_ = nullptr;
        return cell;
    }
    void end_if_idle() noexcept {
        if (!until_idle_ || end_ != end::none || alive_ != 0) return;
        end_ = end::idle;
        ready_.notify_all();
    }

    sdk::live_tasks tasks_;
    mutable std::mutex mutex_;
    std::condition_variable ready_;
    // Guarded by mutex_.
    sdk::task_cell* first_ = nullptr;
    sdk::task_cell* last_ = nullptr;
    std::size_t alive_ = 0; // tasks that are no services
    end end_ = end::none;
    bool until_idle_ = false;
};

} // namespace chimera::async_std_bridge
