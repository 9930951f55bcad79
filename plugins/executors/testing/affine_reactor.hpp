// Tests for every executor whose reactor is affine: deadlines, other threads, and leaked registrations.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#include "chimera/sdk/clock.hpp"
#include "chimera/sdk/reactor.hpp"
#include "executor_under_test.hpp"
#include "socket_pair.hpp"

namespace chimera::test {

inline sdk::task<void> many_deadlines(chm_reactor* reactor, bool& early) {
    sdk::timer timer(reactor);
    for (std::uint64_t i = 0; i < 60; ++i) {
        const std::uint64_t deadline = sdk::now_ns() + 37'000 * i + 1; // anywhere within a millisecond
        co_await timer.at(deadline);
        early = early || sdk::now_ns() < deadline;
    }
}

/// No timer fires early, wherever in a millisecond its deadline lies.
inline void timers_are_never_early() {
    const census before;
    executor_under_test ex;
    bool early = false;
    for (int i = 0; i < 4; ++i) ex.spawn(many_deadlines(ex.reactor(), early));
    CHECK(ex.run() == CHM_OK);
    CHECK_FALSE(early);
}

/// A thread that is not a worker can make no io and no timer, and cannot use a worker's.
inline void reactor_refuses_other_threads() {
    const census before;
    socket_pair pair;
    executor_under_test ex;
    chm_reactor* r = ex.reactor();
    chm_io* io = nullptr;
    chm_timer* timer = nullptr;
    CHECK(r->vt->io_register(r, pair.a.get(), &io) == CHM_E_AFFINITY);
    CHECK(r->vt->timer_create(r, &timer) == CHM_E_AFFINITY);
    CHECK((r->vt->flags & CHM_REACTOR_ANY_THREAD) == 0);
    std::atomic<int> drops{0};
    ex.spawn(closure_task::counted(drops, [&](chm_waker*) -> chm_rc {
        REQUIRE(r->vt->io_register(r, pair.a.get(), &io) == CHM_OK);
        std::thread([&] { CHECK(r->vt->io_poll(r, io, CHM_IO_READ, nullptr) == CHM_IO_ERR); }).join();
        r->vt->io_deregister(r, io);
        return CHM_READY;
    }));
    CHECK(ex.run() == CHM_OK);
    CHECK(drops == 1);
}

/// An io and a timer that a task has left behind are closed at the end, with a warning for each.
inline void leaks_are_closed_with_a_warning() {
    const census before(2);
    socket_pair pair;
    executor_under_test ex;
    std::atomic<int> drops{0};
    ex.spawn(closure_task::counted(drops, [&](chm_waker* w) -> chm_rc {
        chm_io* io = nullptr;
        chm_timer* timer = nullptr;
        chm_reactor* r = ex.reactor();
        REQUIRE(r->vt->io_register(r, pair.a.get(), &io) == CHM_OK);
        REQUIRE(r->vt->timer_create(r, &timer) == CHM_OK);
        r->vt->io_poll(r, io, CHM_IO_READ, w);
        r->vt->timer_poll(r, timer, sdk::now_ns() + 1'000'000'000, w);
        return CHM_READY;
    }));
    CHECK(ex.run() == CHM_OK);
    CHECK(drops == 1);
}

} // namespace chimera::test
