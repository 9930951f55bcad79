// One thread's worth of a pinned executor, whatever its loop waits in: the queue of the tasks that live there.
#pragma once

#include <cstdint>

#include <chimera/abi/plugin.h>
#include <chimera/sdk/executor_lifecycle.hpp>

namespace chimera::pinned {

/// Base of each executor's worker, which has these functions beside:
///   void loop() noexcept      [this worker's thread] polls until life().ended()
///   void knock() noexcept     [any thread] ends the loop's wait, or keeps the next one from blocking
///   void end_loop() noexcept  [this worker's thread, after its tasks were dropped]
class worker {
  public:
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;

    /// The worker whose thread this is, or nullptr.
    static worker* current() noexcept { return current_; }

    const sdk::lifecycle_state& life() const noexcept { return life_; }

    /// [any thread] Leaves a runnable task. True: knock().
    bool post(sdk::task_cell& cell) noexcept { return inbox_.push(cell); }

    // --- this worker's thread ---

    void push(sdk::task_cell& cell) noexcept { runnable_.push(cell); }
    /// This thread is the worker's from now on.
    void settle() noexcept { current_ = this; }
    static void unsettle() noexcept { current_ = nullptr; }

  protected:
    worker(sdk::lifecycle_state& life, const chm_host* host) noexcept : life_(life), host_(host) {}
    ~worker() = default;

    bool runnable() const noexcept { return runnable_.front() != nullptr; }
    sdk::cell_list& queue() noexcept { return runnable_; }
    const sdk::cell_list& queue() const noexcept { return runnable_; }
    /// Queues the tasks that other threads have left.
    void take_mail() noexcept { inbox_.pop_into(runnable_); }
    bool mail() const noexcept { return !inbox_.empty(); }
    /// Polls what is runnable, but not for ever: descriptors and timers want their turn.
    void poll_some() noexcept;
    /// Polls once, and queues the task again where it wants that. False: the task is done, and the cell may be gone.
    bool poll(sdk::task_cell& cell) noexcept;
    /// Warns of a descriptor or a timer that was not deregistered.
    void complain() const noexcept;

  private:
    static constexpr unsigned polls_per_turn = 64;
    static inline constinit thread_local worker* current_ = nullptr;

    sdk::lifecycle_state& life_;
    const chm_host* const host_;
    sdk::cell_inbox inbox_;   // any thread
    sdk::cell_list runnable_; // the worker's thread
};

} // namespace chimera::pinned
