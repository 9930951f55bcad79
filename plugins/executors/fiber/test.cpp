// What is special to fibers: stacks, the inbox, looks at I/O between picks, and fibers that outlive their run.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <chimera/abi.h>
#include <chimera/sdk/error.hpp>
#include <chimera/sdk/reactor.hpp>
#include <chimera/sdk/waker.hpp>

#include "../testing/lifecycle.hpp"

using namespace std::chrono_literals;
namespace sdk = chimera::sdk;
using namespace chimera::test;

const std::vector<std::string> chimera::test::plugins_under_test{"fiber"};

namespace {

constexpr bool sanitized =
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    true;
#else
    false;
#endif

/// Resident memory of the process, bytes.
std::size_t resident() {
    std::ifstream file("/proc/self/statm");
    std::size_t pages = 0, in_memory = 0;
    file >> pages >> in_memory;
    return in_memory * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

/// Uses `bytes` of stack and touches each page of it, from the top.
[[gnu::noinline]] void eat_stack(std::size_t bytes) {
    volatile char* const below = static_cast<volatile char*>(__builtin_alloca(bytes));
    for (std::size_t i = bytes; i >= 1024; i -= 1024) below[i - 1024] = 'x';
}

} // namespace

TEST_CASE("a hundred thousand tasks are alive at once, and their memory stays bounded") {
    const census before;
    constexpr int tasks = sanitized ? 20'000 : 100'000;
    executor_under_test f{{"workers", "2"}};
    const std::size_t at_start = resident();
    std::atomic<int> pending{0}, done{0};
    std::size_t peak = 0;
    std::vector<sdk::waker> wakers(tasks);
    for (std::size_t i = 0; i < tasks; ++i)
        f.spawn(closure_task::make([&, i](chm_waker* w) -> chm_rc {
            if (!wakers[i]) {
                wakers[i] = sdk::waker::clone(w);
                ++pending;
                return CHM_PENDING;
            }
            ++done;
            return CHM_READY;
        }));
    std::thread waker([&] {
        CHECK(block_until([&] { return pending == tasks; }));
        peak = resident();
        for (sdk::waker& w : wakers) w.wake_by_ref();
    });
    CHECK(f.run() == CHM_OK);
    waker.join();
    CHECK(done == tasks);
    // A page of stack for each, with what the task itself and its cell take; not the whole of each stack.
    if (!sanitized) CHECK((peak - at_start) / tasks < 8'192);
    wakers.clear();
}

TEST_CASE("stacks are used again: tasks one after the other cost one stack") {
    const census before;
    executor_under_test f{{"stack_size", "1048576"}};
    const std::size_t at_start = resident();
    for (int i = 0; i < 3'000; ++i)
        f.spawn(closure_task::make([](chm_waker*) -> chm_rc {
            eat_stack(sanitized ? 100'000 : 500'000);
            return CHM_READY;
        }));
    std::atomic<std::size_t> at_end{0};
    f.spawn(closure_task::make([&](chm_waker*) -> chm_rc {
        at_end = resident();
        return CHM_READY;
    }));
    CHECK(f.run() == CHM_OK);
    if (!sanitized) CHECK(at_end - at_start < 200 * 500'000); // 3000 stacks would be 1.5 GB
}

TEST_CASE("a poll may use the stack that was asked for") {
    const census before;
    for (const std::size_t size : {std::size_t{128} << 10, std::size_t{1} << 20}) {
        executor_under_test f{{"stack_size", std::to_string(size)}};
        std::atomic<int> ran{0};
        for (int i = 0; i < 20; ++i)
            f.spawn(closure_task::make([&, first = true](chm_waker* w) mutable -> chm_rc {
                eat_stack(sanitized ? size / 4 : size - 8'192);
                if (std::exchange(first, false)) {
                    w->vt->wake_by_ref(w);
                    return CHM_PENDING;
                }
                ++ran;
                return CHM_READY;
            }));
        CHECK(f.run() == CHM_OK);
        CHECK(ran == 20);
    }
}

TEST_CASE("a stack overflow hits a guard page instead of the neighbour's stack" * doctest::skip(sanitized)) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        std::signal(SIGSEGV, SIG_DFL);
        const rlimit none{0, 0};
        setrlimit(RLIMIT_CORE, &none);
        executor_under_test f{{"stack_size", "65536"}};
        f.spawn(closure_task::make([](chm_waker*) -> chm_rc {
            eat_stack(100'000);
            return CHM_READY;
        }));
        f.run();
        _exit(0);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
}

TEST_CASE("exceptions are thrown and caught on fibers, between and beside each other") {
    const census before;
    executor_under_test f{{"workers", "2"}};
    std::atomic<int> caught{0};
    for (int i = 0; i < 50; ++i)
        f.spawn(closure_task::make([&, left = 20](chm_waker* w) mutable -> chm_rc {
            try {
                const std::string text(100, 'x');
                throw std::runtime_error(text);
            } catch (const std::runtime_error& e) {
                caught += std::string_view(e.what()).size() == 100 ? 1 : 0;
            }
            w->vt->wake_by_ref(w);
            return --left == 0 ? CHM_READY : CHM_PENDING;
        }));
    CHECK(f.run() == CHM_OK);
    CHECK(caught == 50 * 20);
}

TEST_CASE("foreign wakes reach a worker that sleeps, one that is about to, and one that is busy") {
    const census before;
    executor_under_test f{{"workers", "2"}};
    constexpr int lanes = 4, rounds = 3'000;
    struct lane {
        std::atomic<int> ball{0}; // odd: the task's turn
        sdk::waker_slot task;
    };
    std::array<lane, lanes> all;
    std::vector<std::thread> threads;
    for (lane& l : all) {
        f.spawn(closure_task::make([&l](chm_waker* w) -> chm_rc {
            l.task.set(w);
            const int ball = l.ball.load();
            if (ball % 2 != 0) l.ball.store(ball + 1);
            return ball + 1 >= 2 * rounds ? CHM_READY : CHM_PENDING;
        }));
        threads.emplace_back([&l] {
            for (int ball = 0; ball < 2 * rounds;) { // one lost wake stops the test
                l.ball.store(ball + 1);
                l.task.wake();
                while ((ball = l.ball.load()) % 2 != 0) std::this_thread::yield();
            }
        });
    }
    CHECK(f.run() == CHM_OK);
    for (std::thread& t : threads) t.join();
}

TEST_CASE("tasks never migrate: polled and dropped by one thread, spread round robin, hints respected") {
    const census before;
    executor_under_test f{{"workers", "3"}};
    CHECK(f.flags() == CHM_EXECUTOR_PINNED);
    constexpr std::size_t tasks = 30;
    std::array<std::string, tasks> home;
    std::array<sdk::waker, tasks> wakers;
    std::atomic<int> strayed{0}, first_polls{0}, child_elsewhere{0};
    std::atomic<bool> stop{false};
    for (std::uint32_t i = 0; i < tasks; ++i) {
        const bool hinted = i >= 15;
        f.spawn(closure_task::make(
                    [&, i, left = 50](chm_waker* w) mutable -> chm_rc {
                        if (home[i].empty()) {
                            home[i] = thread_name();
                            wakers[i] = sdk::waker::clone(w);
                            ++first_polls;
                            f.spawn(closure_task::make([&, here = home[i]](chm_waker*) -> chm_rc {
                                        if (thread_name() != here) ++child_elsewhere;
                                        return CHM_READY;
                                    }),
                                    CHM_HINT_CURRENT);
                        }
                        if (thread_name() != home[i]) ++strayed;
                        if (first_polls == tasks) wakers[(i + 7) % tasks].wake_by_ref(); // mostly of other workers
                        if (i % 2 == 0) w->vt->wake_by_ref(w);
                        return --left <= 0 && i % 2 == 0 ? CHM_READY : CHM_PENDING;
                    },
                    [&, i] {
                        if (thread_name() != home[i]) ++strayed;
                    }),
                hinted ? CHM_HINT_WORKER : CHM_HINT_ANY, i);
    }
    std::thread stopper([&] {
        CHECK(block_until([&] { return first_polls == tasks; }));
        std::this_thread::sleep_for(20ms);
        f.stop();
    });
    CHECK(f.run(CHM_RUN_UNTIL_STOP) == CHM_E_CANCELED);
    stopper.join();
    CHECK(strayed == 0);
    CHECK(child_elsewhere == 0);
    for (std::size_t i = 0; i < tasks; ++i) CHECK(home[i] == "fiber-" + std::to_string(i % 3));
    for (sdk::waker& w : wakers) w = {};
}

TEST_CASE("I/O and the inbox are looked at while a task spins") {
    const census before;
    executor_under_test f{};
    std::atomic<bool> timer_fired{false}, foreign_seen{false};
    sdk::waker_slot slot;
    f.spawn(closure_task::make([&](chm_waker* w) -> chm_rc {
        if (timer_fired && foreign_seen) return CHM_READY;
        w->vt->wake_by_ref(w);
        return CHM_PENDING;
    }));
    f.spawn(closure_task::make(
        [&, t = std::make_shared<sdk::timer>(f.reactor()), at = std::uint64_t{0}](chm_waker* w) mutable -> chm_rc {
            if (at == 0) at = sdk::now_ns() + 5'000'000;
            if (!t->poll(at, w)) return CHM_PENDING;
            timer_fired = true;
            return CHM_READY;
        }));
    std::atomic<bool> told{false};
    f.spawn(closure_task::make([&](chm_waker* w) -> chm_rc {
        slot.set(w);
        if (!told) return CHM_PENDING;
        foreign_seen = true;
        return CHM_READY;
    }));
    std::thread foreign([&] {
        std::this_thread::sleep_for(10ms);
        told = true;
        slot.wake();
    });
    CHECK(f.run() == CHM_OK);
    foreign.join();
}

TEST_CASE("an io made on one worker is polled, cleared and freed on others") {
    const census before;
    executor_under_test f{{"workers", "2"}};
    std::array<int, 2> pipe{};
    REQUIRE(::pipe2(pipe.data(), O_NONBLOCK | O_CLOEXEC) == 0);
    auto ear = std::make_unique<sdk::io>(f.reactor(), pipe[0]); // made outside: the first worker's
    std::atomic<int> heard{0};
    f.spawn(closure_task::make([&](chm_waker* w) -> chm_rc { // polled on the second
                for (;;) {
                    const std::uint32_t seen = ear->poll(CHM_IO_READ, w);
                    if (seen == 0) return CHM_PENDING;
                    std::array<char, 8> buffer{};
                    if (::read(pipe[0], buffer.data(), buffer.size()) == 1) ++heard;
                    ear->drained(seen, CHM_IO_READ);
                    if (heard == 100) {
                        ear.reset();
                        return CHM_READY;
                    }
                }
            }),
            CHM_HINT_WORKER, 1);
    std::thread mouth([&] {
        for (int i = 0; i < 100; ++i) {
            CHECK(::write(pipe[1], "x", 1) == 1);
            CHECK(block_until([&] { return heard == i + 1; }));
        }
    });
    CHECK(f.run() == CHM_OK);
    mouth.join();
    ::close(pipe[0]);
    ::close(pipe[1]);
}

TEST_CASE("an option outside of its range is refused and named") {
    for (const auto& [key, value] : {setting{"workers", "0"}, {"event_interval", "0"}, {"stack_size", "16383"}}) {
        CHECK_THROWS_WITH_AS(executor_under_test({{key, value}}), doctest::Contains(key), sdk::error);
    }
}

TEST_CASE("lifecycle") { test_lifecycle(); }
