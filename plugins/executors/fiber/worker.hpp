// One worker: its queue, its reactor and its stacks.
#pragma once

#include <atomic>
#include <cstdint>

#include <chimera/sdk/epoll_reactor.hpp>

#include "../pinned/executor.hpp"
#include "stack_pool.hpp"

namespace chimera::fiber {

struct fiber_options {
    std::size_t stack_size = 0; ///< bytes
    std::uint32_t event_interval = 61;
};

/// No function is inline that a fiber's body or the algorithm calls: see fiber_body.cpp.
class worker final : public pinned::worker {
  public:
    /// Throws std::system_error.
    worker(sdk::lifecycle_state& life, const fiber_options& options)
        : pinned::worker(life, nullptr), stacks(options.stack_size), event_interval_(options.event_interval) {}

    /// [any-thread] Ends wait(), where there is one.
    void knock() noexcept {
        // The caller made wait()'s condition false before; wait() announces itself, then looks at the condition. One of
        // the two sees the other.
        if (waiting_.load() && waiting_.exchange(false)) reactor.interrupt();
    }
    /// [any-thread] The same, for callers that change no condition.
    void interrupt() noexcept;

    // --- this worker's thread ---

    /// Makes the calling thread run the worker's tasks, a fiber for each, until the run has ended.
    void loop() noexcept;
    void end_loop() noexcept {}

    /// The cell to be polled next; stays queued.
    sdk::task_cell* front() const noexcept;
    void pop() noexcept;
    void push_back(sdk::task_cell& cell) noexcept;
    /// Polls once. False: the task is done, and the cell may be gone.
    bool poll(sdk::task_cell& cell) noexcept;
    /// Queues the tasks that others woke; with `look`, also asks the reactor, without waiting.
    void collect(bool look) noexcept;
    /// Waits in the reactor until something is runnable or the run ends, up to timeout_ms (-1: no limit).
    void wait(int timeout_ms) noexcept;
    /// True when no poll may begin any more.
    bool ended() const noexcept;
    /// Polls between two looks at the reactor while tasks are runnable.
    std::uint32_t event_interval() const noexcept;

    sdk::epoll_reactor reactor;
    stack_pool stacks;

  private:
    const std::uint32_t event_interval_;
    std::atomic<bool> waiting_{false}; // about to wait in the reactor, or waiting; a thread that clears it interrupts
};

/// [a thread of its own] As worker::loop. Fibers and stacks are gone when the thread is.
void run_fibers(worker& w);

} // namespace chimera::fiber
