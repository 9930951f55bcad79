// Where tasks are spawned and woken: chooses the worker, counts what is left, ends the run.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include <chimera/abi/executor.h>
#include <chimera/sdk/gate.hpp>
#include <chimera/sdk/task_cell.hpp>

#include "worker.hpp"

namespace chimera::fiber {

struct fiber_options {
    std::uint32_t workers = 1;
    std::size_t stack_size = 0; ///< bytes
    std::uint32_t event_interval = 61;
};

/// Outlives the executor as long as wakers do; after shut() it has no workers and only gives cells back.
class fiber_scheduler final : public sdk::scheduler {
  public:
    /// Throws std::bad_alloc, std::system_error.
    explicit fiber_scheduler(const fiber_options& options);

    /// As chm_executor_vt, and as chm_service_ext.
    chm_rc spawn(chm_task* task, const chm_spawn_opts* opts, bool service) noexcept;
    void stop() noexcept;

    void schedule(sdk::task_cell& cell) noexcept override;

    /// [once, no worker runs] Unless the run lasts until stop, the end of the last task that is no service ends it from
    /// now on; it may have ended already.
    void begin(bool until_idle) noexcept;
    /// [a thread of its own for each worker, after begin] Polls until the run ends, then drops the worker's tasks.
    void work(std::uint32_t index);
    /// [no worker runs] Refuses further tasks and drops all that are left.
    void drop_all() noexcept;
    /// [no worker runs, last use by the executor] Frees the workers. A wake does nothing from here on.
    void shut() noexcept;

    /// [any thread] stop was called.
    bool stopped() const noexcept { return ending_.load() == ending::stop; }
    /// [any thread] No poll may begin.
    bool ended() const noexcept { return ending_.load(std::memory_order_seq_cst) != ending::no; }
    /// [worker] A task that is no service is done and off its worker's list.
    void retired() noexcept;

    std::uint32_t size() const noexcept { return options_.workers; }
    std::uint32_t event_interval() const noexcept { return options_.event_interval; }
    worker& at(std::uint32_t index) const noexcept { return *workers_[index]; }
    /// The worker of the calling thread, if it is one of this scheduler's.
    worker* here() const noexcept { return current_ && &current_->owner() == this ? current_ : nullptr; }

  private:
    enum class ending : std::uint32_t { no, idle, stop };
    static constexpr std::size_t over = ~(~std::size_t{0} >> 1); // in live_: the run went idle

    ~fiber_scheduler() override = default;
    worker& choose(const chm_spawn_opts* opts) noexcept;
    bool admit(const sdk::task_cell& cell) noexcept; // counts it unless it is a service; spawns_.leave() must follow
    void end_if_idle() noexcept;
    void interrupt_all() noexcept;

    static thread_local worker* current_;

    const fiber_options options_;
    std::vector<std::unique_ptr<worker>> workers_;
    std::atomic<std::uint32_t> next_worker_{0}; // round robin of spawns
    std::atomic<std::size_t> live_{0};          // tasks but services; from 0 it becomes `over`, which admits none
    bool until_idle_ = false;                   // constant while workers run
    std::atomic<ending> ending_{ending::no};
    sdk::gate spawns_; // closed by the end: who is inside has taken a task that the drop will see
    sdk::gate wakes_;  // closed by shut: who is inside, to wake or to stop, may touch the workers
};

} // namespace chimera::fiber
