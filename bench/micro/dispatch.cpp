// What the contract costs for one poll: the same body called inline, and through a task's table as an executor calls
// it.
#include <benchmark/benchmark.h>
#include <chimera/abi/task.h>

#include <cstdint>

namespace {

struct counting_task : chm_task {
    std::uint64_t polls = 0;

    chm_rc poll(chm_waker* waker) noexcept {
        polls += waker == nullptr;
        return CHM_PENDING;
    }
};

chm_rc poll_thunk(chm_task* task, chm_waker* waker) noexcept { return static_cast<counting_task*>(task)->poll(waker); }
void drop_thunk(chm_task*) noexcept {}
constexpr chm_task_vt table{poll_thunk, drop_thunk};

void poll_inlined(benchmark::State& state) {
    counting_task task{{&table}};
    for (auto _ : state) {
        benchmark::DoNotOptimize(task.poll(nullptr));
        benchmark::ClobberMemory();
    }
}
BENCHMARK(poll_inlined);

void poll_across_the_abi(benchmark::State& state) {
    counting_task task{{&table}};
    chm_task* opaque = &task;
    benchmark::DoNotOptimize(opaque);
    for (auto _ : state) {
        benchmark::DoNotOptimize(opaque->vt->poll(opaque, nullptr));
        benchmark::ClobberMemory();
    }
}
BENCHMARK(poll_across_the_abi);

} // namespace
