#include "agent/blocking_pool.hpp"
#include "polled_by_hand.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <thread>

using chimera::host::blocking_pool;
using chimera::sdk::task;
using chimera::test::polled_by_hand;

namespace {

task<void> await_call(blocking_pool& pool, std::function<int()> work, int& out) {
    blocking_pool::call<int> calling(pool, std::move(work));
    try {
        out = co_await calling;
    } catch (const std::runtime_error&) {
        out = -1;
    }
}

void wait_for_wake(const polled_by_hand& t) {
    while (t.waker.wakes == 0) std::this_thread::yield();
}

} // namespace

TEST_CASE("a blocking call runs on another thread and wakes its task") {
    blocking_pool pool(2);
    const auto here = std::this_thread::get_id();
    std::thread::id there;
    int out = 0;
    std::atomic<bool> go{false};
    polled_by_hand t(await_call(
        pool,
        [&] {
            while (!go) std::this_thread::yield();
            there = std::this_thread::get_id();
            return 7;
        },
        out));
    CHECK(t.poll() == CHM_PENDING);
    go = true;
    wait_for_wake(t);
    CHECK(t.poll() == CHM_READY);
    CHECK(out == 7);
    CHECK(there != here);
}

TEST_CASE("an exception of a blocking call comes out of its await") {
    blocking_pool pool(1);
    int out = 0;
    polled_by_hand t(await_call(
        pool, []() -> int { throw std::runtime_error("no"); }, out));
    while (t.poll() == CHM_PENDING) std::this_thread::yield();
    CHECK(out == -1);
}

TEST_CASE("more calls than threads are all made") {
    blocking_pool pool(2);
    std::vector<int> out(50);
    std::vector<std::unique_ptr<polled_by_hand>> tasks;
    for (int i = 0; i < 50; ++i)
        tasks.push_back(std::make_unique<polled_by_hand>(await_call(
            pool, [i] { return i + 1; }, out[static_cast<std::size_t>(i)])));
    for (auto& t : tasks)
        while (t->poll() == CHM_PENDING) std::this_thread::yield();
    for (int i = 0; i < 50; ++i) CHECK(out[static_cast<std::size_t>(i)] == i + 1);
}

TEST_CASE("a pool is destroyed while calls wait, and their tasks never see a result") {
    int out = 0;
    std::atomic<bool> begun{false}, go{false};
    auto pool = std::make_unique<blocking_pool>(1);
    polled_by_hand busy(await_call(
        *pool,
        [&] {
            begun = true;
            while (!go) std::this_thread::yield();
            return 1;
        },
        out));
    busy.poll();
    polled_by_hand waiting(await_call(
        *pool, [] { return 2; }, out));
    waiting.poll();
    while (!begun) std::this_thread::yield();
    go = true;
    pool.reset();
    CHECK(busy.poll() == CHM_READY);
    waiting.drop();
}
