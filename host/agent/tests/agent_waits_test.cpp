#include "agent/agent_waits.hpp"
#include "polled_by_hand.hpp"

#include <chimera/sdk/clock.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using chimera::host::blocking_pool;
using chimera::host::permit_pool;
using chimera::host::think_timer;
using chimera::sdk::now_ns;
using chimera::sdk::task;
using chimera::sdk::yield_now;
using chimera::test::polled_by_hand;

namespace {

task<void> work(permit_pool& pool, std::string& log, char name) {
    auto asking = pool.acquire();
    const permit_pool::permit mine = co_await asking;
    log += name;
    yield_now rest;
    co_await rest;
}

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

constexpr std::uint64_t ms = 1'000'000;
constexpr std::uint64_t hour = 3'600'000 * ms;

task<void> pause_until(think_timer& timer, std::uint64_t deadline_ns) {
    auto thinking = timer.until(deadline_ns);
    co_await thinking;
}

} // namespace

TEST_CASE("permits are given in the order in which they were asked for") {
    permit_pool pool(1);
    std::string log;
    polled_by_hand a(work(pool, log, 'a')), b(work(pool, log, 'b')), c(work(pool, log, 'c'));
    CHECK(a.poll() == CHM_PENDING); // holds the permit
    CHECK(b.poll() == CHM_PENDING);
    CHECK(c.poll() == CHM_PENDING);
    CHECK(log == "a");
    CHECK(a.poll() == CHM_READY);
    CHECK(b.waker.wakes == 1);
    CHECK(c.waker.wakes == 0);
    CHECK(c.poll() == CHM_PENDING); // a spurious poll does not jump the queue
    CHECK(log == "a");
    CHECK(b.poll() == CHM_PENDING);
    CHECK(b.poll() == CHM_READY);
    CHECK(c.poll() == CHM_PENDING);
    CHECK(log == "abc");
}

TEST_CASE("two permits let two work at once") {
    permit_pool pool(2);
    std::string log;
    polled_by_hand a(work(pool, log, 'a')), b(work(pool, log, 'b')), c(work(pool, log, 'c'));
    a.poll();
    b.poll();
    c.poll();
    CHECK(log == "ab");
}

TEST_CASE("a waiter that is dropped leaves the queue, also when it was granted and not yet polled") {
    permit_pool pool(1);
    std::string log;
    polled_by_hand a(work(pool, log, 'a')), b(work(pool, log, 'b')), c(work(pool, log, 'c')), d(work(pool, log, 'd'));
    a.poll();
    b.poll();
    c.poll();
    d.poll();
    b.drop(); // waiting
    CHECK(b.waker.refs == 1);
    a.drop(); // holding: the permit goes to c
    CHECK(c.waker.wakes == 1);
    c.drop(); // granted, never polled: the permit goes on to d
    CHECK(d.waker.wakes == 1);
    CHECK(d.poll() == CHM_PENDING);
    CHECK(log == "ad");
}

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

TEST_CASE("a pause wakes its task at its end, not before, and leaves no waker") {
    think_timer timer;
    const std::uint64_t end = now_ns() + 30 * ms;
    polled_by_hand t(pause_until(timer, end));
    CHECK(t.poll() == CHM_PENDING);
    wait_for_wake(t);
    CHECK(now_ns() >= end);
    CHECK(t.poll() == CHM_READY);
    CHECK(t.waker.refs == 1);
}

TEST_CASE("a pause whose end has passed is over at once") {
    think_timer timer;
    polled_by_hand t(pause_until(timer, now_ns()));
    CHECK(t.poll() == CHM_READY);
    CHECK(t.waker.wakes == 0);
}

TEST_CASE("pauses end in the order of their ends, whichever began first, also those with the same end") {
    think_timer timer;
    const std::uint64_t begin = now_ns();
    polled_by_hand last(pause_until(timer, begin + hour));
    polled_by_hand first(pause_until(timer, begin + 20 * ms));
    polled_by_hand second(pause_until(timer, begin + 40 * ms)), twin(pause_until(timer, begin + 40 * ms));
    for (auto* t : {&last, &first, &second, &twin}) CHECK(t->poll() == CHM_PENDING);
    wait_for_wake(first);
    wait_for_wake(second);
    wait_for_wake(twin);
    CHECK(now_ns() >= begin + 40 * ms);
    CHECK(last.waker.wakes == 0);
    for (auto* t : {&first, &second, &twin}) {
        CHECK(t->poll() == CHM_READY);
        CHECK(t->waker.wakes == 1);
    }
    last.drop();
}

TEST_CASE("a second poll of a pause takes the place of the first one's waker") {
    think_timer timer;
    polled_by_hand t(pause_until(timer, now_ns() + 30 * ms));
    CHECK(t.poll() == CHM_PENDING);
    CHECK(t.poll() == CHM_PENDING);
    CHECK(t.waker.refs == 2);
    wait_for_wake(t);
    CHECK(t.waker.wakes == 1);
}

TEST_CASE("a pause that is dropped wakes nobody, and neither does a timer that is destroyed") {
    auto timer = std::make_unique<think_timer>();
    polled_by_hand dropped(pause_until(*timer, now_ns() + 150 * ms));
    polled_by_hand other(pause_until(*timer, now_ns() + 200 * ms));
    polled_by_hand distant(pause_until(*timer, now_ns() + hour));
    for (auto* t : {&dropped, &other, &distant}) CHECK(t->poll() == CHM_PENDING);
    dropped.drop();
    CHECK(dropped.waker.refs == 1);
    wait_for_wake(other);
    CHECK(dropped.waker.wakes == 0);
    distant.drop();
    other.drop();
    timer.reset(); // although an hour is left
    CHECK(distant.waker.wakes == 0);
}

TEST_CASE("many tasks on many threads pause at once") {
    think_timer timer;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&timer, i] {
            for (int k = 0; k < 50; ++k) {
                polled_by_hand t(pause_until(timer, now_ns() + static_cast<std::uint64_t>(i + 1) * ms / 4));
                polled_by_hand left(pause_until(timer, now_ns() + ms / 4));
                left.poll();
                while (t.poll() == CHM_PENDING) wait_for_wake(t);
            }
        });
    for (std::thread& t : threads) t.join();
}
