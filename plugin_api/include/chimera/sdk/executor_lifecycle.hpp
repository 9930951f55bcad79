// For authors of executors: the life of an executor from its first spawn to destroy. Takes tasks, starts the workers'
// threads, knows when a run is over, drops the tasks, and keeps out wakes that come too late.
#pragma once

#include <pthread.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <latch>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "error.hpp"
#include "task_cell.hpp"

namespace chimera::sdk {

/// A door that can be closed for good. Any number of threads are inside at a time. Example: wakes pass through it on
/// their way to a queue; destroy closes it, waits until it is empty, and frees the queue.
class gate {
  public:
    /// [any-thread] False: it is closed. Otherwise leave() must follow, soon.
    bool enter() noexcept {
        if ((state_.fetch_add(one, std::memory_order_acq_rel) & closed) == 0) return true;
        leave();
        return false;
    }
    /// [a thread that has entered] The way out: close() may return.
    void leave() noexcept { state_.fetch_sub(one, std::memory_order_release); }
    /// [any-thread & not inside] Lets no thread in from now on, and returns when none is inside.
    void close() noexcept {
        state_.fetch_or(closed, std::memory_order_acq_rel);
        while (state_.load(std::memory_order_acquire) >= one) std::this_thread::yield();
    }

  private:
    static constexpr std::uint32_t closed = 1, one = 2;
    std::atomic<std::uint32_t> state_{0};
};

/// Threads that begin together or not at all: all of them exist, and have entered, before the first one works.
class crew {
  public:
    /// Starts `size` threads. Each calls enter(i), which may throw; after begin() work(i), if all have entered; and
    /// leave(i), if it has entered. Throws error (CHM_E_FAIL) or std::bad_alloc if a thread cannot be started, and
    /// rethrows an exception of enter(). No thread has called work then, and all have ended.
    template <class Enter, class Work, class Leave>
    crew(std::size_t size, Enter enter, Work work, Leave leave) : entered_(static_cast<std::ptrdiff_t>(size)) {
        threads_.reserve(size); // a thread that has started is always in the list, to be joined
        try {
            while (threads_.size() < size)
                threads_.emplace_back([this, i = threads_.size(), enter, work, leave] {
                    const bool here = try_to([&] { enter(i); });
                    entered_.count_down();
                    decided_.wait();
                    if (begun_) work(i);
                    if (here) leave(i);
                });
        } catch (const std::system_error& e) {
            join();
            throw error(CHM_E_FAIL, std::string("cannot start a worker thread: ") + e.what());
        } catch (...) {
            join();
            throw;
        }
        entered_.wait();
        if (!failure_) return;
        join();
        std::rethrow_exception(failure_);
    }
    crew(const crew&) = delete;
    crew& operator=(const crew&) = delete;
    ~crew() { join(); }

    /// [the creator's thread, once]
    void begin() noexcept {
        begun_ = true;
        decided_.count_down();
    }
    /// [the creator's thread] Returns when every thread has ended. Without begin() they end without having worked.
    void join() noexcept {
        if (threads_.empty()) return;
        if (!begun_) decided_.count_down();
        for (std::thread& t : threads_) t.join();
        threads_.clear();
    }

  private:
    template <class F>
    bool try_to(F&& f) noexcept {
        try {
            f();
            return true;
        } catch (...) {
            const std::lock_guard lock(mutex_);
            if (!failure_) failure_ = std::current_exception();
            return false;
        }
    }

    std::latch entered_;
    std::latch decided_{1};
    bool begun_ = false; // written before decided_ opens
    std::mutex mutex_;
    std::exception_ptr failure_; // guarded by mutex_; of the first thread whose enter() threw
    std::vector<std::thread> threads_;
};

/// The thread that calls run.
enum class caller {
    works, ///< is worker 0; the other workers have threads of their own
    waits  ///< only waits: every worker has a thread of its own
};

/// The part of executor_lifecycle that workers need. It does not depend on the executor's class.
class lifecycle_state {
  public:
    lifecycle_state(const lifecycle_state&) = delete;
    lifecycle_state& operator=(const lifecycle_state&) = delete;

    /// [any-thread] The run is over, idle or stopped: no poll may begin.
    bool ended() const noexcept { return (state_.load() & (idle | stop_called)) != 0; }
    /// [worker; has taken the cell out of a queue] Polls once. `again`: the caller queues the cell again. Otherwise the
    /// cell may be gone. The poll that finishes the last task ends a run until idle.
    task_cell::outcome poll(task_cell& cell) noexcept {
        const task_cell::outcome outcome = cell.run();
        if (outcome == task_cell::outcome::done) retire(cell);
        return outcome;
    }
    /// [any-thread] How many workers there are.
    std::uint32_t workers() const noexcept { return workers_; }
    /// [any-thread] The number of the calling worker, from 0. CHM_E_AFFINITY: the thread is not one of the workers.
    chm_rc worker_here() const noexcept {
        return place_.of == identity_ ? static_cast<chm_rc>(place_.number) : chm_rc{CHM_E_AFFINITY};
    }

  protected:
    /// identity: an address that outlives every waker.
    lifecycle_state(std::size_t workers, const void* identity)
        : workers_(static_cast<std::uint32_t>(workers)), identity_(identity), tasks_(new live_tasks[workers]) {}
    ~lifecycle_state() = default;

    /// A worker of an executor.
    struct place {
        const void* of;       ///< the executor's identity; nullptr: the thread is not a worker
        std::uint32_t number; ///< of the worker, from 0
    };
    /// Where the calling thread works.
    static inline constinit thread_local place place_{nullptr, 0};

    /// Counts the task unless it is a service, and lists it. True: leave() must follow. False: the run is over.
    bool enter(task_cell& cell) noexcept {
        if (ended()) return false; // so that wait_for_callers() waits for no caller that comes after the end
        const std::uint64_t more = cell.service() ? caller_inside : caller_inside + task_alive;
        if (state_.fetch_add(more) & (idle | stop_called)) {
            state_.fetch_sub(more);
            return false;
        }
        tasks_[cell.worker()].add(cell);
        return true;
    }
    /// The caller is done with the executor: run may return.
    void leave() noexcept { state_.fetch_sub(caller_inside); }

    /// Ends the run, unless it is over already.
    void stop() noexcept {
        if (ended()) return;
        constexpr std::uint64_t over = idle | stop_called;
        // Counted before the end, run does not return before leave(). After it, whoever ended the run interrupts.
        if ((state_.fetch_add(caller_inside) & over) == 0 && (state_.fetch_or(stop_called) & over) == 0) interrupt();
        leave();
    }
    /// From now on no task is taken.
    void refuse() noexcept { state_.fetch_or(stop_called); }
    /// Idle came first: a later stop does not count.
    bool stopped() const noexcept { return (state_.load() & (idle | stop_called)) == stop_called; }
    /// [before the workers work] From now on the run ends with its last task that is not a service. That task may have
    /// ended already.
    void end_when_idle() noexcept {
        until_idle_ = true;
        end_if_idle(state_.load());
    }
    /// Returns when no spawn and no stop that came before the end is under way.
    void wait_for_callers() const noexcept {
        while ((state_.load() & callers) != 0) std::this_thread::yield();
    }
    /// [worker, or no worker runs; the run is over] Drops the worker's tasks.
    void drop_tasks(std::size_t worker) noexcept { tasks_[worker].drop_all(); }

    /// The worker for the next task that asks for none: each in turn.
    std::uint32_t next_worker() noexcept { return next_.fetch_add(1, std::memory_order_relaxed) % workers_; }

  private:
    virtual void interrupt() noexcept = 0;

    void retire(task_cell& cell) noexcept {
        const bool counted = !cell.service();
        tasks_[cell.worker()].remove(cell);
        if (!counted) return;
        const std::uint64_t now = state_.fetch_sub(task_alive) - task_alive;
        if (until_idle_) end_if_idle(now);
    }
    void end_if_idle(std::uint64_t now) noexcept {
        while (now < task_alive && (now & (idle | stop_called)) == 0)
            if (state_.compare_exchange_weak(now, now | idle)) return interrupt();
    }

    // Bits of state_: how the run ended, 22 bits of callers inside spawn or stop, and the number of tasks.
    static constexpr std::uint64_t idle = 1, stop_called = 2, caller_inside = 4, task_alive = 1 << 24;
    static constexpr std::uint64_t callers = task_alive - caller_inside;

    const std::uint32_t workers_;
    const void* const identity_;
    const std::unique_ptr<live_tasks[]> tasks_; // of each worker
    bool until_idle_ = false;                   // constant while the workers work
    std::atomic<std::uint32_t> next_{0};        // round robin of spawns
    alignas(64) std::atomic<std::uint64_t> state_{0};
};

/// The lifecycle of one executor. Make it the last member of the executor's class: its destructor drops the tasks,
/// which may use the other members. Example: an executor without I/O, which has one thread.
///
///   class plain final : public sdk::executor_base<plain> {
///     public:
///       static constexpr std::array<chm_option, 0> schema{};
///       plain(const chm_host*, const sdk::options&) {}
///       chm_rc spawn(chm_task* task, const chm_spawn_opts* opts) { return life_.spawn(task, opts); }
///       chm_rc run(std::uint32_t mode) { return life_.run(mode); }
///       void stop() noexcept { life_.stop(); }
///       const void* extension(std::string_view) noexcept { return nullptr; }
///
///       void queue(sdk::task_cell& cell) noexcept {
///           const std::lock_guard lock(mutex_);
///           cells_.push(cell);
///           changed_.notify_one();
///       }
///       void interrupt() noexcept {
///           const std::lock_guard lock(mutex_);
///           changed_.notify_all();
///       }
///       void work(std::uint32_t) noexcept {
///           while (sdk::task_cell* cell = next()) // waits; nullptr when life_.ended()
///               if (life_.poll(*cell) == sdk::task_cell::outcome::again) queue(*cell);
///       }
///       ...
///       sdk::executor_lifecycle<plain> life_{*this, 1, "plain"};
///   };
///
/// Executor needs these members, which may be private where executor_lifecycle<Executor> is a friend:
///   void queue(task_cell&) noexcept
///       [any-thread] The task is runnable: queue it, and make sure that a worker looks. Takes over one reference to
///       the cell, which goes to lifecycle_state::poll(). A cell_list or cell_inbox that is destroyed gives back the
///       references in it.
///   void work(std::uint32_t worker) noexcept
///       [worker] Takes cells from the queue and polls them until ended().
///   void interrupt() noexcept
///       [any-thread] The run is over, which ended() says already: wake every worker.
/// It may have these:
///   void queue_here(task_cell&, std::uint32_t worker) noexcept
///       [worker, which is the calling thread] In place of queue().
///   void begin_worker(std::uint32_t worker)
///       [the worker's thread, before any task is polled] May throw: run then fails with the exception.
///   void end_worker(std::uint32_t worker) noexcept
///       [the worker's thread] After begin_worker, work and the drop of the worker's tasks; also where run fails.
///
/// Guarantees:
/// - A run that fails has neither polled nor dropped a task, and may be called again. Tasks stay until destroy.
/// - A worker's tasks are dropped on its thread, once no poll is in progress and every spawn and stop has returned.
/// - A wake after close() does nothing, however long the waker lives.
template <class Executor>
class executor_lifecycle final : public lifecycle_state {
  public:
    /// thread_name: of the workers' threads, with "-" and the number after it; at most 10 characters. nullptr: threads
    /// keep their names. Throws std::bad_alloc.
    executor_lifecycle(Executor& executor, std::size_t workers, const char* thread_name = nullptr)
        : executor_lifecycle(std::unique_ptr<door, release>(new door(executor)), executor, workers, thread_name) {}
    /// Closes.
    ~executor_lifecycle() { close(); }

    /// [any-thread] As chm_executor_vt.spawn, and as chm_service_ext.spawn_service. The task belongs to the worker that
    /// the options choose, or else to the next worker in turn: task_cell::worker().
    chm_rc spawn(chm_task* task, const chm_spawn_opts* opts, bool service = false) noexcept {
        task_cell* const cell = task_cell::create(*door_, task, choose(opts), service);
        if (!cell) return CHM_E_NOMEM;
        if (!enter(*cell)) {
            cell->release(); // the references of the queue and of the list: the task itself stays the caller's
            cell->release();
            return CHM_E_CANCELED;
        }
        queue(*cell);
        leave();
        return CHM_OK;
    }

    /// [run-thread] As chm_executor_vt.run. Throws error: the run could not begin, or there was one before
    /// (CHM_E_STATE).
    chm_rc run(std::uint32_t mode, caller who = caller::works) {
        if (ran_.exchange(true)) throw error(CHM_E_STATE, "run was called before: an executor runs once");
        try {
            const std::uint32_t mine = who == caller::works ? 1 : 0;
            std::latch quiet(static_cast<std::ptrdiff_t>(workers()));
            const auto number = [mine](std::size_t i) { return static_cast<std::uint32_t>(i) + mine; };
            crew others(
                workers() - mine, [&](std::size_t i) { begin_worker(number(i)); },
                [&](std::size_t i) { work(number(i), quiet); }, [&](std::size_t i) { end_worker(number(i)); });
            const place outer = place_; // run may be called by a worker of another executor
            const thread_name_kept name;
            if (mine) begin_worker(0);
            if (mode == CHM_RUN_UNTIL_IDLE) end_when_idle();
            others.begin();
            if (mine) {
                work(0, quiet);
                end_worker(0);
                place_ = outer;
            }
        } catch (...) {
            ran_ = false;
            throw;
        }
        return stopped() ? CHM_E_CANCELED : CHM_OK;
    }

    /// [any-thread] As chm_executor_vt.stop.
    void stop() noexcept { lifecycle_state::stop(); }

    /// [run-thread & !running] Drops all tasks. From now on no task is taken, no wake does anything, and Executor's
    /// functions are not called.
    void close() noexcept {
        refuse();
        wait_for_callers();
        for (std::uint32_t i = 0; i < workers(); ++i) drop_tasks(i);
        door_->close();
    }

  private:
    /// Wakers call this. It leads to the executor while the executor exists.
    class door final : public scheduler {
      public:
        explicit door(Executor& executor) noexcept : executor_(executor) {}
        void schedule(task_cell& cell) noexcept override {
            if (place_.of == this) return queue_here(executor_, cell); // a worker: the executor is there
            if (!wakes_.enter()) return cell.release();
            executor_.queue(cell);
            wakes_.leave();
        }
        void close() noexcept { wakes_.close(); }

      private:
        Executor& executor_;
        alignas(64) gate wakes_; // every wake from another thread writes it
    };
    struct release {
        void operator()(scheduler* s) const noexcept { s->release(); }
    };
    /// Gives the caller's thread its name back.
    class thread_name_kept {
      public:
        thread_name_kept() noexcept { pthread_getname_np(pthread_self(), name_.data(), name_.size()); }
        thread_name_kept(const thread_name_kept&) = delete;
        thread_name_kept& operator=(const thread_name_kept&) = delete;
        ~thread_name_kept() { pthread_setname_np(pthread_self(), name_.data()); }

      private:
        std::array<char, 16> name_{}; // the kernel's limit
    };

    executor_lifecycle(std::unique_ptr<door, release> made, Executor& executor, std::size_t workers, const char* name)
        : lifecycle_state(workers, made.get()), executor_(executor), thread_name_(name), door_(std::move(made)) {}

    static void queue_here(Executor& executor, task_cell& cell) noexcept {
        if constexpr (requires { executor.queue_here(cell, std::uint32_t{}); })
            executor.queue_here(cell, place_.number);
        else
            executor.queue(cell);
    }
    void queue(task_cell& cell) noexcept {
        if (place_.of == door_.get())
            queue_here(executor_, cell);
        else
            executor_.queue(cell);
    }
    void interrupt() noexcept override { executor_.interrupt(); }

    std::uint32_t choose(const chm_spawn_opts* opts) noexcept {
        if (workers() == 1) return 0;
        const std::uint32_t hint = opts && CHM_HAS(opts, worker) ? opts->hint : std::uint32_t{CHM_HINT_ANY};
        if (hint == CHM_HINT_WORKER) return opts->worker % workers();
        if (hint == CHM_HINT_CURRENT && place_.of == door_.get()) return place_.number;
        return next_worker();
    }

    // --- the worker's thread ---

    void begin_worker(std::uint32_t worker) {
        if (thread_name_) {
            std::array<char, 16> name{};
            static_cast<void>(std::snprintf(name.data(), name.size(), "%s-%u", thread_name_, worker));
            pthread_setname_np(pthread_self(), name.data());
        }
        if constexpr (requires { executor_.begin_worker(worker); }) executor_.begin_worker(worker);
        place_ = {door_.get(), worker};
    }
    void work(std::uint32_t worker, std::latch& quiet) noexcept {
        executor_.work(worker);
        if (!ended()) stop(); // it gave up
        quiet.arrive_and_wait();
        wait_for_callers();
        drop_tasks(worker);
    }
    void end_worker(std::uint32_t worker) noexcept {
        if constexpr (requires { executor_.end_worker(worker); }) executor_.end_worker(worker);
        place_ = {nullptr, 0};
    }

    Executor& executor_;
    const char* const thread_name_;
    const std::unique_ptr<door, release> door_; // one reference; the cells have the others
    std::atomic<bool> ran_{false};
};

} // namespace chimera::sdk
