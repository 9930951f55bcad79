// Tasks that a worker moves from the injector into its own ring are in neither for a moment: nobody may sleep for that.
#include <dlfcn.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include "../testing/executor_under_test.hpp"
#include "chimera/sdk/waker.hpp"

using namespace std::chrono_literals;
using namespace chimera::test;

namespace {

std::atomic<bool> pause_next{false};            // the next worker that leaves the injector's lock is preempted there
std::atomic<std::thread::id> paused{};          // which one that was
std::atomic<bool> others_sleep{false};          // it goes on
thread_local bool has_work_in_injector = false; // this thread is a worker on its way there

} // namespace

// The injector's lock comes here first: from the poll of a task that stays to the next one, a worker takes no other.
extern "C" CHM_EXPORT int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept {
    static const auto real = reinterpret_cast<int (*)(pthread_mutex_t*)>(dlsym(RTLD_NEXT, "pthread_mutex_unlock"));
    const int rc = real(mutex);
    if (has_work_in_injector && pause_next.exchange(false)) {
        has_work_in_injector = false;
        paused = std::this_thread::get_id();
        block_until([] { return others_sleep.load(); });
    }
    return rc;
}

TEST_CASE("what a worker takes from the injector is seen by the others, however long it is on its way to the ring") {
    const census before;
    executor_under_test p{{"workers", "2"}};
    constexpr int tasks = 8; // five for the first worker: one to poll, four for its ring
    std::atomic<int> busy{0}, ran{0};
    std::atomic<bool> queued{false}, over{false};
    const auto short_task = [&] {
        return closure_task::make([&](chm_waker*) {
            // The first that the paused worker polls takes long; the others must not wait for it.
            if (paused.load() == std::this_thread::get_id() && !over.exchange(true))
                CHECK(block_until([&] { return ran == tasks - 1; }));
            ++ran;
            return CHM_READY;
        });
    };
    std::array<chimera::sdk::waker_slot, 2> to_blocking;
    for (std::size_t i = 0; i < 2; ++i)
        p.spawn(closure_task::make([&, i](chm_waker* w) -> chm_rc {
            if (ran == tasks) return CHM_READY;
            to_blocking[i].set(w);
            ++busy;
            CHECK(block_until([&] { return i == 0 ? queued.load() : paused.load() != std::thread::id{}; }));
            has_work_in_injector = i == 0;
            return CHM_PENDING;
        }));
    std::thread foreign([&] {
        CHECK(block_until([&] { return busy == 2; })); // so all of these go into the injector
        for (int i = 0; i < tasks; ++i) p.spawn(short_task());
        pause_next = true;
        queued = true;
        CHECK(block_until([&] { return ran == 3; })); // what the first has left, the other has polled
        std::this_thread::sleep_for(50ms);            // and sleeps
        others_sleep = true;
        while (ran != tasks) std::this_thread::sleep_for(1ms); // a wake before that would be a notice
        for (auto& waker : to_blocking) waker.wake();
    });
    CHECK(p.run() == CHM_OK);
    foreign.join();
    CHECK(ran == tasks);
    CHECK(over);
}
