// Stop: from anywhere, at any time, any number of times.
#include <atomic>
#include <memory>
#include <vector>

#include "../case.hpp"
#include "../kit/environment.hpp"

namespace chimera::conformance {

namespace {

chm_rc sleeping(chm_waker*) { return CHM_PENDING; }

void before_run(environment& env) {
    for (const std::uint32_t mode : {CHM_RUN_UNTIL_IDLE, CHM_RUN_UNTIL_STOP}) {
        const auto e = env.make_executor();
        const probe& p = e->spawn(sleeping);
        e->stop();
        expect_code(e->run(mode), CHM_E_CANCELED, "run's result after stop");
        expect_equal(p.drops(), 1U, "the number of drops when run returns");
        expect_equal(p.polls(), 0U, "the number of polls after stop");
    }
}

void drops_inside_run(environment& env) {
    std::vector<const probe*> made;
    std::vector<sdk::waker> wakers;
    const auto e = env.make_executor();
    for (unsigned i = 0; i < 500; ++i) made.push_back(&e->spawn(sleeping));
    e->spawn([&](chm_waker* w) { // keeps the executor busy until all others sleep
        for (const probe* p : made)
            if (p->polls() == 0) {
                wake_by_ref(w);
                return CHM_PENDING;
            }
        e->stop();
        return CHM_PENDING;
    });
    expect_code(e->run(CHM_RUN_UNTIL_IDLE), CHM_E_CANCELED, "run's result");
    for (const probe* p : made) expect_equal(p->drops(), 1U, "the number of drops when run returns");
}

void from_another_thread(environment& env) {
    for (const std::uint32_t mode : {CHM_RUN_UNTIL_IDLE, CHM_RUN_UNTIL_STOP}) {
        const auto e = env.make_executor();
        const probe& p = e->spawn(sleeping);
        const foreign_thread stopping(env.probes(), [&] {
            wait_until([&] { return p.polls() > 0; }, "the first poll");
            sleep_ms(20);
            e->stop();
        });
        expect_code(e->run(mode), CHM_E_CANCELED, "run's result");
        expect_equal(p.drops(), 1U, "the number of drops when run returns");
    }
}

void at_once(environment& env) {
    for (unsigned round = 0; round < scaled(200); ++round) { // stop falls into every moment of the start of run
        const auto e = env.make_executor();
        e->spawn(sleeping);
        const foreign_thread stopping(env.probes(), [&] {
            spin(round * 50);
            e->stop();
        });
        expect_code(e->run(CHM_RUN_UNTIL_STOP), CHM_E_CANCELED, "run's result");
    }
}

void many_times(environment& env) {
    const auto e = env.make_executor();
    const probe& p = e->spawn(sleeping);
    {
        std::vector<std::unique_ptr<foreign_thread>> crowd;
        for (unsigned i = 0; i < 4; ++i)
            crowd.push_back(std::make_unique<foreign_thread>(env.probes(), [&] {
                wait_until([&] { return p.polls() > 0; }, "the first poll");
                for (unsigned k = 0; k < 100; ++k) e->stop();
            }));
        expect_code(e->run(CHM_RUN_UNTIL_STOP), CHM_E_CANCELED, "run's result");
    }
    for (unsigned k = 0; k < 100; ++k) e->stop(); // after run
}

void after_idle(environment& env) {
    const auto e = env.make_executor();
    e->spawn([](chm_waker*) { return CHM_READY; });
    e->run_until_idle();
    e->stop();
    e->stop();
}

void begins_no_poll(environment& env) {
    const auto e = env.make_executor();
    std::atomic<bool> stopped{false};
    std::atomic<unsigned> late{0};
    for (unsigned i = 0; i < 100; ++i)
        e->spawn([&](chm_waker* w) {
            if (stopped) ++late;
            wake_by_ref(w);
            return CHM_PENDING;
        });
    e->spawn([&, n = 0](chm_waker* w) mutable {
        if (++n == 20) {
            e->stop();
            stopped = true;
        }
        wake_by_ref(w);
        return CHM_PENDING;
    });
    e->run(CHM_RUN_UNTIL_IDLE);
    // Every worker may be in a poll, or just before one, when stop comes.
    expect(late <= 64, "no poll may begin after stop, and there were " + std::to_string(late));
}

void stays_until_stop(environment& env) {
    std::atomic<bool> returned{false};
    const auto e = env.make_executor();
    e->spawn([](chm_waker*) { return CHM_READY; });
    const foreign_thread later(env.probes(), [&] {
        sleep_ms(100); // idle by now, and still there
        const bool early = returned;
        std::atomic<bool> polled{false};
        if (!early) {
            e->spawn([&](chm_waker*) { return polled = true, CHM_READY; });
            wait_until([&] { return polled.load(); }, "a task spawned into an idle executor");
        }
        e->stop();
        expect(!early, "run until stop must not return before stop");
    });
    const chm_rc rc = e->run(CHM_RUN_UNTIL_STOP);
    returned = true;
    expect_code(rc, CHM_E_CANCELED, "run's result");
}

void under_fire(environment& env) {
    for (unsigned round = 0; round < scaled(50); ++round) {
        std::vector<sdk::waker> kept;
        std::atomic<bool> ready{false}, over{false};
        const auto e = env.make_executor();
        for (unsigned i = 0; i < 16; ++i)
            e->spawn([&, first = true](chm_waker* w) mutable {
                if (std::exchange(first, false)) {
                    static std::mutex mutex;
                    const std::lock_guard lock(mutex);
                    kept.push_back(sdk::waker::clone(w));
                    ready = kept.size() == 16;
                }
                return CHM_PENDING;
            });
        const foreign_thread waking(env.probes(), [&] {
            wait_until([&] { return ready.load(); }, "every task's first poll");
            while (!over)
                for (sdk::waker& w : kept) wake_by_ref(w.get());
        });
        const foreign_thread stopping(env.probes(), [&] {
            wait_until([&] { return ready.load(); }, "every task's first poll");
            e->stop();
        });
        e->run(CHM_RUN_UNTIL_STOP);
        e->destroy(); // the wakes go on, into nothing
        over = true;
    }
}

constexpr test_case cases[] = {
    {"stop.before_run", kind::executor,
     "A run that begins after stop polls nothing, drops all tasks and returns CHM_E_CANCELED", before_run},
    {"stop.drops_inside_run", kind::executor, "Stop from inside a poll drops every live task before run returns",
     drops_inside_run},
    {"stop.from_another_thread", kind::executor, "Stop ends a sleeping executor", from_another_thread},
    {"stop.at_once", kind::executor, "A stop while run begins is not missed", at_once},
    {"stop.many_times", kind::executor, "Stop may be called by many threads, many times, also after run", many_times},
    {"stop.after_idle", kind::executor, "Stop after an idle run does nothing", after_idle},
    {"stop.begins_no_poll", kind::executor, "Stop ends tasks that would run for ever, without another round of polls",
     begins_no_poll},
    {"stop.stays_until_stop", kind::executor, "Run until stop waits, and takes new tasks, while there is nothing to do",
     stays_until_stop},
    {"stop.under_fire", kind::executor, "Wakes during stop and destroy are safe", under_fire},
};

} // namespace

std::span<const test_case> stop_cases() { return cases; }

} // namespace chimera::conformance
