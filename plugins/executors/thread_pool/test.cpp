// What is special to the thread pool: stealing, pinning, the injector, who drives the reactor, and falling asleep.
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

namespace {

struct null_scheduler final : sdk::scheduler {
    void schedule(sdk::task_cell& cell) noexcept override { cell.release(); }
};

} // namespace

TEST_CASE("an idle worker steals what a busy one has queued") {
    const census before;
    executor_under_test p{{"workers", "2"}};
    std::atomic<int> ran{0};
    std::thread::id busy;
    std::atomic<bool> elsewhere{false};
    p.spawn(closure_task::make([&](chm_waker*) {
        busy = std::this_thread::get_id();
        for (int i = 0; i < 10; ++i)
            p.spawn(closure_task::make([&](chm_waker*) {
                        if (std::this_thread::get_id() != busy) elsewhere = true;
                        ++ran;
                        return CHM_READY;
                    }),
                    CHM_HINT_CURRENT);
        CHECK(block_until([&] { return ran == 10; })); // this worker never gets to them
        return CHM_READY;
    }));
    CHECK(p.run() == CHM_OK);
    CHECK(elsewhere);
    CHECK(p.flags() == 0);
}

TEST_CASE("steal = false polls and drops every task on its own worker, wherever it was woken") {
    const census before;
    constexpr std::uint32_t workers = 3;
    executor_under_test p{{"workers", "3"}, {"steal", "false"}};
    CHECK(p.flags() == CHM_EXECUTOR_PINNED);
    std::array<std::thread::id, workers> home;
    std::array<sdk::waker, workers> next_in_ring;
    std::atomic<int> ready{0}, strayed{0}, dropped{0};
    for (std::uint32_t i = 0; i < workers; ++i) // a ring of tasks, each waking the next one on another worker
        p.spawn(closure_task::make(
                    [&, i, left = 300](chm_waker* w) mutable -> chm_rc {
                        if (home[i] == std::thread::id{}) {
                            home[i] = std::this_thread::get_id();
                            next_in_ring[i] = sdk::waker::clone(w);
                            ++ready;
                        }
                        if (home[i] != std::this_thread::get_id()) ++strayed;
                        if (ready != workers) {
                            w->vt->wake_by_ref(w);
                            return CHM_PENDING;
                        }
                        next_in_ring[(i + 1) % workers].wake_by_ref();
                        return --left == 0 ? CHM_READY : CHM_PENDING;
                    },
                    [&, i] {
                        if (home[i] != std::this_thread::get_id()) ++strayed;
                        ++dropped;
                        next_in_ring[(i + 1) % workers].wake_by_ref(); // who is done wakes the others on
                    }),
                CHM_HINT_WORKER, i + workers);
    std::thread stopper([&] { // should the ring run dry, the rest is dropped, and on the right threads
        block_until([&] { return dropped >= 1; });
        p.stop();
    });
    p.run(CHM_RUN_UNTIL_STOP);
    stopper.join();
    CHECK(strayed == 0);
    CHECK(dropped == workers);
    CHECK(home[0] != home[1]);
    CHECK(home[1] != home[2]);
    for (sdk::waker& w : next_in_ring) w = {};
}

TEST_CASE("steal = false leaves a queued task with its busy worker though others idle") {
    const census before;
    executor_under_test p{{"workers", "2"}, {"steal", "false"}};
    std::atomic<bool> busy_done{false}, too_early{false};
    p.spawn(closure_task::make([&](chm_waker*) {
                p.spawn(closure_task::make([&](chm_waker*) {
                            if (!busy_done) too_early = true;
                            return CHM_READY;
                        }),
                        CHM_HINT_CURRENT);
                std::this_thread::sleep_for(50ms);
                busy_done = true;
                return CHM_READY;
            }),
            CHM_HINT_WORKER, 0);
    CHECK(p.run() == CHM_OK);
    CHECK_FALSE(too_early);
}

TEST_CASE("a worker's full queue overflows into the injector and nothing is lost") {
    const census before;
    for (const char* workers : {"1", "3"}) {
        executor_under_test p{{"workers", workers}};
        std::atomic<int> ran{0};
        p.spawn(closure_task::make([&](chm_waker*) {
            for (int i = 0; i < 5'000; ++i)
                p.spawn(closure_task::make([&](chm_waker*) {
                    ++ran;
                    return CHM_READY;
                }));
            return CHM_READY;
        }));
        CHECK(p.run() == CHM_OK);
        CHECK(ran == 5'000);
    }
}

TEST_CASE("the ring gives every cell to exactly one of its owner and its thieves") {
    constexpr int cells = 60'000, thieves = 2;
    auto* owner = new null_scheduler;
    chm_task* const nothing = closure_task::make([](chm_waker*) { return CHM_READY; });
    chimera::thread_pool::run_queue ring;
    std::atomic<int> taken{0};
    std::atomic<bool> filled{false};
    const auto consume = [&](sdk::task_cell* cell) {
        cell->release(); // a cell that is given out twice is used after it was freed: the sanitizer sees it, and the
                         // count
        cell->release();
        ++taken;
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < thieves; ++i)
        threads.emplace_back([&] {
            chimera::thread_pool::run_queue mine;
            while (!filled || ring.size() != 0) {
                if (sdk::task_cell* cell = ring.steal_into(mine)) consume(cell);
                while (sdk::task_cell* cell = mine.pop()) consume(cell);
            }
        });
    for (int i = 0; i < cells; ++i) {
        sdk::task_cell* cell = sdk::task_cell::create(*owner, nothing);
        while (!ring.push(*cell)) {
            sdk::task_cell* last = nullptr;
            for (sdk::task_cell* c = ring.take_half(last); c != nullptr;) consume(std::exchange(c, c->next));
        }
        if (i % 3 == 0)
            if (sdk::task_cell* c = ring.pop()) consume(c);
    }
    filled = true;
    while (sdk::task_cell* c = ring.pop()) consume(c);
    for (std::thread& t : threads) t.join();
    CHECK(taken == cells);
    owner->release();
    nothing->vt->drop(nothing);
}

TEST_CASE("I/O is seen while every worker has a task that spins") {
    const census before;
    for (const char* steal : {"true", "false"}) {
        executor_under_test p{{"workers", "2"}, {"steal", steal}};
        std::atomic<bool> done{false};
        for (std::uint32_t i = 0; i < 2; ++i)
            p.spawn(closure_task::make([&](chm_waker* w) -> chm_rc {
                        if (done) return CHM_READY;
                        w->vt->wake_by_ref(w);
                        return CHM_PENDING;
                    }),
                    CHM_HINT_WORKER, i);
        p.spawn(closure_task::make(
            [&, t = std::make_shared<sdk::timer>(p.reactor()), at = std::uint64_t{0}](chm_waker* w) mutable -> chm_rc {
                if (at == 0) at = sdk::now_ns() + 5'000'000;
                if (!t->poll(at, w)) return CHM_PENDING;
                done = true;
                return CHM_READY;
            }));
        CHECK(p.run() == CHM_OK);
        CHECK(done);
    }
}

TEST_CASE("a sleeper takes the reactor over when its driver blocks inside a poll") {
    const census before;
    for (const char* steal : {"true", "false"}) {
        for (const char* workers : {"2", "4"}) {
            executor_under_test p{{"workers", workers}, {"steal", steal}};
            std::array<int, 2> pipe{};
            REQUIRE(::pipe2(pipe.data(), O_NONBLOCK | O_CLOEXEC) == 0);
            std::atomic<bool> heard{false}, watching{false};
            {
                // Worker 1 hears the pipe; worker 0 is woken by a timer, as the driver or through it, and blocks until
                // then.
                p.spawn(closure_task::make(
                            [&, ear = std::make_shared<sdk::io>(p.reactor(), pipe[0])](chm_waker* w) -> chm_rc {
                                if (ear->poll(CHM_IO_READ, w) == 0) {
                                    watching = true;
                                    return CHM_PENDING;
                                }
                                heard = true;
                                return CHM_READY;
                            }),
                        CHM_HINT_WORKER, 1);
                p.spawn(closure_task::make([&, t = std::make_shared<sdk::timer>(p.reactor()),
                                            at = sdk::now_ns() + 30'000'000](chm_waker* w) -> chm_rc {
                            if (!t->poll(at, w)) return CHM_PENDING;
                            CHECK(watching);
                            CHECK(::write(pipe[1], "x", 1) == 1);
                            CHECK(block_until([&] { return heard.load(); }));
                            return CHM_READY;
                        }),
                        CHM_HINT_WORKER, 0);
            }
            CHECK(p.run() == CHM_OK);
            ::close(pipe[0]);
            ::close(pipe[1]);
        }
    }
}

TEST_CASE("the last idle worker looks at the reactor, whoever of the others was its driver and who stood by") {
    const census before;
    for (const char* steal : {"true", "false"})
        for (const auto& [first, second, idle] :
             {std::array{0U, 1U, 2U}, {0U, 2U, 1U}, {1U, 0U, 2U}, {1U, 2U, 0U}, {2U, 0U, 1U}, {2U, 1U, 0U}}) {
            executor_under_test p{{"workers", "3"}, {"steal", steal}};
            std::atomic<bool> heard{false}, go{false};
            sdk::waker_slot to_first;
            const std::uint64_t start = sdk::now_ns();
            const auto on_timer = [&](std::uint64_t delay_ns, auto then) {
                return closure_task::make([&p, t = std::make_shared<sdk::timer>(p.reactor()), at = start + delay_ns,
                                           then](chm_waker* w) -> chm_rc {
                    if (!t->poll(at, w)) return CHM_PENDING;
                    then();
                    return CHM_READY;
                });
            };
            const auto block = [&] { CHECK(block_until([&] { return heard.load(); })); };
            p.spawn(on_timer(90'000'000, [&] { heard = true; }), CHM_HINT_WORKER, idle);
            p.spawn(on_timer(60'000'000, block), CHM_HINT_WORKER, second);
            p.spawn(closure_task::make([&](chm_waker* w) -> chm_rc {
                        to_first.set(w);
                        if (!go) return CHM_PENDING;
                        block();
                        return CHM_READY;
                    }),
                    CHM_HINT_WORKER, first);
            std::thread foreign([&] {
                std::this_thread::sleep_for(30ms); // all sleep
                go = true;
                to_first.wake();
            });
            CHECK(p.run() == CHM_OK);
            foreign.join();
        }
}

TEST_CASE("no wake is lost while workers fall asleep") {
    const census before;
    for (const char* steal : {"true", "false"}) {
        executor_under_test p{{"workers", "3"}, {"steal", steal}};
        // Foreign threads and tasks wake each other one at a time, so that everybody falls asleep after every wake: one
        // lost wake stops the test.
        constexpr int pairs = 4, rounds = 3'000;
        struct lane {
            std::atomic<int> ball{0}; // odd: the task's turn
            sdk::waker_slot task;
            sdk::waker_slot partner;
        };
        std::array<lane, pairs> lanes;
        for (lane& l : lanes) {
            p.spawn(closure_task::make([&l](chm_waker* w) -> chm_rc {
                l.task.set(w);
                for (;;) {
                    const int ball = l.ball.load();
                    if (ball >= 2 * rounds) return CHM_READY;
                    if (ball % 2 == 0) return CHM_PENDING;
                    l.ball.store(ball + 1);
                    l.partner.wake();
                }
            }));
        }
        // Two lanes are driven by tasks, two by foreign threads.
        for (int i = 0; i < 2; ++i)
            p.spawn(closure_task::make([&l = lanes[static_cast<std::size_t>(i)]](chm_waker* w) -> chm_rc {
                l.partner.set(w);
                const int ball = l.ball.load();
                if (ball % 2 != 0) return CHM_PENDING;
                l.ball.store(ball < 2 * rounds ? ball + 1 : ball);
                l.task.wake();
                return ball < 2 * rounds ? CHM_PENDING : CHM_READY;
            }));
        std::vector<std::thread> threads;
        for (int i = 2; i < pairs; ++i)
            threads.emplace_back([&l = lanes[static_cast<std::size_t>(i)]] {
                for (int ball = 0; ball < 2 * rounds;) {
                    l.ball.store(ball + 1);
                    l.task.wake();
                    while ((ball = l.ball.load()) % 2 != 0) std::this_thread::yield();
                }
                l.task.wake();
            });
        CHECK(p.run() == CHM_OK);
        for (std::thread& t : threads) t.join();
    }
}

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
