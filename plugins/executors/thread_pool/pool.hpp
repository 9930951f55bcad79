// The scheduler behind the executor: workers, their queues, who sleeps and who drives the reactor.
#pragma once

#include <atomic>
#include <cstdint>
#include <latch>
#include <memory>

#include <chimera/sdk/cell_queue.hpp>
#include <chimera/sdk/epoll_reactor.hpp>
#include <chimera/sdk/gate.hpp>
#include <chimera/sdk/task_cell.hpp>

#include "injector.hpp"
#include "parker.hpp"
#include "run_queue.hpp"

namespace chimera::thread_pool {

class pool;

struct pool_options {
    std::uint32_t workers = 1; ///< at most pool::max_workers
    bool steal = true;
    std::uint32_t event_interval = 61; ///< polls between two looks at the reactor and at the injector while busy
};

struct worker {
    // Any thread.
    pool* owner = nullptr;
    std::uint32_t index = 0;
    run_queue ring;       // steal = true: runnable cells
    sdk::cell_inbox mail; // steal = false: cells of this worker that others woke
    parker parking;
    sdk::live_tasks live; // tasks that this worker drops at the end
    // This worker only.
    sdk::cell_list local; // steal = false: runnable cells
    std::uint32_t polls = 0;
    std::uint32_t victim = 0; // where the next search begins
    bool searching = false;   // counted in pool::searching_
    bool listed = false;      // has set its bit in pool::parked_; a notifier may have cleared it since
    bool polling = false;     // inside a task's poll
    bool off_watch = false;   // has turned the reactor, or slept, since it last made sure that somebody looks at it

    std::uint64_t bit() const noexcept { return std::uint64_t{1} << index; }
};

/// Outlives the executor as long as wakers do; without its executor it only gives cells back.
///
/// How no wake is lost when a worker falls asleep: a notifier first queues the cell, then looks at searching_ and
/// parked_; a worker first leaves searching_ and enters parked_, then looks at all queues once more. All of these are
/// sequentially consistent, so one of the two sees the other. A worker that stops searching because it found something
/// wakes another one if it was the last: whoever relied on it being there loses nothing.
///
/// A cell that moves from one queue to another is in neither for a moment, and whoever looks then may fall asleep. So
/// who moves cells is a notifier too. Example: a worker takes four cells from the injector, another one finds nothing
/// and sleeps, and the first polls one of the four for a second: the other three need the notice that they are in its
/// ring. A thief gives it by stop_searching, as it is counted in searching_. Only a cell that its worker polls next
/// needs none.
class pool final : public sdk::scheduler {
  public:
    static constexpr std::uint32_t max_workers = 64; // parked_ has 64 bits

    /// Throws std::bad_alloc. The reactor must live until shut() has returned.
    pool(const pool_options& options, sdk::epoll_reactor& reactor);

    /// As chm_executor_vt, and as chm_service_ext.
    chm_rc spawn(chm_task* task, const chm_spawn_opts* opts, bool service) noexcept;
    void stop() noexcept;

    /// What run() shares with its workers.
    struct shift {
        explicit shift(std::uint32_t workers) : quiet(workers) {}
        std::latch quiet; // nobody polls any more
    };
    /// [each worker's thread, once, after begin] Polls until the run ends, then drops the worker's tasks.
    void work(std::uint32_t index, shift& now) noexcept;
    /// [no worker runs] Refuses further tasks and drops all that are left.
    void drop_all() noexcept;
    /// [once, no worker runs] Unless the run lasts until stop, the end of the last task that is no service ends it from
    /// now on; it may have ended already.
    void begin(bool until_idle) noexcept;
    bool stopped() const noexcept { return ending_.load() == ending::stop; }
    /// [no worker runs, last use by the executor] From here on the reactor is not touched and nothing is queued.
    void shut() noexcept;

    void schedule(sdk::task_cell& cell) noexcept override;

    std::uint32_t size() const noexcept { return options_.workers; }
    /// The worker of the calling thread, if it is one of this pool's.
    worker* here() const noexcept { return current_ && current_->owner == this ? current_ : nullptr; }

  private:
    enum class ending : std::uint32_t { no, idle, stop };
    static constexpr std::size_t over = ~(~std::size_t{0} >> 1); // in live_: the run went idle

    ~pool() override = default;

    // queues (pool.cpp)
    worker& choose(const chm_spawn_opts* opts) noexcept;
    bool admit(const sdk::task_cell& cell) noexcept; // counts it unless it is a service; spawns_.leave() must follow
    void end_if_idle() noexcept;
    void push_here(worker& w, sdk::task_cell& cell) noexcept;
    void push_from_outside(sdk::task_cell& cell) noexcept;
    sdk::task_cell* next(worker& w) noexcept;
    sdk::task_cell* search(worker& w) noexcept;
    sdk::task_cell* from_injector(worker& w) noexcept;
    void poll(worker& w, sdk::task_cell& cell) noexcept;
    bool sees_work(const worker& w) const noexcept;
    void release_queued() noexcept;

    // sleeping (parking.cpp)
    void notify_one() noexcept;
    void notify_pinned(worker& target) noexcept;
    void unpark_all() noexcept;
    void wake_one() noexcept;
    worker* take_sleeper() noexcept;
    void stop_searching(worker& w) noexcept;
    void unlist(worker& w) noexcept;
    void park(worker& w) noexcept;
    void keep_watch(worker& w) noexcept;
    void sleep_on_standby(worker& w) noexcept;
    bool try_drive(worker& w) noexcept;
    void look_at_reactor(worker& w) noexcept;

    static thread_local worker* current_;

    const pool_options options_;
    sdk::epoll_reactor& reactor_;
    const std::unique_ptr<worker[]> workers_;
    injector injector_;                         // steal = true
    std::atomic<std::uint64_t> parked_{0};      // bit per worker that sleeps or is about to; whoever clears it wakes it
    std::atomic<std::uint64_t> driver_{0};      // bit of the worker that turns the reactor, if any
    std::atomic<std::uint32_t> searching_{0};   // steal = true: workers awake without work, or being woken to look
    std::atomic<bool> standby_{false};          // somebody sleeps with a limit, to take over an abandoned reactor
    std::atomic<std::uint32_t> next_worker_{0}; // round robin of spawns
    std::atomic<std::size_t> live_{0};          // tasks but services; from 0 it becomes `over`, which admits none
    bool until_idle_ = false;                   // constant while workers run
    std::atomic<ending> ending_{ending::no};
    sdk::gate spawns_; // closed by the end: who is inside has taken a task that the drop will see
    sdk::gate wakes_;  // closed by shut: who is inside, to wake or to stop, may touch the workers and the reactor
};

} // namespace chimera::thread_pool
