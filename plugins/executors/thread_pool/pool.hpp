// The scheduler behind the executor: workers, their queues, who sleeps and who drives the reactor.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <memory>

#include <chimera/sdk/epoll_reactor.hpp>
#include <chimera/sdk/executor_lifecycle.hpp>

#include "queues.hpp"

namespace chimera::thread_pool {

/// Where one worker sleeps: on a futex, or in the reactor. A wake-up that comes before the sleep ends it at once, so
/// none is lost between the decision to sleep and the sleep.
class parker {
  public:
    /// [owner] Sleeps until unpark; with a limit, at most that long. False when the limit passed.
    bool sleep(const timespec* limit) noexcept {
        if (std::uint32_t state = awake; state_.compare_exchange_strong(state, asleep)) {
            while (state_.load() == asleep) {
                const long rc =
                    ::syscall(SYS_futex, &state_, FUTEX_WAIT_PRIVATE, std::uint32_t{asleep}, limit, nullptr, 0);
                state = asleep;
                if (rc < 0 && errno == ETIMEDOUT && state_.compare_exchange_strong(state, awake)) return false;
            }
        }
        state_.exchange(awake);
        return true;
    }

    /// [owner, holds the role of the driver] Sleeps in the reactor until unpark or until something is ready.
    void drive(sdk::epoll_reactor& reactor) noexcept {
        if (std::uint32_t state = awake; state_.compare_exchange_strong(state, driving)) reactor.turn(-1);
        state_.exchange(awake);
    }

    /// [any-thread while the reactor lives] One system call if the owner sleeps, none otherwise.
    void unpark(sdk::epoll_reactor& reactor) noexcept {
        switch (state_.exchange(notified)) {
        case asleep:
            ::syscall(SYS_futex, &state_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
            break;
        case driving:
            reactor.interrupt();
            break;
        default:
            break;
        }
    }

  private:
    enum : std::uint32_t { awake, asleep, driving, notified };

    std::atomic<std::uint32_t> state_{awake};
    static_assert(sizeof state_ == sizeof(std::uint32_t)); // it is the futex
};

struct pool_options {
    std::uint32_t workers = 1; ///< at most pool::max_workers
    bool steal = true;
    std::uint32_t event_interval = 61; ///< polls between two looks at the reactor and at the injector while busy
};

struct worker {
    // Any thread.
    std::uint32_t index = 0;
    run_queue ring;       // steal = true: runnable cells
    sdk::cell_inbox mail; // steal = false: cells of this worker that others woke
    parker parking;
    // This worker only.
    sdk::cell_list local; // steal = false: runnable cells
    std::uint32_t polls = 0;
    std::uint32_t victim = 0; // where the next search begins
    bool searching = false;   // counted in pool::searching_
    bool listed = false;      // has set its bit in pool::parked_; a notifier may have cleared it since
    bool polling = false;     // inside a task's poll
    bool off_watch = false;   // has turned the reactor, or slept, since it last made sure that a worker looks at it

    std::uint64_t bit() const noexcept { return std::uint64_t{1} << index; }
};

/// How no wake is lost when a worker falls asleep: a notifier first queues the cell, then looks at searching_ and
/// parked_; a worker first leaves searching_ and enters parked_, then looks at all queues once more. All of these are
/// sequentially consistent, so one of the two sees the other. A worker that stops searching because it found something
/// wakes another one if it was the last: a notifier that relied on the search loses nothing.
///
/// A cell that moves from one queue to another is in neither for a moment, and a worker that looks then may fall
/// asleep. So the thread that moves cells is a notifier too. Example: a worker takes four cells from the injector,
/// another one finds nothing and sleeps, and the first polls one of the four for a second: the other three need the
/// notice that they are in its ring. A thief gives it by stop_searching, as it is counted in searching_. Only a cell
/// that its worker polls next needs none.
class pool {
  public:
    static constexpr std::uint32_t max_workers = 64; // parked_ has 64 bits

    /// Throws std::bad_alloc, std::system_error.
    explicit pool(const pool_options& options);

    sdk::executor_lifecycle<pool>& life() noexcept { return life_; }
    const sdk::executor_lifecycle<pool>& life() const noexcept { return life_; }
    sdk::epoll_reactor& reactor() noexcept { return reactor_; }

  private:
    friend sdk::executor_lifecycle<pool>;

    std::uint32_t size() const noexcept { return options_.workers; }

    // for the lifecycle, and queues (pool.cpp)
    void queue(sdk::task_cell& cell) noexcept;
    void queue_here(sdk::task_cell& cell, std::uint32_t index) noexcept;
    void work(std::uint32_t index) noexcept;
    void interrupt() noexcept;
    void push(worker& w, sdk::task_cell& cell) noexcept;
    sdk::task_cell* next(worker& w) noexcept;
    sdk::task_cell* search(worker& w) noexcept;
    sdk::task_cell* from_injector(worker& w) noexcept;
    void poll(worker& w, sdk::task_cell& cell) noexcept;
    bool sees_work(const worker& w) const noexcept;

    // sleeping (parking.cpp)
    void notify_one() noexcept;
    void notify_pinned(worker& target) noexcept;
    void wake_one() noexcept;
    worker* take_sleeper() noexcept;
    void stop_searching(worker& w) noexcept;
    void unlist(worker& w) noexcept;
    void park(worker& w) noexcept;
    void keep_watch(worker& w) noexcept;
    void sleep_on_standby(worker& w) noexcept;
    bool try_drive(worker& w) noexcept;
    void look_at_reactor(worker& w) noexcept;

    const pool_options options_;
    sdk::epoll_reactor reactor_;
    const std::unique_ptr<worker[]> workers_;
    injector injector_; // steal = true
    std::atomic<std::uint64_t> parked_{
        0}; // bit per worker that sleeps or is about to; the thread that clears it wakes the worker
    std::atomic<std::uint64_t> driver_{0};    // bit of the worker that turns the reactor, if any
    std::atomic<std::uint32_t> searching_{0}; // steal = true: workers awake without work, or being woken to look
    std::atomic<bool> standby_{false};        // one sleeper has a limit, to take over an abandoned reactor
    sdk::executor_lifecycle<pool> life_;
};

} // namespace chimera::thread_pool
