// A task that is always ready starves nobody.
#include <sys/socket.h>

#include <atomic>

#include "../case.hpp"
#include "../kit/environment.hpp"
#include "../kit/on_reactor.hpp"

namespace chimera::conformance {

namespace {

/// Spawns tasks that are woken by themselves without end, until `over`.
void spawn_busy(executor& e, const std::atomic<bool>& over, unsigned n = 4) {
    for (unsigned i = 0; i < n; ++i)
        e.spawn([&over](chm_waker* w) {
            if (over) return CHM_READY;
            wake_by_ref(w);
            return CHM_PENDING;
        });
}

void beside_tasks(environment& env) {
    std::atomic<bool> over{false};
    const auto e = env.make_executor();
    spawn_busy(*e, over);
    e->spawn([&, n = 0](chm_waker* w) mutable {
        if (++n == 100) return over = true, CHM_READY;
        wake_by_ref(w);
        return CHM_PENDING;
    });
    e->run_until_idle();
}

void beside_foreign_wakes(environment& env) {
    std::atomic<bool> over{false};
    std::atomic<unsigned> polls{0};
    sdk::waker_slot slot;
    const auto e = env.make_executor();
    spawn_busy(*e, over);
    e->spawn([&](chm_waker* w) {
        slot.set(w);
        if (++polls == 50) return over = true, CHM_READY;
        return CHM_PENDING;
    });
    const foreign_thread waker(env.probes(), [&] {
        for (unsigned n = 1; n < 50; ++n) {
            wait_until([&] { return polls >= n; }, "a poll beside busy tasks");
            slot.wake();
        }
    });
    e->run_until_idle();
}

void beside_foreign_spawns(environment& env) {
    std::atomic<bool> over{false};
    std::atomic<unsigned> polls{0};
    const auto e = env.make_executor();
    spawn_busy(*e, over);
    const foreign_thread spawning(env.probes(), [&] {
        for (unsigned n = 1; n <= 50; ++n) {
            e->spawn([&](chm_waker*) { return ++polls, CHM_READY; });
            wait_until([&] { return polls == n; }, "a new task beside busy ones");
        }
        over = true;
    });
    e->run_until_idle();
}

void beside_stop(environment& env) {
    const std::atomic<bool> never{false};
    const auto e = env.make_executor();
    spawn_busy(*e, never);
    const foreign_thread stopping(env.probes(), [&] {
        sleep_ms(20);
        e->stop();
    });
    expect_code(e->run(CHM_RUN_UNTIL_IDLE), CHM_E_CANCELED, "run's result");
}

void beside_timers(environment& env) {
    std::atomic<bool> over{false};
    const auto e = env.make_executor();
    chm_reactor* r = e->reactor();
    if (!r) throw skipped("it has no reactor");
    const auto sleeper = [&]() -> sdk::task<void> {
        sdk::timer t(r);
        for (unsigned n = 0; n < 20; ++n) co_await t.after(1'000'000);
        over = true;
    };
    spawn_busy(*e, over);
    e->spawn(sleeper());
    e->run_until_idle();
}

void beside_io(environment& env) {
    std::atomic<bool> over{false};
    const auto e = env.make_executor();
    chm_reactor* r = e->reactor();
    if (!r) throw skipped("it has no reactor");
    socket_pair wire;
    const auto reader = [&]() -> sdk::task<void> {
        sdk::io io(r, wire.near());
        for (std::size_t n = 0; n < 20;) n += (co_await wire.read(io)).size();
        over = true;
    };
    spawn_busy(*e, over);
    e->spawn(reader());
    const foreign_thread writing(env.probes(), [&] {
        for (unsigned n = 0; n < 20; ++n) {
            sleep_ms(1);
            wire.send("x");
        }
    });
    e->run_until_idle();
}

/// What the tasks of beside_long_poll share.
struct tally {
    std::atomic<unsigned> polled{0}, met{0}, ended{0};
};

/// Two tasks that wait a little for each other inside their polls; true if both were polled at the same time.
bool has_two_workers(executor& e, tally& of) {
    for (unsigned i = 0; i < 2; ++i)
        e.spawn([&of](chm_waker*) {
            ++of.polled;
            for (unsigned ms = 0; of.polled < 2 && ms < 500; ++ms) sleep_ms(1);
            if (of.polled == 2) ++of.met; // the first of two that are polled one after the other meets nobody
            ++of.ended;
            return CHM_READY;
        });
    wait_until([&] { return of.ended == 2; }, "two tasks to be polled");
    return of.met == 2;
}

/// In each round the first task that is polled takes as long as the others of the round are not polled.
void long_polls(executor& e, tally& of) {
    constexpr unsigned n = 6;
    for (unsigned round = 0; round < scaled(200); ++round) {
        of.polled = of.ended = 0;
        for (unsigned i = 0; i < n; ++i)
            e.spawn([&of](chm_waker*) {
                if (of.polled++ == 0) wait_until([&] { return of.polled == n; }, "idle workers to poll what is queued");
                ++of.ended;
                return CHM_READY;
            });
        wait_until([&] { return of.ended == n; }, "the tasks beside a long poll to be polled");
    }
}

void beside_long_poll(environment& env) {
    tally of;
    bool alone = false;
    const auto e = env.make_executor_of(2);
    if (e->pinned()) throw skipped("its tasks stay on one thread each");
    {
        const foreign_thread spawning(env.probes(), [&] {
            const struct stop_at_exit {
                executor& running;
                ~stop_at_exit() { running.stop(); }
            } at_exit{*e};
            alone = !has_two_workers(*e, of);
            if (!alone) long_polls(*e, of);
        });
        e->run(CHM_RUN_UNTIL_STOP);
    }
    if (alone) throw skipped("it has one worker");
}

constexpr test_case cases[] = {
    {"fairness.tasks", kind::executor, "Tasks that are always ready take turns", beside_tasks},
    {"fairness.foreign_wakes", kind::executor, "Wakes from other threads are served while other tasks are busy",
     beside_foreign_wakes},
    {"fairness.foreign_spawns", kind::executor, "Spawns from other threads are served while other tasks are busy",
     beside_foreign_spawns},
    {"fairness.stop", kind::executor, "Stop is served while tasks are busy", beside_stop},
    {"fairness.long_poll", kind::executor, "While one worker is in a long poll, idle workers take over its queue",
     beside_long_poll},
    {"fairness.timers", kind::reactor, "Timers are served while tasks are busy", beside_timers},
    {"fairness.io", kind::reactor, "Readiness is reported while tasks are busy", beside_io},
};

} // namespace

std::span<const test_case> fairness_cases() { return cases; }

} // namespace chimera::conformance
