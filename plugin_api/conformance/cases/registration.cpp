// Registering and deregistering descriptors, and the wakers that a registration holds.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "../case.hpp"
#include "../kit/counting_waker.hpp"
#include "../kit/on_reactor.hpp"
#include "../kit/scale.hpp"

namespace chimera::conformance {

namespace {

chm_rc register_raw(chm_reactor* r, int fd) {
    chm_io* io = nullptr;
    const chm_rc rc = r->vt->io_register(r, fd, &io);
    if (rc == CHM_OK) r->vt->io_deregister(r, io);
    return rc;
}

sdk::task<void> one_per_fd(chm_reactor* r, environment&) {
    const socket_pair wire;
    {
        sdk::io first(r, wire.near());
        expect_code(register_raw(r, wire.near()), CHM_E_STATE, "the result of a second registration");
        wire.send("x");
        expect_equal(co_await wire.read(first), std::string("x"), "what was read by the first");
    }
    sdk::io again(r, wire.near());
    wire.send("y");
    expect_equal(co_await wire.read(again), std::string("y"), "what was read after registering again");
}

sdk::task<void> not_pollable(chm_reactor* r, environment&) {
    const sdk::owned_fd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    expect_code(register_raw(r, file.get()), CHM_E_INVAL, "the result of registering a plain file");
    expect_code(register_raw(r, -1), CHM_E_INVAL, "the result of registering -1");
    expect_code(register_raw(r, 1'000'000), CHM_E_INVAL, "the result of registering a number that is not open");
    co_return;
}

sdk::task<void> waker_replaced(chm_reactor* r, environment&) {
    current_waker get;
    const sdk::waker mine = co_await get;
    counting_waker first(mine), second(mine);
    const socket_pair wire;
    {
        sdk::io io(r, wire.near());
        expect_equal(io.poll(CHM_IO_READ, first.get()), 0U, "readiness before any data");
        expect_equal(io.poll(CHM_IO_READ, second.get()), 0U, "readiness before any data");
        co_await yield_until([&] { return first.references() == 0; }, "the waker of the earlier poll to be dropped");
        wire.send("x");
        co_await yield_until([&] { return second.wakes() > 0; }, "the waker of the later poll to be woken");
        expect_equal(first.wakes(), 0U, "the number of wakes of a replaced waker");
    }
    co_await yield_until([&] { return second.references() == 0; }, "a waker that was woken to be given back");
}

sdk::task<void> deregister_drops_waker(chm_reactor* r, environment&) {
    current_waker get;
    const sdk::waker mine = co_await get;
    counting_waker w(mine);
    const socket_pair wire;
    for (unsigned i = 0; i < 50; ++i) {
        {
            sdk::io io(r, wire.near());
            expect_equal(io.poll(CHM_IO_READ, w.get()), 0U, "readiness before any data");
        }
        co_await yield_until([&] { return w.references() == 0; }, "the waker of a deregistered io to be dropped");
    }
    wire.send("x");
    sdk::timer rest(r);
    co_await rest.after(2'000'000);
    expect_equal(w.wakes(), 0U, "the number of wakes after deregistration");
}

sdk::task<void> deregister_in_flight(chm_reactor* r, environment&) {
    current_waker get;
    const sdk::waker mine = co_await get;
    unsigned i = 0;
    for (rounds_in rounds(std::chrono::seconds(2), scaled(500)); rounds.next(); ++i) {
        counting_waker first_waker(mine), second_waker(mine);
        const socket_pair one, two;
        {
            sdk::io first(r, one.near());
            auto second = std::make_unique<sdk::io>(r, two.near());
            first.poll(CHM_IO_READ, first_waker.get());
            second->poll(CHM_IO_READ, second_waker.get());
            one.send("x");
            two.send("x"); // both are reported in one turn, and one of the reports finds nobody
            if (i % 2 == 0)
                co_await yield_until([&] { return first_waker.wakes() > 0; }, "the first io to be reported");
            second.reset();
            expect_equal(co_await one.read(first), std::string("x"), "what was read beside a deregistered io");
        }
        co_await yield_until([&] { return first_waker.references() == 0 && second_waker.references() == 0; },
                             "the wakers of deregistered ios to be given back");
    }
}

sdk::task<void> number_reused(chm_reactor* r, environment&) {
    unsigned i = 0;
    for (rounds_in rounds(std::chrono::seconds(2), scaled(1000)); rounds.next(); ++i) {
        socket_pair old;
        const int number = old.near();
        {
            sdk::io io(r, number);
            if (i % 3 == 0) co_await io.ready(CHM_IO_WRITE);
            old.send("old");
        }
        old.close_near();
        if (i % 2 == 0) old.close_far();
        int ends[2];
        expect(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
        sdk::owned_fd one(ends[0]), two(ends[1]);
        expect(one.get() == number || two.get() == number, "the number must have been given again");
        const int near = one.get() == number ? one.get() : two.get(), other = near == one.get() ? two.get() : one.get();
        sdk::io io(r, near);
        expect_equal(::send(other, "new", 3, MSG_NOSIGNAL), ssize_t{3}, "send's result");
        std::string got;
        while (got.empty()) {
            const std::uint32_t seen = co_await io.ready(CHM_IO_READ);
            char buffer[16];
            const ssize_t n = ::recv(near, buffer, sizeof buffer, 0);
            expect(n != 0 && !(seen & CHM_IO_HUP),
                   "the end of the old connection must not be reported for the new one");
            if (n > 0) got.assign(buffer, static_cast<std::size_t>(n));
            io.drained(seen, CHM_IO_READ);
        }
        expect_equal(got, std::string("new"), "what was read");
    }
}

sdk::task<void> memory_returned(chm_reactor* r, environment&) {
    current_waker get;
    const sdk::waker mine = co_await get;
    const socket_pair wire;
    sdk::timer rest(r);
    std::size_t before = 0, after = 0;
    const unsigned rounds = scaled(4000);
    // What queues keep back, or another thread has still to free, grows once; what is lost grows in every stretch.
    for (unsigned stretch = 0; stretch < 3; ++stretch) {
        for (unsigned i = 0; i < rounds; ++i) {
            if (i % 50 == 0) co_await rest.after(100'000); // what a reactor frees at its next turn is freed
            if (i == rounds / 4) before = heap_bytes();
            sdk::io io(r, wire.near());
            io.poll(CHM_IO_READ, mine.get());
            sdk::timer t(r);
            t.poll(sdk::now_ns() + 1'000'000'000, mine.get());
        }
        co_await rest.after(100'000);
        after = heap_bytes();
        if (after < before + 16'000) co_return;
    }
    expect(false,
           "the heap must not grow with registrations and timers that are gone: " + std::to_string(after - before) +
               " bytes after " + std::to_string(rounds - rounds / 4) + " of them");
}

/// Spawns and uses the reactor, as whoever is woken for a join or a channel may.
void keep_busy(executor& on, const sdk::waker& woken) {
    on.try_spawn([](chm_waker*) { return CHM_READY; });
    if (chm_reactor* r = on.reactor(); r->vt->flags & CHM_REACTOR_ANY_THREAD) {
        chm_timer* t = nullptr; // arming and destroying takes every lock that timers need
        if (r->vt->timer_create(r, &t) == CHM_OK) {
            r->vt->timer_poll(r, t, UINT64_MAX, woken.get());
            r->vt->timer_destroy(r, t);
        }
    }
}

void wakes_under_no_lock(environment& env) {
    const auto e = env.make_executor();
    chm_reactor* r = e->reactor();
    if (!r) throw skipped("it has no reactor");
    const auto body = [&]() -> sdk::task<void> {
        current_waker get;
        const sdk::waker mine = co_await get;
        const std::function<void()> busy = [&] { keep_busy(*e, mine); };
        for (unsigned i = 0; i < 20; ++i) {
            counting_waker w(mine, busy);
            const socket_pair wire;
            {
                sdk::io io(r, wire.near());
                sdk::timer t(r);
                io.poll(CHM_IO_READ, w.get());
                const bool due = t.poll(sdk::now_ns() + 2'000'000, w.get());
                wire.send("x");
                auto woken = yield_until([&] { return w.wakes() >= (due ? 1U : 2U); }, "both wakes");
                co_await woken;
            }
            auto dropped = yield_until([&] { return w.references() == 0; }, "the waker to be given back");
            co_await dropped;
        }
    };
    e->spawn(body());
    e->run_until_idle();
}

sdk::task<void> talk(chm_reactor* r, environment&) {
    const socket_pair wire;
    sdk::io near(r, wire.near());
    sdk::timer pause(r);
    for (unsigned i = 0; i < 20; ++i) {
        wire.send("question");
        expect_equal(co_await wire.read(near), std::string("question"), "what was read");
        if (i % 5 == 0) co_await pause.after(1'000'000);
    }
}

void many(environment& env) { inside_tasks(env, talk, 200); }

sdk::task<void> listen_for_ever(chm_reactor* r, environment&) {
    const socket_pair wire;
    sdk::io io(r, wire.near());
    co_await wire.read(io);
}

void stopped_while_waiting(environment& env) {
    const auto e = env.make_executor();
    chm_reactor* r = e->reactor();
    if (!r) throw skipped("it has no reactor");
    for (unsigned i = 0; i < 50; ++i) e->spawn(listen_for_ever(r, env));
    const foreign_thread stopping(env.probes(), [&] {
        sleep_ms(20);
        e->stop();
    });
    expect_code(e->run(CHM_RUN_UNTIL_IDLE), CHM_E_CANCELED, "run's result");
}

void affinity(environment& env) {
    const socket_pair wire;
    const auto e = env.make_executor();
    chm_reactor* r = e->reactor();
    if (!r) throw skipped("it has no reactor");
    if (r->vt->flags & CHM_REACTOR_ANY_THREAD) throw skipped("its reactor is for any thread");
    const foreign_thread outside(env.probes(), [&] {
        sleep_ms(10);
        const chm_rc rc = register_raw(r, wire.near());
        e->stop();
        expect_code(rc, CHM_E_AFFINITY, "io_register's result on another thread");
    });
    e->run(CHM_RUN_UNTIL_STOP);
}

template <reactor_body Body>
void everywhere(environment& env) {
    on_every_thread(env, Body);
}

constexpr test_case cases[] = {
    {"io.one_per_fd", kind::reactor, "A second registration of a descriptor is refused, and the first one still works",
     everywhere<one_per_fd>},
    {"io.not_pollable", kind::reactor, "A descriptor that cannot be polled is refused with CHM_E_INVAL",
     everywhere<not_pollable>},
    {"io.waker_replaced", kind::reactor, "A later poll replaces the waker and drops the earlier one",
     everywhere<waker_replaced>},
    {"io.deregister_drops_waker", kind::reactor, "Deregistering drops the waker and wakes nobody",
     everywhere<deregister_drops_waker>},
    {"io.deregister_in_flight", kind::reactor, "Deregistering during a report is safe",
     everywhere<deregister_in_flight>},
    {"io.number_reused", kind::reactor, "A descriptor number that is reused at once gets only its own events",
     everywhere<number_reused>},
    {"io.memory_returned", kind::reactor, "Registrations and timers leave no memory behind",
     everywhere<memory_returned>},
    {"io.wakes_under_no_lock", kind::reactor, "A waker may spawn and use the reactor from inside its wake",
     wakes_under_no_lock},
    {"io.many", kind::reactor, "Two hundred connections work at once", many},
    {"io.stopped_while_waiting", kind::reactor, "Stop ends tasks that wait for readiness", stopped_while_waiting},
    {"io.affinity", kind::reactor, "An affine reactor refuses descriptors on another thread", affinity},
};

} // namespace

std::span<const test_case> registration_cases() { return cases; }

} // namespace chimera::conformance
