// The executor: workers, each with a thread and a libuv loop of its own, and tasks that never leave theirs.
#include <pthread.h>
#include <sched.h>

#include <array>
#include <atomic>
#include <latch>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "chimera/sdk/plugin.hpp"
#include "reactor.hpp"
#include "roster.hpp"
#include "worker.hpp"

namespace chimera::uv_pinned {

class uv_pinned final : public sdk::executor_base<uv_pinned, CHM_EXECUTOR_PINNED> {
  public:
    static constexpr std::array schema{
        sdk::int_option("workers", "1", 1, 1024, "Threads, each with an event loop and tasks of its own"),
        sdk::bool_option("pin_cpus", "false", "Bind each worker to one of the CPUs that the process may use"),
    };

    uv_pinned(const chm_host* host, const sdk::options& options)
        : pin_cpus_(options.flag("pin_cpus")), reactor_(roll_) {
        const auto n = static_cast<std::size_t>(options.integer("workers"));
        workers_.reserve(n);
        try {
            while (workers_.size() < n) workers_.push_back(new worker(roll_, host));
        } catch (...) {
            close_workers();
            throw;
        }
        roll_.attend(workers_);
    }
    uv_pinned(const uv_pinned&) = delete;
    uv_pinned& operator=(const uv_pinned&) = delete;
    ~uv_pinned() {
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

    const void* extension(std::string_view id) noexcept { return id == CHM_EXT_REACTOR ? &reactor_ : nullptr; }

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
        static_cast<void>(std::snprintf(name.data(), name.size(), "uv_pinned-%zu", index));
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
    }

    const bool pin_cpus_;
    roster roll_;
    reactor reactor_;
    std::vector<worker*> workers_;
    std::atomic<std::size_t> next_{0};
};

namespace {
/// libuv keeps a pair of descriptors for the whole process from its first loop on. They are made here, when the plugin
/// is loaded, so that no executor seems to leak them.
chm_rc init(const chm_host*, chm_error* err) noexcept {
    uv_loop_t loop;
    if (const int rc = uv_loop_init(&loop); rc < 0) return sdk::fail(err, CHM_E_FAIL, uv_strerror(rc));
    uv_loop_close(&loop);
    return CHM_OK;
}
} // namespace

} // namespace chimera::uv_pinned

extern "C" CHM_EXPORT const chm_plugin_entry chimera_plugin_entry;
extern "C" const chm_plugin_entry chimera_plugin_entry = {
    sizeof(chm_plugin_entry),
    CHM_ABI_MAJOR,
    CHM_ABI_MINOR,
    0,
    "uv_pinned",
    "0.1.0",
    "One libuv loop per worker, tasks pinned for life; stands for tokio LocalSet",
    chimera::uv_pinned::init,
    nullptr,
    chimera::sdk::single_factory<chimera::sdk::executor_factory<chimera::uv_pinned::uv_pinned>>};
