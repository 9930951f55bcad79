// The executor around pinned workers: spawn, run and stop are the same, whatever the workers' loops wait in.
#pragma once

#include <pthread.h>
#include <sched.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <string_view>
#include <vector>

#include "chimera/sdk/crew.hpp"
#include "chimera/sdk/plugin.hpp"
#include "chimera/sdk/service.hpp"
#include "roster.hpp"
#include "worker.hpp"

namespace chimera::pinned {

inline constexpr chm_option workers_option =
    sdk::int_option("workers", "1", 1, 1024, "Threads, each with an event loop and tasks of its own");
inline constexpr chm_option pin_cpus_option =
    sdk::bool_option("pin_cpus", "false", "Bind each worker to one of the CPUs that the process may use");

/// Self is the executor's class; it has `schema` with both options above and `thread_name` (at most 10 characters), and
/// hires its workers in its constructor. Reactor is made of the roster, and serves all workers.
template <class Self, class Reactor>
class executor : public sdk::executor_base<Self, CHM_EXECUTOR_PINNED> {
  public:
    explicit executor(const sdk::options& options)
        : size_(static_cast<std::size_t>(options.integer("workers"))), pin_cpus_(options.flag("pin_cpus")),
          reactor_(roll_) {}
    executor(const executor&) = delete;
    executor& operator=(const executor&) = delete;
    ~executor() {
        roll_.stop(); // a task that is dropped here cannot spawn another
        close_workers();
    }

    chm_rc spawn(chm_task* task, const chm_spawn_opts* opts) { return take(task, opts, false); }
    chm_rc spawn_service(chm_task* task, const chm_spawn_opts* opts) { return take(task, opts, true); }
    std::uint32_t workers() const noexcept { return static_cast<std::uint32_t>(workers_.size()); }
    chm_rc worker_here() const noexcept {
        const worker* here = current();
        return here ? static_cast<chm_rc>(here->number()) : CHM_E_AFFINITY;
    }

    /// Every worker has a thread of its own and the caller only waits: a loop's thread is then known by its name, and
    /// binding it to a CPU leaves the caller alone.
    chm_rc run(std::uint32_t mode) {
        sdk::crew crew(workers_.size(), [this](std::size_t i) {
            name_thread(i);
            if (pin_cpus_) bind_thread(i);
            workers_[i]->work();
        });
        roll_.begin(mode);
        crew.begin();
        crew.join();
        return roll_.stopped() ? CHM_E_CANCELED : CHM_OK;
    }

    void stop() noexcept { roll_.stop(); }

    const void* extension(std::string_view id) noexcept {
        if (id == CHM_EXT_REACTOR) return static_cast<chm_reactor*>(&reactor_);
        return id == CHM_EXT_SERVICE ? &sdk::service_extension<Self> : nullptr;
    }

  protected:
    /// [constructor, once] Makes the workers with make(number). Throws what make() throws.
    template <class Make>
    void hire(Make&& make) {
        workers_.reserve(size_);
        try {
            while (workers_.size() < size_) workers_.push_back(make(workers()));
        } catch (...) {
            close_workers();
            throw;
        }
        roll_.attend(workers_);
    }
    roster& roll() noexcept { return roll_; }
    Reactor& reactor() noexcept { return reactor_; }

  private:
    chm_rc take(chm_task* task, const chm_spawn_opts* opts, bool service) noexcept {
        worker& home = choose(opts);
        sdk::task_cell* cell = sdk::task_cell::create(home, task, home.number(), service);
        if (!cell) return CHM_E_NOMEM;
        if (!roll_.admit(*cell, home.tasks())) {
            cell->release(); // the queue's and the live list's references: the task itself stays the caller's
            cell->release();
            return CHM_E_CANCELED;
        }
        home.schedule(*cell);
        return CHM_OK;
    }

    /// The caller's worker, if it is one of these.
    worker* current() const noexcept {
        worker* here = worker::current();
        return here && &here->roll() == &roll_ ? here : nullptr;
    }
    worker& choose(const chm_spawn_opts* opts) noexcept {
        const std::uint32_t hint = opts && CHM_HAS(opts, worker) ? opts->hint : std::uint32_t{CHM_HINT_ANY};
        if (hint == CHM_HINT_WORKER) return *workers_[opts->worker % workers_.size()];
        if (hint == CHM_HINT_CURRENT)
            if (worker* here = current()) return *here;
        return *workers_[next_.fetch_add(1, std::memory_order_relaxed) % workers_.size()];
    }

    static void name_thread(std::size_t index) noexcept {
        std::array<char, 16> name{}; // the kernel's limit
        static_cast<void>(std::snprintf(name.data(), name.size(), "%s-%zu", Self::thread_name, index));
        pthread_setname_np(pthread_self(), name.data());
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

    void close_workers() noexcept {
        for (worker* w : workers_) {
            w->close();
            w->release(); // gone with the last waker
        }
        workers_.clear();
    }

    const std::size_t size_;
    const bool pin_cpus_;
    roster roll_;
    Reactor reactor_; // tasks use it until they are dropped
    std::vector<worker*> workers_;
    std::atomic<std::size_t> next_{0};
};

} // namespace chimera::pinned
