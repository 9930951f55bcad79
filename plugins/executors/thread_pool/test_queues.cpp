// What is special to the thread pool: stealing, pinning, the ring and the injector.
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
