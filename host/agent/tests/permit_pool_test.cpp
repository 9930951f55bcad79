#include "agent/permit_pool.hpp"
#include "polled_by_hand.hpp"

#include <doctest/doctest.h>

#include <string>

using chimera::host::permit_pool;
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
