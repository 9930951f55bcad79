#include "agent/think_timer.hpp"
#include "polled_by_hand.hpp"

#include <chimera/sdk/clock.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <thread>
#include <vector>

using chimera::host::think_timer;
using chimera::sdk::now_ns;
using chimera::sdk::task;
using chimera::test::polled_by_hand;

namespace {

constexpr std::uint64_t ms = 1'000'000;
constexpr std::uint64_t hour = 3'600'000 * ms;

task<void> pause_until(think_timer& timer, std::uint64_t deadline_ns) {
    auto thinking = timer.until(deadline_ns);
    co_await thinking;
}

void wait_for_wake(const polled_by_hand& t) {
    while (t.waker.wakes == 0) std::this_thread::yield();
}

} // namespace

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
