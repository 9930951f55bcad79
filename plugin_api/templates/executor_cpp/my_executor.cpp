// my_executor: one thread that polls runnable tasks in the order in which they were woken, and drives epoll.
//
// An executor is given tasks (spawn). It polls each once, and again whenever it is woken (run), until none is left or
// stop is called. The parts that are easily got wrong are in the SDK. sdk::executor_lifecycle takes tasks, starts the
// workers' threads, knows when a run is over, and drops the tasks that are left. sdk::task_cell is a spawned task with
// its waker and its states. sdk::epoll_reactor watches sockets and timers. What is left here is what makes one executor
// differ from another: where a runnable task waits, and who polls it when.
#include <chimera/sdk/epoll_reactor.hpp>
#include <chimera/sdk/executor_lifecycle.hpp>
#include <chimera/sdk/plugin.hpp>

#include <mutex>
#include <utility>

namespace {

namespace sdk = chimera::sdk;

/// PINNED: each task is always polled by the same thread. The host's listing says so.
class executor final : public sdk::executor_base<executor, CHM_EXECUTOR_PINNED> {
  public:
    /// The options that a profile may set in [executor] options. The host checks them, lists them, and hands over every
    /// key.
    static constexpr std::array schema{
        sdk::int_option("event_interval", "61", 1, 10'000, "polls between two looks at I/O while tasks are runnable")};

    executor(const chm_host*, const sdk::options& given)
        : event_interval_(given.integer("event_interval")), life_(*this, 1) {}

    // --- the contract ---

    chm_rc spawn(chm_task* task, const chm_spawn_opts* opts) noexcept { return life_.spawn(task, opts); }
    chm_rc run(std::uint32_t mode) { return life_.run(mode); } // the caller is the one worker
    void stop() noexcept { life_.stop(); }
    /// Transports find the reactor here. Every other id, whatever it is, gives nullptr.
    const void* extension(std::string_view id) noexcept {
        return id == CHM_EXT_REACTOR ? static_cast<chm_reactor*>(&reactor_) : nullptr;
    }

  private:
    friend sdk::executor_lifecycle<executor>; // which calls queue, work and interrupt

    /// [any-thread] The task is runnable: it was spawned or woken. Must never poll: the thread may be anybody's.
    void queue(sdk::task_cell& cell) noexcept {
        const std::lock_guard lock(mutex_);
        cells_.push(cell);
        if (std::exchange(asleep_, false)) reactor_.interrupt();
    }

    /// [worker] Polls until the run is over. No poll begins after that.
    void work(std::uint32_t) noexcept {
        while (!life_.ended()) {
            sdk::task_cell* cell = nullptr;
            for (std::int64_t polls = 0; polls < event_interval_ && !life_.ended(); ++polls) {
                cell = next();
                if (cell == nullptr) break;
                // Woken while it was polled: exactly one more poll, behind the others.
                if (life_.poll(*cell) == sdk::task_cell::outcome::again) queue(*cell);
            }
            reactor_.turn(cell == nullptr && !life_.ended() ? -1 : 0); // wakes the tasks of what became ready
        }
    }

    /// [any-thread] The run is over: work() must see it soon.
    void interrupt() noexcept { reactor_.interrupt(); }

    /// The next task to be polled. nullptr: the caller goes to sleep now, and the next queue() interrupts it. Both
    /// under one lock, so no wake falls between the last look and the sleep.
    sdk::task_cell* next() noexcept {
        const std::lock_guard lock(mutex_);
        sdk::task_cell* const cell = cells_.pop();
        asleep_ = cell == nullptr;
        return cell;
    }

    const std::int64_t event_interval_;
    sdk::epoll_reactor reactor_;
    std::mutex mutex_;
    sdk::cell_list cells_;                   // guarded by mutex_; what is left in it goes with it
    bool asleep_ = false;                    // guarded by mutex_
    sdk::executor_lifecycle<executor> life_; // last, so that it goes first: it drops the tasks, which use the others
};

} // namespace

CHIMERA_EXECUTOR_PLUGIN("my_executor", "0.1", "one thread, one queue, epoll", executor);
