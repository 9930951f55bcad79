// The executor around pinned workers: spawn, run and stop are the same, whatever the workers' loops wait in.
#pragma once

#include <pthread.h>
#include <sched.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <latch>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "chimera/sdk/plugin.hpp"
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

    chm_rc spawn(chm_task* task, const chm_spawn_opts* opts) {
        worker& home = choose(opts);
        sdk::task_cell* cell = sdk::task_cell::create(home, task);
        if (!cell) return CHM_E_NOMEM;
        if (!roll_.admit([&] { home.tasks().add(*cell); })) {
            cell->release(); // the queue's and the live list's references: the task itself stays the caller's
            cell->release();
            return CHM_E_CANCELED;
        }
        home.schedule(*cell);
        return CHM_OK;
    }

    /// Every worker has a thread of its own and the caller only waits: a loop's thread is then known by its name, and
    /// binding it to a CPU leaves the caller alone.
    chm_rc run(std::uint32_t mode) {
        std::vector<std::thread> threads;
        std::latch all_started(1);
        const auto give_up = [&] {
            roll_.stop(); // those that have started drop their tasks and end
            all_started.count_down();
            for (std::thread& t : threads) t.join();
        };
        try {
            threads.reserve(workers_.size()); // a thread that has started is always in the list, to be joined
            for (std::size_t i = 0; i < workers_.size(); ++i)
                threads.emplace_back([this, i, &all_started] {
                    all_started.wait();
                    name_thread(i);
                    if (pin_cpus_) bind_thread(i);
                    workers_[i]->work();
                });
        } catch (const std::system_error& e) {
            give_up();
            throw sdk::error(CHM_E_FAIL, std::string("cannot start a worker thread: ") + e.what());
        } catch (...) {
            give_up();
            throw;
        }
        roll_.begin(mode);
        all_started.count_down();
        for (std::thread& t : threads) t.join();
        return roll_.stopped() ? CHM_E_CANCELED : CHM_OK;
    }

    void stop() noexcept { roll_.stop(); }

    const void* extension(std::string_view id) noexcept {
        return id == CHM_EXT_REACTOR ? static_cast<chm_reactor*>(&reactor_) : nullptr;
    }

  protected:
    /// [constructor, once] Makes the workers. Throws what make() throws.
    template <class Make>
    void hire(Make&& make) {
        workers_.reserve(size_);
        try {
            while (workers_.size() < size_) workers_.push_back(make());
        } catch (...) {
            close_workers();
            throw;
        }
        roll_.attend(workers_);
    }
    roster& roll() noexcept { return roll_; }
    Reactor& reactor() noexcept { return reactor_; }

  private:
    worker& choose(const chm_spawn_opts* opts) noexcept {
        const std::uint32_t hint = opts ? opts->hint : static_cast<std::uint32_t>(CHM_HINT_ANY);
        if (hint == CHM_HINT_WORKER) return *workers_[opts->worker % workers_.size()];
        worker* here = worker::current();
        if (hint == CHM_HINT_CURRENT && here && &here->roll() == &roll_) return *here;
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
