// Owning wakers and the slot.
#include "chimera/sdk/waker.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "counted_waker.hpp"

using chimera::sdk::waker;
using chimera::sdk::waker_slot;

TEST_CASE("a waker gives back every reference that it took") {
    counted_waker c;
    {
        waker a = waker::clone(&c);
        CHECK(c.references == 1);
        waker b = a;
        CHECK(c.references == 2);
        waker moved = std::move(b);
        CHECK(c.references == 2);
        CHECK_FALSE(b);
        a = moved;
        CHECK(c.references == 2);
        a = a;
        CHECK(c.references == 2);
        moved.wake();
        CHECK(c.references == 1);
        moved.wake(); // empty: nothing happens
        a.wake_by_ref();
        CHECK(c.references == 1);
    }
    CHECK(c.references == 0);
    CHECK(c.wakes == 2);
}

TEST_CASE("a slot keeps one waker, and drops the earlier one unwoken") {
    counted_waker first, second;
    waker_slot slot;
    slot.set(&first);
    slot.set(&second);
    CHECK(first.references == 0);
    CHECK(first.wakes == 0);
    slot.wake();
    slot.wake();
    CHECK(second.wakes == 1);
    CHECK(second.references == 0);
    slot.set(&second);
    slot.clear();
    CHECK(second.wakes == 1);
    CHECK(second.references == 0);
}

TEST_CASE("set then look, make true then wake: no event is lost between the two") {
    counted_waker c;
    waker_slot slot;
    std::atomic<unsigned> event{0};
    constexpr unsigned rounds = 5000;
    std::atomic<unsigned> round{0};
    std::thread producer([&] {
        for (unsigned i = 1; i <= rounds; ++i) {
            while (round.load(std::memory_order_acquire) < i) std::this_thread::yield();
            event.store(i, std::memory_order_relaxed);
            slot.wake();
        }
    });
    for (unsigned i = 1; i <= rounds; ++i) {
        round.store(i, std::memory_order_release);
        for (;;) {
            const unsigned wakes = c.wakes;
            slot.set(&c);
            if (event.load(std::memory_order_relaxed) == i) break; // seen by the second look
            while (c.wakes == wakes) std::this_thread::yield();    // hangs when the wake is lost
        } // a wake of the round before may come late: look again
    }
    producer.join();
    slot.clear();
    CHECK(c.references == 0);
}

TEST_CASE("many threads on one slot give back every reference") {
    counted_waker c;
    {
        waker_slot slot;
        std::vector<std::thread> crowd;
        for (unsigned i = 0; i < 4; ++i)
            crowd.emplace_back([&, i] {
                for (unsigned n = 0; n < 5000; ++n) {
                    if (i % 2 == 0)
                        slot.set(&c);
                    else if (n % 3 == 0)
                        slot.clear();
                    else
                        slot.wake();
                }
            });
        for (std::thread& t : crowd) t.join();
    }
    CHECK(c.references == 0);
}
