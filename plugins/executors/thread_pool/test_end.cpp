// The thread pool from spawn to destroy: tasks that come while a run ends, stop, names, late wakers, services.
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <chimera/abi.h>
#include <chimera/sdk/error.hpp>
#include <chimera/sdk/reactor.hpp>
#include <chimera/sdk/waker.hpp>

#include "../testing/executor_under_test.hpp"
#include "../testing/services.hpp"
#include "queues.hpp"

using namespace std::chrono_literals;
namespace sdk = chimera::sdk;
using namespace chimera::test;

const std::vector<std::string> chimera::test::plugins_under_test{"thread_pool"};

TEST_CASE("a task that is spawned while run goes idle is polled in that run or refused") {
    const census before;
    std::atomic<int> gone{0};
    constexpr int rounds = 200;
    for (int i = 0; i < rounds; ++i) {
        executor_under_test p{{"workers", "2"}, {"steal", i % 2 ? "true" : "false"}};
        const auto task = [&] { return closure_task::make([](chm_waker*) { return CHM_READY; }, [&] { ++gone; }); };
        p.spawn(task());
        std::thread foreign([&] { p.spawn(task()); });
        CHECK(p.run() == CHM_OK);
        foreign.join();
    }
    CHECK(gone == 2 * rounds);
}

TEST_CASE("stop against spawn: every task has exactly one owner") {
    const census before;
    std::atomic<int> made{0}, gone{0}, polled_late{0};
    for (int i = 0; i < 60; ++i) {
        executor_under_test p{{"workers", "2"}, {"steal", i % 2 ? "true" : "false"}};
        std::atomic<bool> returned{false}, refused{false};
        const auto task = [&] {
            ++made;
            return closure_task::make(
                [&](chm_waker* w) {
                    if (returned) ++polled_late;
                    w->vt->wake_by_ref(w);
                    return CHM_PENDING;
                },
                [&] { ++gone; });
        };
        p.spawn(task());
        std::thread spawner([&] {
            for (chm_rc rc = CHM_OK; rc == CHM_OK;) rc = p.spawn(task());
            refused = true;
        });
        std::thread stopper([&] {
            std::this_thread::sleep_for(std::chrono::microseconds(100 * i));
            p.stop();
        });
        CHECK(p.run() == CHM_E_CANCELED);
        returned = true;
        spawner.join();
        stopper.join();
        CHECK(refused);
        CHECK(gone == made);
    }
    CHECK(polled_late == 0);
}

TEST_CASE("stop touches nothing once its run has returned and the executor is destroyed") {
    const census before;
    for (int i = 0; i < 50; ++i) {
        std::atomic<bool> polled{false};
        executor_under_test p{{"workers", "8"}};
        p.spawn(closure_task::make([&](chm_waker*) {
            polled = true;
            return CHM_PENDING;
        }));
        std::thread stopper([&, raw = p.get()] {
            while (!polled) std::this_thread::yield();
            const sched_param lowest{}; // likely to be preempted by the workers that it wakes
            pthread_setschedparam(pthread_self(), SCHED_IDLE, &lowest);
            raw->vt->stop(raw);
        });
        CHECK(p.run(CHM_RUN_UNTIL_STOP) == CHM_E_CANCELED);
        p.destroy();
        stopper.join();
    }
}

TEST_CASE("a pinned task keeps its thread though it was spawned while the run went idle") {
    const census before;
    std::atomic<int> strayed{0};
    for (int i = 0; i < 200; ++i) {
        executor_under_test p{{"workers", "2"}, {"steal", "false"}};
        std::atomic<bool> last_poll{false};
        p.spawn(closure_task::make([&](chm_waker*) {
                    last_poll = true;
                    return CHM_READY;
                }),
                CHM_HINT_WORKER, 0);
        std::thread foreign([&] {
            while (!last_poll) std::this_thread::yield();
            for (int k = 0; k < 3; ++k)
                p.spawn(closure_task::make([&, home = std::thread::id{}, left = 200](chm_waker* w) mutable -> chm_rc {
                            if (home == std::thread::id{}) home = std::this_thread::get_id();
                            if (home != std::this_thread::get_id()) ++strayed;
                            w->vt->wake_by_ref(w);
                            return --left == 0 ? CHM_READY : CHM_PENDING;
                        }),
                        CHM_HINT_WORKER, 1);
        });
        CHECK(p.run() == CHM_OK);
        foreign.join();
    }
    CHECK(strayed == 0);
}

TEST_CASE("a spawn after a run that went idle is refused, and the task stays the caller's") {
    const census before;
    for (const bool with_task : {true, false}) {
        executor_under_test p{{"workers", "2"}};
        if (with_task) p.spawn(closure_task::make([](chm_waker*) { return CHM_READY; }));
        CHECK(p.run() == CHM_OK);
        std::atomic<int> drops{0};
        chm_task* const late = closure_task::counted(drops);
        CHECK(p.offer(late) == CHM_E_CANCELED);
        CHECK(drops == 0);
        late->vt->drop(late);
    }
}

TEST_CASE("workers carry names, and the caller of run gets its own back") {
    const census before;
    executor_under_test p{{"workers", "2"}, {"steal", "false"}};
    std::array<std::string, 2> names;
    for (std::uint32_t i = 0; i < 2; ++i)
        p.spawn(closure_task::make([&, i](chm_waker*) {
                    names[i] = thread_name();
                    return CHM_READY;
                }),
                CHM_HINT_WORKER, i);
    const std::string mine = thread_name();
    CHECK(p.run() == CHM_OK);
    CHECK(names[0] == "tp-worker-0");
    CHECK(names[1] == "tp-worker-1");
    CHECK(thread_name() == mine);
}

TEST_CASE("wakers work in all threads after the executor is destroyed") {
    const census before;
    std::vector<sdk::waker> kept;
    {
        executor_under_test p{{"workers", "2"}};
        std::mutex mutex;
        for (int i = 0; i < 100; ++i)
            p.spawn(closure_task::make([&, first = true](chm_waker* w) mutable -> chm_rc {
                if (std::exchange(first, false)) {
                    std::lock_guard lock(mutex);
                    kept.push_back(sdk::waker::clone(w));
                    if (kept.size() == 100) p.stop();
                }
                return CHM_PENDING;
            }));
        CHECK(p.run() == CHM_E_CANCELED);
    }
    REQUIRE(kept.size() == 100);
    std::thread foreign([&] {
        for (std::size_t i = 0; i < 50; ++i) kept[i].wake();
    });
    for (std::size_t i = 50; i < 100; ++i) kept[i].wake_by_ref();
    foreign.join();
    kept.clear();
}

TEST_CASE("an option outside of its range is refused and named") {
    for (const auto& [key, value] : {setting{"workers", "65"}, {"event_interval", "0"}, {"steal", "yes"}}) {
        CHECK_THROWS_WITH_AS(executor_under_test({{key, value}}), doctest::Contains(key), sdk::error);
    }
}

TEST_CASE("services that wait when the last task leaves let go of all they have, on their own workers") {
    for (const char* steal : {"true", "false"}) services_let_go_at_idle({{"workers", "3"}, {"steal", steal}}, 3);
}

TEST_CASE("a run with nothing but services ends, and drops each on its worker") {
    for (const char* steal : {"true", "false"})
        services_alone_are_dropped_at_home({{"workers", "3"}, {"steal", steal}}, 3);
}

TEST_CASE("what services spawn while a run goes idle is polled in that run or refused") {
    for (const char* steal : {"true", "false"}) services_spawn_against_idle({{"workers", "3"}, {"steal", steal}});
}
