// Falling asleep in the thread pool: who drives the reactor, and no wake is lost.
#include <dlfcn.h>
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
                // Worker 1 sees the pipe; worker 0 is woken by a timer, as the driver or through it, and blocks until
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

// --- tasks that a worker moves from the injector into its own ring: nobody may sleep while they are in neither ---

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
