// my_executor: one thread that polls runnable tasks in the order in which they were woken, and drives epoll.
//
// An executor is given tasks (spawn), polls each once, and again whenever somebody wakes it (run), until none is left
// or stop is called. Everything that is easily got wrong is in the SDK: sdk::task_cell is a spawned task with its waker
// and its states, sdk::live_tasks knows which are not done, sdk::epoll_reactor watches sockets and timers. What is left
// here is what makes one executor differ from another: where a runnable task waits, and who polls it when.
#include <chimera/sdk/cell_queue.hpp>
#include <chimera/sdk/epoll_reactor.hpp>
#include <chimera/sdk/plugin.hpp>
#include <chimera/sdk/task_cell.hpp>

#include <mutex>

namespace {

namespace sdk = chimera::sdk;

/// Where runnable tasks wait. A waker may outlive its executor by hours, and what it calls is this: so it is an object
/// of its own, reference counted by the cells (sdk::scheduler), and forgets the reactor when the executor goes.
class run_queue final : public sdk::scheduler {
  public:
    explicit run_queue(sdk::epoll_reactor& reactor) noexcept : reactor_(&reactor) {}

    /// [any thread] A wake ends here, with a reference to the cell. It must never poll: the waking thread may be
    /// anybody's.
    void schedule(sdk::task_cell& cell) noexcept override {
        {
            const std::lock_guard lock(mutex_);
            if (reactor_ != nullptr) {
                cells_.push(cell);
                if (std::exchange(asleep_, false)) reactor_->interrupt();
                return;
            }
        }
        cell.release(); // not under the lock: this may be the last reference, and the queue's own
    }

    /// [worker] The next to be polled. nullptr: the caller goes to sleep now, and the next schedule() interrupts it.
    /// Both under one lock, so no wake falls between the last look and the sleep.
    sdk::task_cell* next() noexcept {
        const std::lock_guard lock(mutex_);
        sdk::task_cell* const cell = cells_.pop();
        asleep_ = cell == nullptr;
        return cell;
    }

    /// [worker] From now on wakes do nothing.
    void close() noexcept {
        {
            const std::lock_guard lock(mutex_);
            reactor_ = nullptr;
        }
        while (sdk::task_cell* cell = cells_.pop()) cell->release();
    }

  private:
    std::mutex mutex_;
    sdk::epoll_reactor* reactor_; // nullptr: closed
    sdk::cell_list cells_;
    bool asleep_ = false;
};

/// PINNED: each task is always polled by the same thread. The host's listing says so.
class executor final : public sdk::executor_base<executor, CHM_EXECUTOR_PINNED> {
  public:
    /// What a profile may say in [executor] options. The host checks it, lists it, and hands every key over.
    static constexpr std::array schema{
        sdk::int_option("event_interval", "61", 1, 10'000, "polls between two looks at I/O while tasks are runnable")};

    executor(const chm_host*, const sdk::options& given)
        : event_interval_(given.integer("event_interval")), queue_(new run_queue(reactor_)) {}

    ~executor() { // wakers may still be alive, tasks may not
        queue_->close();
        live_.drop_all();
        queue_->release();
    }

    /// [any thread] From success on the task is ours, to be polled and dropped; on an error it stays the caller's.
    chm_rc spawn(chm_task* task, const chm_spawn_opts*) {
        const std::lock_guard lock(mutex_); // stop comes before or after a spawn, never in the middle
        if (stopped_) return CHM_E_CANCELED;
        sdk::task_cell* const cell = sdk::task_cell::create(*queue_, task);
        if (cell == nullptr) return CHM_E_NOMEM;
        live_.add(*cell);
        queue_->schedule(*cell); // every task is polled once without a wake
        return CHM_OK;
    }

    /// [one thread, once] Its caller is the one worker.
    chm_rc run(std::uint32_t mode) {
        while (!stopped()) {
            std::int64_t polls = 0;
            sdk::task_cell* cell = nullptr;
            while (polls++ < event_interval_ && (cell = queue_->next()) != nullptr) poll(*cell);
            if (cell == nullptr && mode == CHM_RUN_UNTIL_IDLE && live_.empty()) return CHM_OK;
            reactor_.turn(cell == nullptr && !stopped() ? -1 : 0); // wakes whatever became ready
        }
        queue_->close();
        live_.drop_all(); // on this thread: a task is dropped where it may be polled
        return CHM_E_CANCELED;
    }

    /// [any thread, any number of times] Does not wait.
    void stop() noexcept {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
        reactor_.interrupt();
    }

    /// Transports find the reactor here. Every other id, whatever it is, gives nullptr.
    const void* extension(std::string_view id) noexcept {
        return id == CHM_EXT_REACTOR ? static_cast<chm_reactor*>(&reactor_) : nullptr;
    }

  private:
    bool stopped() const noexcept {
        const std::lock_guard lock(mutex_);
        return stopped_;
    }

    void poll(sdk::task_cell& cell) noexcept {
        if (stopped()) return cell.release(); // no poll begins after stop
        switch (cell.run()) {
        case sdk::task_cell::outcome::again: // woken while it was polled: exactly one more poll, behind the others
            return queue_->schedule(cell);
        case sdk::task_cell::outcome::done:
            live_.remove(cell);
            return;
        case sdk::task_cell::outcome::idle: // its waker will bring it back
            return;
        }
    }

    const std::int64_t event_interval_;
    sdk::epoll_reactor reactor_;
    run_queue* queue_;
    sdk::live_tasks live_;
    mutable std::mutex mutex_;
    bool stopped_ = false;
};

} // namespace

CHIMERA_EXECUTOR_PLUGIN("my_executor", "0.1", "one thread, one queue, epoll", executor);
