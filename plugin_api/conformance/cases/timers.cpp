// Timers of a reactor.
#include <atomic>
#include <cstdint>
#include <deque>
#include <random>
#include <vector>

#include "../case.hpp"
#include "../kit/counting_waker.hpp"
#include "../kit/on_reactor.hpp"

namespace chimera::conformance {

namespace {

constexpr std::uint64_t ms = 1'000'000, hour = 3600 * 1000 * ms;

sdk::task<void> never_early(chm_reactor* r, environment& env) {
    sdk::timer t(r);
    std::mt19937_64 random = env.random();
    for (unsigned i = 0; i < 40; ++i) {
        const std::uint64_t deadline = sdk::now_ns() + random() % (3 * ms);
        co_await t.at(deadline);
        expect(sdk::now_ns() >= deadline, "a timer must not be early");
    }
}

sdk::task<void> past_deadline(chm_reactor* r, environment&) {
    current_waker get;
    const sdk::waker mine = co_await get;
    counting_waker unused(mine);
    sdk::timer t(r);
    for (const std::uint64_t deadline : {std::uint64_t{0}, std::uint64_t{1}, sdk::now_ns() - 1, sdk::now_ns()})
        expect(t.poll(deadline, unused.get()), "a deadline in the past must be ready at once");
    expect_equal(unused.references(), 0, "the number of wakers kept by a timer that is ready");
}

sdk::task<void> earlier_after_later(chm_reactor* r, environment&) {
    current_waker get;
    const sdk::waker mine = co_await get;
    counting_waker far(mine);
    {
        sdk::timer later(r), never(r), soon(r);
        expect(!later.poll(sdk::now_ns() + hour, far.get()), "an hour must not be over");
        expect(!never.poll(UINT64_MAX, far.get()), "the end of time must not be over");
        co_await soon.after(5 * ms);
        co_await soon.after(2 * ms);
    }
    expect_equal(far.wakes(), 0U, "the number of wakes of timers that were not due");
    co_await yield_until([&] { return far.references() == 0; }, "the wakers of destroyed timers to be dropped");
}

sdk::task<void> rearmed(chm_reactor* r, environment&) {
    current_waker get;
    const sdk::waker mine = co_await get;
    sdk::timer t(r);
    expect(!t.poll(sdk::now_ns() + hour, mine.get()), "an hour must not be over");
    co_await t.after(3 * ms); // earlier than it was armed for
    const std::uint64_t soon = sdk::now_ns() + 2 * ms;
    expect(!t.poll(soon, mine.get()) || sdk::now_ns() >= soon, "2 ms must not be over");
    const std::uint64_t later = sdk::now_ns() + 30 * ms;
    co_await t.at(later);
    expect(sdk::now_ns() >= later, "a timer armed for later must wait until then");
}

sdk::task<void> waker_replaced(chm_reactor* r, environment&) {
    current_waker get;
    const sdk::waker mine = co_await get;
    counting_waker first(mine), second(mine);
    sdk::timer t(r);
    const std::uint64_t deadline = sdk::now_ns() + 20 * ms;
    if (t.poll(deadline, first.get()) || t.poll(deadline, second.get())) throw skipped("too slow a machine");
    co_await yield_until([&] { return first.references() == 0; }, "the waker of the earlier poll to be dropped");
    co_await yield_until([&] { return second.wakes() > 0; }, "the waker of the later poll to be woken");
    expect_equal(first.wakes(), 0U, "the number of wakes of a replaced waker");
    expect(t.poll(deadline, second.get()), "a timer that has woken must be ready");
    co_await yield_until([&] { return second.references() == 0; }, "the waker of a fired timer to be given back");
}

sdk::task<void> destroyed_while_armed(chm_reactor* r, environment&) {
    current_waker get;
    const sdk::waker mine = co_await get;
    counting_waker w(mine);
    bool in_time = true;
    for (unsigned i = 0; i < 50; ++i) {
        const std::uint64_t deadline = sdk::now_ns() + 3 * ms;
        {
            sdk::timer t(r);
            t.poll(deadline, w.get());
        }
        in_time &= sdk::now_ns() + ms < deadline;
    }
    sdk::timer until_all_are_past(r);
    co_await until_all_are_past.after(5 * ms);
    if (in_time) expect_equal(w.wakes(), 0U, "the number of wakes of destroyed timers");
    for (unsigned i = 0; i < 200; ++i) { // around the very moment at which it is due
        {
            sdk::timer t(r);
            const std::uint64_t deadline = sdk::now_ns() + i * 2000;
            while (!t.poll(deadline, w.get()) && sdk::now_ns() < deadline - (i % 3) * 1000) {
                sdk::yield_now once;
                co_await once;
            }
        }
        co_await yield_until([&] { return w.references() == 0; }, "the waker of a destroyed timer to be dropped");
        const unsigned wakes = w.wakes();
        sdk::timer rest(r);
        if (i % 50 == 0) co_await rest.after(2 * ms);
        expect_equal(w.wakes(), wakes, "the number of wakes after a timer was destroyed");
    }
}

sdk::task<void> many_at_once(chm_reactor* r, environment& env) {
    static std::atomic<unsigned> number{0}; // each of the tasks draws its own
    std::mt19937_64 random = env.random();
    random.discard(number++);
    std::vector<sdk::timer> armed;
    current_waker get;
    const sdk::waker mine = co_await get;
    for (unsigned i = 0; i < 10; ++i) {
        armed.emplace_back(r);
        armed.back().poll(sdk::now_ns() + random() % (40 * ms), mine.get()); // its wakes are spurious polls
    }
    sdk::timer t(r);
    for (unsigned i = 0; i < 5; ++i) {
        const std::uint64_t deadline = sdk::now_ns() + random() % (10 * ms);
        co_await t.at(deadline);
        expect(sdk::now_ns() >= deadline, "a timer must not be early");
        armed.erase(armed.begin() + static_cast<std::ptrdiff_t>(random() % armed.size()));
    }
}

/// Whether timers that are due 4 ms apart wake in their order.
sdk::task<bool> wake_in_order(chm_reactor* r) {
    constexpr std::size_t n = 8;
    constexpr std::uint64_t apart = 4 * ms;
    current_waker get;
    const sdk::waker mine = co_await get;
    std::deque<counting_waker> wakers;
    std::vector<sdk::timer> timers;
    for (std::size_t i = 0; i < n; ++i) {
        wakers.emplace_back(mine);
        timers.emplace_back(r);
    }
    const std::uint64_t start = sdk::now_ns() + apart;
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t k = i * 5 % n; // armed in another order than they are due in
        if (timers[k].poll(start + k * apart, wakers[k].get())) throw skipped("too slow a machine");
    }
    bool in_order = true;
    for (std::size_t due = 0; due < n; ++due) {
        const auto later_woken = [&] { return due + 1 < n && wakers[due + 1].wakes() > 0; };
        auto next = yield_until([&] { return later_woken() || wakers[due].wakes() > 0; }, "a timer to wake");
        co_await next;
        in_order = in_order && wakers[due].wakes() > 0;
    }
    timers.clear();
    for (const counting_waker& w : wakers) {
        auto dropped = yield_until([&] { return w.references() == 0; }, "the waker of a fired timer to be given back");
        co_await dropped;
    }
    co_return in_order;
}

sdk::task<void> in_order(chm_reactor* r, environment&) {
    constexpr int tries = 5; // a worker that is preempted for 4 ms wakes a timer late, and an executor cannot help it
    for (int i = 0; i < tries; ++i)
        if (co_await wake_in_order(r)) co_return;
    expect(false, "a timer must not wake after one that is due 4 ms later");
}

sdk::task<void> sleep_for_ever(chm_reactor* r, environment&) {
    sdk::timer t(r);
    co_await t.after(hour);
}

void stopped_while_armed(environment& env) {
    const auto e = env.make_executor();
    chm_reactor* r = e->reactor();
    if (!r) throw skipped("it has no reactor");
    for (unsigned i = 0; i < 50; ++i) e->spawn(sleep_for_ever(r, env));
    const foreign_thread stopping(env.probes(), [&] {
        sleep_ms(20);
        e->stop();
    });
    expect_code(e->run(CHM_RUN_UNTIL_IDLE), CHM_E_CANCELED, "run's result");
}

void timer_affinity(environment& env) {
    const auto e = env.make_executor();
    chm_reactor* r = e->reactor();
    if (!r) throw skipped("it has no reactor");
    if (r->vt->flags & CHM_REACTOR_ANY_THREAD) throw skipped("its reactor is for any thread");
    const foreign_thread outside(env.probes(), [&] {
        sleep_ms(10);
        chm_timer* made = nullptr;
        const chm_rc rc = r->vt->timer_create(r, &made);
        e->stop();
        expect_code(rc, CHM_E_AFFINITY, "timer_create's result on another thread");
    });
    e->run(CHM_RUN_UNTIL_STOP);
}

template <reactor_body Body>
void everywhere(environment& env) {
    on_every_thread(env, Body);
}
template <reactor_body Body, unsigned Tasks>
void crowd(environment& env) {
    inside_tasks(env, Body, scaled(Tasks));
}

constexpr test_case cases[] = {
    {"timer.never_early", kind::reactor, "A timer is never ready before its deadline", everywhere<never_early>},
    {"timer.past_deadline", kind::reactor, "A deadline in the past is ready at once", everywhere<past_deadline>},
    {"timer.earlier_after_later", kind::reactor, "A near deadline is met while timers for much later are armed",
     everywhere<earlier_after_later>},
    {"timer.rearmed", kind::reactor, "A new deadline, earlier or later, re-arms a timer", everywhere<rearmed>},
    {"timer.waker_replaced", kind::reactor,
     "Polling again with the same deadline replaces the waker and drops the earlier one", everywhere<waker_replaced>},
    {"timer.destroyed_while_armed", kind::reactor, "A destroyed timer drops its waker and wakes nobody",
     everywhere<destroyed_while_armed>},
    {"timer.ten_thousand", kind::reactor, "Ten thousand timers at once all become ready, none early",
     crowd<many_at_once, 1000>},
    {"timer.in_order", kind::reactor, "Timers wake in the order of their deadlines", everywhere<in_order>},
    {"timer.stopped_while_armed", kind::reactor, "Stop ends tasks that wait for timers", stopped_while_armed},
    {"timer.affinity", kind::reactor, "An affine reactor refuses timers on another thread", timer_affinity},
};

} // namespace

std::span<const test_case> timer_cases() { return cases; }

} // namespace chimera::conformance
