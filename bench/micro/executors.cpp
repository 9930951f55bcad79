// What executors cost apart from any transport: a spawn, a task that yields, a wake from another thread. Plugins are
// loaded as the host loads them; each has one worker.
#include "registry/registry.hpp"

#include <benchmark/benchmark.h>
#include <chimera/sdk/clock.hpp>
#include <chimera/sdk/error.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace chimera;

namespace {

constexpr int rounds = 5; // of each benchmark, of so many tasks, yields and wakes:
constexpr int tasks_spawned = 10'000;
constexpr int yields = 100'000;
constexpr int wakes = 2'000;

host::executor_ptr one_worker(host::registry& plugins, const std::string& id) {
    const auto plugin = plugins.load(host::plugin_kind::executor, id);
    std::vector<host::option_value> options;
    for (const chm_option& o : plugin->options(host::plugin_kind::executor))
        options.push_back({o.name, std::string(o.name) == "workers" ? "1" : o.default_value});
    return plugins.create_executor(plugin, options);
}

double seconds(std::int64_t ns) { return static_cast<double>(ns) * 1e-9; }

void run(chm_executor* executor) {
    sdk::error_buffer why;
    why.check(executor->vt->run(executor, CHM_RUN_UNTIL_IDLE, why.abi()));
}

/// A task that calls `poll` and is nobody's after it is done.
template <typename Body>
struct task_of : chm_task {
    explicit task_of(Body what) : chm_task{&table}, body(what) {}
    Body body;

    static constexpr chm_task_vt table{
        [](chm_task* t, chm_waker* w) noexcept -> chm_rc { return static_cast<task_of*>(t)->body(w); },
        [](chm_task*) noexcept {}};
};

/// Time of one task's spawn, only poll and drop. The executor's own start and end are shared by all tasks.
void spawn(benchmark::State& state, host::registry& plugins, const std::string& id) {
    auto ready = [](chm_waker*) -> chm_rc { return CHM_READY; };
    std::vector<task_of<decltype(ready)>> tasks(tasks_spawned, task_of<decltype(ready)>(ready));
    for (auto _ : state) {
        const auto executor = one_worker(plugins, id);
        const auto began = sdk::now_ns();
        for (auto& task : tasks) executor->vt->spawn(executor.get(), &task, nullptr);
        run(executor.get());
        state.SetIterationTime(seconds(sdk::now_ns() - began) / tasks_spawned);
    }
}

/// Time from one poll of a task to its next, which it asked for inside the first.
void yield(benchmark::State& state, host::registry& plugins, const std::string& id) {
    for (auto _ : state) {
        const auto executor = one_worker(plugins, id);
        int polls = 0;
        std::int64_t began = 0, ended = 0;
        task_of task([&](chm_waker* waker) -> chm_rc {
            if (polls == 0) began = sdk::now_ns();
            if (polls++ == yields) {
                ended = sdk::now_ns();
                return CHM_READY;
            }
            waker->vt->wake_by_ref(waker);
            return CHM_PENDING;
        });
        executor->vt->spawn(executor.get(), &task, nullptr);
        run(executor.get());
        state.SetIterationTime(seconds(ended - began) / yields);
    }
}

/// Time from a wake by another thread to the poll that it leads to, of an executor that has nothing else to do.
void wake(benchmark::State& state, host::registry& plugins, const std::string& id) {
    for (auto _ : state) {
        const auto executor = one_worker(plugins, id);
        std::atomic<chm_waker*> waiting{nullptr};
        std::int64_t woken = 0, total = 0;
        int polls = 0;
        task_of task([&](chm_waker* waker) -> chm_rc {
            if (polls > 0) total += sdk::now_ns() - woken;
            if (polls++ == wakes) return CHM_READY;
            waiting = waker->vt->clone(waker);
            return CHM_PENDING;
        });
        executor->vt->spawn(executor.get(), &task, nullptr);
        std::thread waking([&] {
            for (int i = 0; i < wakes; ++i) {
                chm_waker* waker = nullptr;
                while ((waker = waiting.exchange(nullptr)) == nullptr) std::this_thread::yield();
                std::this_thread::sleep_for(std::chrono::microseconds(20)); // the worker has gone to sleep
                woken = sdk::now_ns();
                waker->vt->wake(waker);
            }
        });
        run(executor.get());
        waking.join();
        state.SetIterationTime(seconds(total) / wakes);
    }
}

} // namespace

/// Arguments that Google Benchmark leaves over are ids of executor plugins.
int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    host::registry plugins;
    for (int i = 1; i < argc; ++i) {
        const std::string id = argv[i];
        for (const auto& [name, body] : {std::pair{"spawn", &spawn}, {"yield", &yield}, {"wake", &wake}})
            benchmark::RegisterBenchmark((name + ("/" + id)).c_str(),
                                         [&plugins, id, body = body](benchmark::State& s) { body(s, plugins, id); })
                ->UseManualTime()
                ->Iterations(rounds);
    }
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
