// One thread's worth of a pinned executor, whatever its loop waits in: the tasks that live there and their queue.
#pragma once

#include <atomic>
#include <cstdint>

#include "chimera/abi/plugin.h"
#include "chimera/sdk/task_cell.hpp"
#include "inbox.hpp"
#include "roster.hpp"

namespace chimera::pinned {

/// The object outlives the executor for as long as a waker of its tasks does; the loop does not: close() ends it.
class worker : public sdk::scheduler {
  public:
    /// The worker whose thread this is, or nullptr.
    static worker* current() noexcept;

    // --- any thread ---

    /// Queues the cell: without a system call on this worker's own thread, through the inbox from any other.
    void schedule(sdk::task_cell& cell) noexcept override;
    /// Makes the loop look at the roster.
    void nudge() noexcept;
    sdk::live_tasks& tasks() noexcept { return tasks_; }
    const roster& roll() const noexcept { return roll_; }
    std::uint32_t number() const noexcept { return number_; }

    // --- this worker's thread ---

    /// Polls tasks until the roster says that the run is over, drops those that are left and closes the loop.
    void work() noexcept;
    /// [this worker's thread, or any where it never had one] Drops all tasks and ends the loop. Idempotent.
    void close() noexcept;

  protected:
    /// number: which one of the roster's workers it is, from 0.
    worker(roster& roll, std::uint32_t number, const chm_host* host) noexcept
        : roll_(roll), number_(number), host_(host) {}
    ~worker() override = default;

    /// [any thread, until close_loop] Ends the loop's wait, or keeps the next one from blocking.
    virtual void knock() noexcept = 0;
    /// [this worker's thread] Turns the loop until the roster says that the run is over.
    virtual void loop() noexcept = 0;
    /// [as close, once; knock is not called any more] Ends the loop.
    virtual void close_loop() noexcept = 0;

    /// [this worker's thread] Polls what is runnable, but not for ever: descriptors and timers want their turn.
    void poll_some() noexcept;
    bool runnable() const noexcept { return first_ != nullptr; }
    /// [this worker's thread] Queues what other threads have left.
    void take_mail() noexcept;
    bool mail() const noexcept { return !inbox_.empty(); }
    /// A descriptor or a timer that nobody deregistered.
    void complain() const noexcept;

  private:
    static constexpr unsigned polls_per_turn = 64;

    void append(sdk::task_cell& cell) noexcept;
    sdk::task_cell* pop() noexcept;

    roster& roll_;
    const std::uint32_t number_;
    const chm_host* const host_;

    // Any thread.
    sdk::live_tasks tasks_;
    inbox inbox_;
    std::atomic<std::uint32_t> senders_{0}; // threads that may be inside knock()

    // The worker's thread.
    sdk::task_cell* first_ = nullptr;
    sdk::task_cell* last_ = nullptr;
    bool closed_ = false;
};

} // namespace chimera::pinned
