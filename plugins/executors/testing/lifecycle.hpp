// Tests for every executor: how tasks are taken, polled and dropped, and how runs and executors end. The lifecycle is
// the SDK's (executor_lifecycle.hpp); queues, reactors and threads are the executor's.
#pragma once

#include <sched.h>

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "chimera/sdk/waker.hpp"
#include "services.hpp"

namespace chimera::test {

/// The executor with this many workers and `more` settings.
inline std::vector<setting> workers(std::uint32_t n, std::vector<setting> more) {
    more.emplace_back("workers", std::to_string(n));
    return more;
}

inline chm_rc ready(chm_waker*) { return CHM_READY; }
inline chm_rc run_again(chm_waker* w) {
    w->vt->wake_by_ref(w);
    return CHM_PENDING;
}

inline void tasks_spawn_tasks(const std::vector<setting>& more) {
    const census before;
    executor_under_test ex(workers(2, more));
    std::atomic<int> drops{0};
    for (int i = 0; i < 100; ++i)
        ex.spawn(closure_task::counted(drops, [&](chm_waker*) -> chm_rc {
            for (int j = 0; j < 10; ++j) CHECK(ex.spawn(closure_task::counted(drops, ready)) == CHM_OK);
            return CHM_READY;
        }));
    CHECK(ex.run() == CHM_OK);
    CHECK(drops == 1100);
}

inline void spawn_meets_idle(const std::vector<setting>& more) {
    const census before;
    std::atomic<int> gone{0};
    constexpr int rounds = 200;
    for (int i = 0; i < rounds; ++i) {
        executor_under_test ex(workers(2, more));
        const auto task = [&] {
            return closure_task::counted(
                gone, [left = 2](chm_waker* w) mutable { return --left == 0 ? chm_rc{CHM_READY} : run_again(w); });
        };
        ex.spawn(task());
        std::thread foreign([&] { ex.spawn(task()); });
        CHECK(ex.run() == CHM_OK);
        foreign.join();
    }
    CHECK(gone == 2 * rounds);
}

/// Where tasks are pinned, also those do not move that are spawned while the run goes idle.
inline void pinned_spawn_meets_idle(const std::vector<setting>& more) {
    const census before;
    std::atomic<int> strayed{0};
    bool pinned = false;
    for (int i = 0; i < 200; ++i) {
        executor_under_test ex(workers(2, more));
        pinned = (ex.flags() & CHM_EXECUTOR_PINNED) != 0;
        std::atomic<bool> last_poll{false};
        ex.spawn(closure_task::make([&](chm_waker*) {
                     last_poll = true;
                     return CHM_READY;
                 }),
                 CHM_HINT_WORKER, 0);
        std::thread foreign([&] {
            while (!last_poll) std::this_thread::yield();
            for (int k = 0; k < 3; ++k)
                ex.spawn(closure_task::make([&, home = std::thread::id{}, left = 200](chm_waker* w) mutable -> chm_rc {
                             if (home == std::thread::id{}) home = std::this_thread::get_id();
                             if (home != std::this_thread::get_id()) ++strayed;
                             return --left == 0 ? chm_rc{CHM_READY} : run_again(w);
                         }),
                         CHM_HINT_WORKER, 1);
        });
        CHECK(ex.run() == CHM_OK);
        foreign.join();
    }
    if (pinned) CHECK(strayed == 0);
}

inline void stop_meets_spawn(const std::vector<setting>& more) {
    const census before;
    std::atomic<int> made{0}, gone{0}, polled_late{0};
    for (int i = 0; i < 60; ++i) {
        executor_under_test ex(workers(1 + i % 2, more));
        std::atomic<bool> returned{false}, refused{false};
        const auto task = [&] {
            ++made;
            return closure_task::counted(gone, [&](chm_waker* w) {
                if (returned) ++polled_late;
                return run_again(w);
            });
        };
        ex.spawn(task());
        std::thread spawner([&] {
            for (chm_rc rc = CHM_OK; rc == CHM_OK;) rc = ex.spawn(task());
            refused = true;
        });
        std::thread stopper([&] {
            std::this_thread::sleep_for(std::chrono::microseconds(100 * i));
            ex.stop();
        });
        CHECK(ex.run() == CHM_E_CANCELED);
        returned = true;
        spawner.join();
        stopper.join();
        CHECK(refused);
        CHECK(gone == made);
    }
    CHECK(polled_late == 0);
}

/// Tasks that wait are dropped by a worker, on the one for which they were spawned where tasks are pinned, before run
/// returns.
inline void stop_drops_on_workers(const std::vector<setting>& more) {
    const census before;
    std::atomic<int> drops{0}, polled{0};
    executor_under_test ex(workers(2, more));
    std::vector<std::thread::id> homes(4);
    for (std::uint32_t i = 0; i < 4; ++i)
        ex.spawn(closure_task::make(
                     [&, i](chm_waker*) {
                         homes[i] = std::this_thread::get_id();
                         ++polled;
                         return CHM_PENDING;
                     },
                     [&, i] {
                         if (ex.flags() & CHM_EXECUTOR_PINNED) CHECK(homes[i] == std::this_thread::get_id());
                         if (sdk::service_of(ex.get())) CHECK(ex.here() >= 0);
                         ++drops;
                     }),
                 CHM_HINT_WORKER, i);
    std::thread stopper([&] {
        CHECK(block_until([&] { return polled == 4; }));
        ex.stop();
        ex.stop();
    });
    CHECK(ex.run(CHM_RUN_UNTIL_STOP) == CHM_E_CANCELED);
    CHECK(drops == 4);
    stopper.join();
}

inline void stop_outlives_executor(const std::vector<setting>& more) {
    const census before;
    for (int i = 0; i < 50; ++i) {
        std::atomic<bool> polled{false};
        executor_under_test ex(workers(8, more));
        ex.spawn(closure_task::make([&](chm_waker*) {
            polled = true;
            return CHM_PENDING;
        }));
        std::thread stopper([&, raw = ex.get()] {
            while (!polled) std::this_thread::yield();
            const sched_param lowest{}; // likely to be preempted by the workers that it wakes
            pthread_setschedparam(pthread_self(), SCHED_IDLE, &lowest);
            raw->vt->stop(raw);
        });
        CHECK(ex.run(CHM_RUN_UNTIL_STOP) == CHM_E_CANCELED);
        ex.destroy();
        stopper.join();
    }
}

inline void spawn_after_the_run(const std::vector<setting>& more) {
    const census before;
    for (const bool with_task : {true, false})
        for (const std::uint32_t mode : {CHM_RUN_UNTIL_IDLE, CHM_RUN_UNTIL_STOP}) {
            executor_under_test ex(workers(2, more));
            if (with_task) ex.spawn(closure_task::make(ready));
            const bool stops = mode == CHM_RUN_UNTIL_STOP;
            std::thread stopper([&] {
                if (stops) ex.stop();
            });
            CHECK(ex.run(mode) == (stops ? CHM_E_CANCELED : CHM_OK));
            stopper.join();
            std::atomic<int> drops{0};
            chm_task* const late = closure_task::counted(drops);
            CHECK(ex.offer(late) == CHM_E_CANCELED);
            CHECK(drops == 0);
            late->vt->drop(late);
        }
}

inline void destroy_without_run(const std::vector<setting>& more) {
    const census before;
    std::atomic<int> drops{0};
    {
        executor_under_test ex(workers(2, more));
        for (int i = 0; i < 5; ++i) ex.spawn(closure_task::counted(drops));
        CHECK(drops == 0);
    }
    CHECK(drops == 5);
}

inline void wakes_meet_stop(const std::vector<setting>& more) {
    const census before;
    for (int round = 0; round < 50; ++round) {
        executor_under_test ex(workers(1, more));
        sdk::waker_slot slot;
        std::atomic<bool> over{false};
        std::atomic<int> drops{0};
        ex.spawn(closure_task::counted(drops, [&](chm_waker* w) -> chm_rc {
            slot.set(w);
            return CHM_PENDING;
        }));
        std::thread waking([&] {
            sdk::waker mine;
            while (!over) {
                if (!mine) mine = slot.take();
                mine.wake_by_ref();
            }
            mine.wake();
        });
        std::thread stopper([&] { ex.stop(); });
        CHECK(ex.run(CHM_RUN_UNTIL_STOP) == CHM_E_CANCELED);
        ex.destroy(); // although stop may not have returned yet
        stopper.join();
        over = true;
        waking.join();
        CHECK(drops == 1);
    }
}

/// Wakers of tasks that were dropped, and of tasks that are done.
inline void wakers_outlive_executor(const std::vector<setting>& more) {
    const census before;
    std::vector<sdk::waker> kept;
    {
        executor_under_test ex(workers(2, more));
        std::mutex mutex;
        for (int i = 0; i < 100; ++i)
            ex.spawn(closure_task::make([&, done = i % 2 == 0, first = true](chm_waker* w) mutable -> chm_rc {
                if (std::exchange(first, false)) {
                    const std::lock_guard lock(mutex);
                    kept.push_back(sdk::waker::clone(w));
                    if (kept.size() == 100) ex.stop();
                }
                return done ? CHM_READY : CHM_PENDING;
            }));
        CHECK(ex.run() == CHM_E_CANCELED);
        for (sdk::waker& w : kept) w.wake_by_ref();
    }
    REQUIRE(kept.size() == 100);
    std::thread foreign([&] {
        for (std::size_t i = 0; i < 50; ++i) kept[i].wake();
    });
    for (std::size_t i = 50; i < 100; ++i) kept[i].wake_by_ref();
    foreign.join();
    std::thread([&] { kept.clear(); }).join();
}

/// All of these tests, with these settings besides the number of workers. Each is a subcase, so it is the whole test
/// case.
inline void test_lifecycle(const std::vector<setting>& more = {}) {
    SUBCASE("tasks may spawn tasks, and run ends with the last one") { tasks_spawn_tasks(more); }
    SUBCASE("a task that is spawned while run goes idle is polled in that run or refused") { spawn_meets_idle(more); }
    SUBCASE("a pinned task keeps its thread though it was spawned while the run went idle") {
        pinned_spawn_meets_idle(more);
    }
    SUBCASE("stop against spawn: every task has exactly one owner") { stop_meets_spawn(more); }
    SUBCASE("stop drops every task on its worker, inside run") { stop_drops_on_workers(more); }
    SUBCASE("stop touches nothing once its run has returned and the executor is destroyed") {
        stop_outlives_executor(more);
    }
    SUBCASE("a spawn after the run is refused, and the task stays the caller's") { spawn_after_the_run(more); }
    SUBCASE("destroy without run drops tasks that were never polled") { destroy_without_run(more); }
    SUBCASE("wakes that race the end of run neither crash nor leak") { wakes_meet_stop(more); }
    SUBCASE("wakers work in all threads after the executor is destroyed") { wakers_outlive_executor(more); }
    if (!sdk::service_of(executor_under_test(workers(3, more)).get())) return;
    SUBCASE("a run with nothing but services ends, and drops each on its worker") {
        services_alone_are_dropped_at_home(workers(3, more), 3);
    }
    SUBCASE("a task that services spawn while a run goes idle is polled in that run or refused") {
        services_spawn_against_idle(workers(3, more));
    }
    if (!executor_under_test(workers(3, more)).reactor()) return;
    SUBCASE("services that wait when the last task leaves let go of all they have, on their own workers") {
        services_let_go_at_idle(workers(3, more), 3);
    }
}

} // namespace chimera::test
