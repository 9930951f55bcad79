// An executor of pinned workers: each has a thread of its own, and a task stays with the worker that it was spawned on.
// What the workers' loops wait in is the executor's own matter.
#pragma once

#include <pthread.h>
#include <sched.h>

#include <memory>
#include <string_view>
#include <vector>

#include <chimera/sdk/executor_lifecycle.hpp>
#include <chimera/sdk/plugin.hpp>
#include <chimera/sdk/text.hpp>

namespace chimera::pinned {

/// Base of each executor's worker, which has these functions beside:
///   void loop() noexcept      [this worker's thread] polls until life().ended()
///   void knock() noexcept     [any-thread] ends the loop's wait, or keeps the next one from blocking
///   void end_loop() noexcept  [this worker's thread, after its tasks were dropped]
class worker {
  public:
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;

    /// The worker whose thread this is, or nullptr.
    static worker* current() noexcept { return current_; }

    const sdk::lifecycle_state& life() const noexcept { return life_; }

    /// [any-thread] Leaves a runnable task. True: knock().
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
    /// Polls once, and queues the task again where it wants that. False: the task is done, and the cell may be gone.
    bool poll(sdk::task_cell& cell) noexcept {
        const sdk::task_cell::outcome outcome = life_.poll(cell);
        if (outcome == sdk::task_cell::outcome::again) runnable_.push(cell);
        return outcome != sdk::task_cell::outcome::done;
    }
    /// Polls runnable tasks, but not for ever: descriptors and timers want their turn.
    void poll_some() noexcept {
        for (unsigned polls = 0; polls < polls_per_turn && !life_.ended(); ++polls) {
            sdk::task_cell* const cell = runnable_.pop();
            if (!cell) break;
            poll(*cell);
        }
    }
    /// Warns of a descriptor or a timer that was not deregistered.
    void complain() const noexcept {
        if (host_)
            host_->log(host_, CHM_LOG_WARN, sdk::str("a file descriptor or timer was still registered at the end"));
    }

  private:
    static constexpr unsigned polls_per_turn = 64;
    static inline constinit thread_local worker* current_ = nullptr;

    sdk::lifecycle_state& life_;
    const chm_host* const host_;
    sdk::cell_inbox inbox_;   // any thread
    sdk::cell_list runnable_; // the worker's thread
};

inline constexpr chm_option workers_option =
    sdk::int_option("workers", "1", 1, 1024, "Threads, each with an event loop and tasks of its own");
inline constexpr chm_option pin_cpus_option =
    sdk::bool_option("pin_cpus", "false", "Bind each worker to one of the CPUs that the process may use");

/// Self is the executor's class. It has `schema`, with "workers", and `thread_name`, and hires its workers in its
/// constructor. Worker is a pinned::worker. Reactor serves all workers, and attach() tells it whose.
template <class Self, class Worker, class Reactor>
class executor : public sdk::executor_base<Self, CHM_EXECUTOR_PINNED> {
  public:
    executor(const executor&) = delete;
    executor& operator=(const executor&) = delete;

    chm_rc spawn(chm_task* task, const chm_spawn_opts* opts) noexcept { return life_.spawn(task, opts); }
    chm_rc spawn_service(chm_task* task, const chm_spawn_opts* opts) noexcept { return life_.spawn(task, opts, true); }
    std::uint32_t workers() const noexcept { return life_.workers(); }
    chm_rc worker_here() const noexcept { return life_.worker_here(); }
    /// The caller only waits: a loop's thread is then known by its name, and binding it to a CPU leaves the caller
    /// alone.
    chm_rc run(std::uint32_t mode) { return life_.run(mode, sdk::caller::waits); }
    void stop() noexcept { life_.stop(); }
    const void* extension(std::string_view id) noexcept {
        if (id == CHM_EXT_REACTOR) return static_cast<chm_reactor*>(&reactor_);
        return id == CHM_EXT_SERVICE ? &sdk::service_extension<Self> : nullptr;
    }

  protected:
    /// pin_cpus: as pin_cpus_option.
    executor(const sdk::options& options, bool pin_cpus)
        : pin_cpus_(pin_cpus), life_(*this, static_cast<std::size_t>(options.integer("workers")), Self::thread_name) {
        reactor_.attach(life_);
    }
    ~executor() = default;

    /// [constructor, once] Makes the workers with make(life). Throws what make() throws.
    template <class Make>
    void hire(Make&& make) {
        workers_.reserve(life_.workers());
        while (workers_.size() < life_.workers()) workers_.push_back(make(life_));
    }
    Reactor& reactor() noexcept { return reactor_; }
    Worker& first_worker() noexcept { return *workers_.front(); }

  private:
    using lifecycle = sdk::executor_lifecycle<executor>;
    friend lifecycle;

    void queue(sdk::task_cell& cell) noexcept {
        Worker& home = *workers_[cell.worker()];
        if (home.post(cell)) home.knock();
    }
    void queue_here(sdk::task_cell& cell, std::uint32_t here) noexcept {
        if (cell.worker() != here) return queue(cell);
        workers_[here]->push(cell);
    }
    void interrupt() noexcept {
        for (const auto& w : workers_) w->knock();
    }
    void begin_worker(std::uint32_t number) noexcept {
        if (pin_cpus_) bind_thread(number);
        workers_[number]->settle();
    }
    void work(std::uint32_t number) noexcept { workers_[number]->loop(); }
    void end_worker(std::uint32_t number) noexcept {
        workers_[number]->end_loop();
        workers_[number]->unsettle();
    }

    static void bind_thread(std::size_t index) noexcept {
        cpu_set_t allowed, mine;
        if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
        const auto n = static_cast<std::size_t>(CPU_COUNT(&allowed));
        std::size_t cpu = 0;
        for (std::size_t left = index % n + 1; cpu < CPU_SETSIZE; ++cpu)
            if (CPU_ISSET(cpu, &allowed) && --left == 0) break;
        CPU_ZERO(&mine);
        CPU_SET(cpu, &mine);
        pthread_setaffinity_np(pthread_self(), sizeof mine, &mine);
    }

    const bool pin_cpus_;
    Reactor reactor_;
    std::vector<std::unique_ptr<Worker>> workers_;
    lifecycle life_;
};

} // namespace chimera::pinned
