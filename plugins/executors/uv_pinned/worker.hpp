// One thread's worth of the executor: a libuv loop and the tasks that live on it.
#pragma once

#include <uv.h>

#include <atomic>
#include <cstdint>
#include <unordered_set>

#include "chimera/abi/plugin.h"
#include "chimera/sdk/task_cell.hpp"
#include "inbox.hpp"
#include "roster.hpp"

namespace chimera::uv_pinned {

/// A loop, its run queue and its inbox. The object outlives the executor for as long as a waker of its tasks does; the
/// loop does not: close() ends it.
///
/// The queue is emptied in the loop's prepare phase, which stands between the callbacks that wake tasks (timers, and
/// the descriptors of the turn before) and the next wait. What is left after `polls_per_turn` polls waits for the next
/// turn, and an idle handle keeps the wait from blocking: tasks that always want to run starve neither descriptors nor
/// timers.
class worker final : public sdk::scheduler {
  public:
    /// Throws sdk::error when the system has no descriptors left for a loop.
    worker(roster& roll, const chm_host* host);

    /// The worker whose thread this is, or nullptr.
    static worker* current() noexcept;

    // --- any thread ---

    /// Queues the cell: without a system call on this worker's own thread, through the inbox from any other.
    void schedule(sdk::task_cell& cell) noexcept override;
    /// Makes the loop look at the roster.
    void nudge() noexcept;
    sdk::live_tasks& tasks() noexcept { return tasks_; }
    const roster& roll() const noexcept { return roll_; }

    // --- this worker's thread ---

    /// Polls tasks until the roster says that the run is over, drops those that are left and closes the loop.
    void work() noexcept;
    uv_loop_t* loop() noexcept { return &loop_; }
    /// The file descriptors that are registered on this loop.
    std::unordered_set<int>& registered() noexcept { return registered_; }

    /// [this worker's thread, or any where it never had one] Drops all tasks and ends the loop. Idempotent.
    void close() noexcept;

  private:
    static constexpr unsigned polls_per_turn = 64;

    ~worker() override = default;
    void turn() noexcept;
    void take_mail() noexcept;
    void append(sdk::task_cell& cell) noexcept;
    sdk::task_cell* pop() noexcept;
    void close_handles() noexcept;

    roster& roll_;
    const chm_host* const host_;

    // Any thread.
    sdk::live_tasks tasks_;
    inbox inbox_;
    std::atomic<std::uint32_t> senders_{0}; // threads that may be inside uv_async_send
    uv_async_t mail_{};

    // The worker's thread.
    uv_loop_t loop_{};
    uv_prepare_t before_wait_{};
    uv_idle_t no_wait_{};
    std::unordered_set<int> registered_;
    sdk::task_cell* first_ = nullptr;
    sdk::task_cell* last_ = nullptr;
    bool closed_ = false;
};

} // namespace chimera::uv_pinned
