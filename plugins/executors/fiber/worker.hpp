// One thread's tasks: its queue, its inbox, its reactor and its stacks.
#pragma once

#include <atomic>
#include <cstdint>

#include <chimera/sdk/cell_queue.hpp>
#include <chimera/sdk/epoll_reactor.hpp>
#include <chimera/sdk/task_cell.hpp>

#include "stack_pool.hpp"

namespace chimera::fiber {

class fiber_scheduler;

/// A task belongs to one worker from spawn to drop. No function is inline that a fiber's body or the algorithm calls:
/// see fiber_body.cpp.
class worker {
  public:
    worker(fiber_scheduler& owner, std::uint32_t index, std::size_t stack_size)
        : stacks(stack_size), owner_(owner), index_(index) {}
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;

    fiber_scheduler& owner() const noexcept { return owner_; }
    std::uint32_t index() const noexcept { return index_; }

    /// [any thread while the reactor lives] Queues a cell of this worker's.
    void deliver(sdk::task_cell& cell) noexcept;
    /// [any thread while the reactor lives] Ends wait().
    void interrupt() noexcept { reactor.interrupt(); }

    // [this worker's thread]
    void push(sdk::task_cell& cell) noexcept { runnable_.push(cell); }
    /// The cell to be polled next; stays queued.
    sdk::task_cell* front() const noexcept;
    void pop() noexcept;
    /// Polls once. False: the task is done, and the cell may be gone.
    bool poll(sdk::task_cell& cell) noexcept;
    /// Queues what others woke; with `look`, also asks the reactor, without waiting.
    void collect(bool look) noexcept;
    /// Waits in the reactor until something is runnable or the run ends, up to timeout_ms (-1: no limit).
    void wait(int timeout_ms) noexcept;
    /// True when no poll may begin any more.
    bool ended() const noexcept;
    /// Polls between two looks at the reactor while tasks are runnable.
    std::uint32_t event_interval() const noexcept;

    /// [no run in progress] Gives back what is queued.
    void release_queued() noexcept;

    sdk::live_tasks live; // tasks of this worker that are not done
    sdk::epoll_reactor reactor;
    stack_pool stacks;

  private:
    fiber_scheduler& owner_;
    const std::uint32_t index_;
    // Any thread.
    sdk::cell_inbox inbox_;
    std::atomic<bool> waiting_{false}; // about to wait in the reactor, or waiting; who clears it interrupts
    // This worker's thread.
    sdk::cell_list runnable_;
};

/// [a thread of its own] Makes the calling thread run the worker's tasks, a fiber for each, until the run has ended.
/// Fibers and stacks are gone when the thread is.
void run_fibers(worker& w);

} // namespace chimera::fiber
