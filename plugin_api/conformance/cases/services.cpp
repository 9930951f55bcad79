// Services: tasks for which run until idle does not wait, and the numbers of workers.
#include <algorithm>
#include <atomic>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../case.hpp"
#include "../kit/environment.hpp"
#include "chimera/sdk/text.hpp"

namespace chimera::conformance {

namespace {

/// An executor with several workers, where it can have them. Throws skipped.
std::unique_ptr<executor> serving(environment& env, unsigned workers = 4) {
    auto e = env.make_executor_of(workers);
    if (!e->services()) throw skipped("it offers no services");
    return e;
}

chm_rc sleeping(chm_waker*) { return CHM_PENDING; }

/// Calls f at the end of its scope, also where a failure ends that.
std::shared_ptr<void> at_end(std::function<void()> f) {
    return {nullptr, [called = std::move(f)](void*) { called(); }};
}

/// What worker_here says; reported unless it is a worker's number.
chm_rc number_here(environment& env, chm_executor* e, const char* where) {
    const chm_service_ext& s = *sdk::service_of(e);
    const chm_rc n = s.worker_here(e);
    if (n < 0 || static_cast<std::uint32_t>(n) >= s.workers(e))
        env.probes().report("worker_here in a " + std::string(where) + " is " + std::to_string(n) + " beside " +
                            std::to_string(s.workers(e)) + " workers");
    return n;
}

/// A service whose drop must be on a worker.
const probe& spawn_watched(environment& env, executor& e, probe::step step = sleeping) {
    probe& p = e.spawn_service(std::move(step));
    p.when_dropped([&env, raw = e.raw()] { number_here(env, raw, "drop"); });
    return p;
}

/// A task that is not a service, and keeps a run going until it is let go. Declared before the executor.
class keeper {
  public:
    void stay_on(executor& e) {
        e.spawn([this](chm_waker* w) {
            slot_.set(w);
            return over_ ? CHM_READY : CHM_PENDING;
        });
    }
    /// [any-thread]
    void let_go() noexcept {
        over_ = true;
        slot_.wake();
    }

  private:
    std::atomic<bool> over_{false};
    sdk::waker_slot slot_;
};

/// A task that keeps a run until each of these was polled.
void stay_until_polled(executor& e, const std::vector<const probe*>& all) {
    e.spawn([all](chm_waker* w) {
        if (std::all_of(all.begin(), all.end(), [](const probe* p) { return p->polls() > 0; })) return CHM_READY;
        wake_by_ref(w);
        return CHM_PENDING;
    });
}

/// Runs until idle. A run that does not end is stopped after a while, and the case fails.
void run_until_idle(environment& env, executor& e) {
    std::atomic<bool> returned{false};
    const foreign_thread watching(env.probes(), [&] {
        try {
            wait_until([&] { return returned.load(); }, "run's end, when nothing but services is left");
        } catch (...) {
            e.stop();
            throw;
        }
    });
    const chm_rc rc = e.run(CHM_RUN_UNTIL_IDLE);
    returned = true;
    expect_code(rc, CHM_OK, "run until idle's result");
}

void table(environment& env) {
    const auto e = serving(env);
    const chm_service_ext* s = e->services();
    expect(s->size >= sizeof *s, "the extension's table must be as large as the contract's");
    expect(s->workers && s->worker_here && s->spawn_service, "the extension's table must be whole");
    const std::uint32_t workers = s->workers(e->raw());
    expect(workers >= 1, "there must be a worker");
    e->spawn([&](chm_waker*) {
        expect_equal(s->workers(e->raw()), workers, "the number of workers in a poll");
        return CHM_READY;
    });
    e->run_until_idle();
    expect_equal(s->workers(e->raw()), workers, "the number of workers after run");
    expect(e->services() == s, "the extension must stay the same");
}

void dropped_when_idle(environment& env) {
    for (const bool with_task : {true, false}) {
        const auto e = serving(env);
        std::vector<const probe*> services;
        for (unsigned i = 0; i < 16; ++i) services.push_back(&spawn_watched(env, *e));
        if (with_task) stay_until_polled(*e, services);
        run_until_idle(env, *e);
        for (const probe* p : services) {
            expect_equal(p->drops(), 1U, "the number of drops of a service when run returns");
            if (with_task) expect_equal(p->polls(), 1U, "the number of polls of a service that nobody woke");
        }
    }
}

void dropped_by_stop(environment& env) {
    sdk::waker_slot slot;
    const auto e = serving(env);
    const probe& service = spawn_watched(env, *e, [&](chm_waker* w) {
        slot.set(w);
        return CHM_PENDING;
    });
    const probe& task = e->spawn([](chm_waker*) { return CHM_READY; });
    const foreign_thread stopping(env.probes(), [&] {
        const auto stop = at_end([&] { e->stop(); });
        wait_until([&] { return service.polls() > 0 && task.drops() > 0; }, "a service beside a task that is done");
        sleep_ms(20); // idle, were this the other mode
        expect_equal(service.drops(), 0U, "the number of drops before stop");
        slot.wake();
        wait_until([&] { return service.polls() > 1; }, "a service's poll when no task is left");
    });
    expect_code(e->run(CHM_RUN_UNTIL_STOP), CHM_E_CANCELED, "run's result");
    expect_equal(service.drops(), 1U, "the number of drops when run returns");
}

void woken(environment& env) {
    const unsigned rounds = scaled(2000);
    std::atomic<unsigned> sent{0}, seen{0};
    keeper keep;
    sdk::waker_slot slot;
    const auto e = serving(env);
    keep.stay_on(*e);
    e->spawn_service([&](chm_waker* w) {
        slot.set(w);
        seen = sent.load();
        return CHM_PENDING;
    });
    const foreign_thread waking(env.probes(), [&] {
        const auto end = at_end([&] { keep.let_go(); });
        for (unsigned n = 1; n <= rounds; ++n) { // each finds it asleep, about to sleep, or being polled
            sent = n;
            slot.wake();
            wait_until([&] { return seen == n; }, "a service's poll for wake " + std::to_string(n));
        }
    });
    run_until_idle(env, *e);
}

void always_ready(environment& env) {
    for (unsigned round = 0; round < scaled(20); ++round) { // the last task leaves while services are polled
        const auto e = serving(env);
        for (unsigned i = 0; i < 8; ++i)
            spawn_watched(env, *e, [](chm_waker* w) {
                wake_by_ref(w);
                return CHM_PENDING;
            });
        e->spawn([n = 0](chm_waker* w) mutable {
            if (++n == 100) return CHM_READY;
            wake_by_ref(w);
            return CHM_PENDING;
        });
        run_until_idle(env, *e);
    }
}

void never_ran(environment& env) {
    const auto e = serving(env);
    const probe& p = e->spawn_service(sleeping);
    expect_equal(p.drops(), 0U, "the number of drops before destroy");
    e->destroy();
    expect_equal(p.polls(), 0U, "the number of polls without run");
    expect_equal(p.drops(), 1U, "the number of drops by destroy");
}

void ends_by_itself(environment& env) {
    std::atomic<unsigned> done{0};
    const auto e = serving(env);
    for (unsigned i = 0; i < 100; ++i) {
        e->spawn_service([&done, i](chm_waker*) { return ++done, i % 2 == 0 ? CHM_READY : CHM_E_FAIL; });
        e->spawn([&done, n = 0](chm_waker* w) mutable { // still there when many services are done
            if (++n == 20) return ++done, CHM_READY;
            wake_by_ref(w);
            return CHM_PENDING;
        });
    }
    e->spawn([&](chm_waker* w) {
        if (done == 200) return CHM_READY;
        wake_by_ref(w);
        return CHM_PENDING;
    });
    run_until_idle(env, *e);
    expect_equal(done.load(), 200U, "the number of tasks and services done when run returned");
}

void spawns_tasks(environment& env) {
    const unsigned tasks = 500;
    unsigned begun = 0; // the service's
    std::atomic<unsigned> done{0};
    keeper keep;
    sdk::waker_slot slot;
    const auto e = serving(env);
    keep.stay_on(*e);
    e->spawn_service([&](chm_waker* w) {
        slot.set(w);
        if (begun == tasks) return keep.let_go(), CHM_PENDING;
        ++begun;
        e->spawn([&](chm_waker*) { return ++done, slot.wake(), CHM_READY; });
        return CHM_PENDING;
    });
    run_until_idle(env, *e);
    expect_equal(done.load(), tasks, "the number of tasks done that the service spawned");
}

void spawns_at_the_end(environment& env) {
    for (unsigned round = 0; round < scaled(200); ++round) {
        std::atomic<unsigned> taken{0}, polled{0};
        const auto e = serving(env);
        const auto taken_or_canceled = [](chm_rc rc) {
            expect(rc == CHM_OK || rc == CHM_E_CANCELED, "a spawn while run ends must be taken or canceled");
            return rc == CHM_OK;
        };
        for (unsigned i = 0; i < 2; ++i)
            e->spawn_service([&, n = 0U](chm_waker* w) mutable {
                if (n++ < 50) {
                    taken_or_canceled(e->try_spawn_service(sleeping));
                    taken += taken_or_canceled(e->try_spawn([&](chm_waker*) { return ++polled, CHM_READY; }));
                }
                wake_by_ref(w);
                return CHM_PENDING;
            });
        e->spawn([n = round % 20](chm_waker* w) mutable {
            if (n == 0) return CHM_READY;
            --n;
            wake_by_ref(w);
            return CHM_PENDING;
        });
        {
            const foreign_thread beside(env.probes(), [&] {
                for (unsigned i = 0; i < 25; ++i) {
                    taken_or_canceled(e->try_spawn([](chm_waker*) { return CHM_READY; }));
                    taken_or_canceled(e->try_spawn_service(sleeping));
                }
            });
            run_until_idle(env, *e);
        }
        expect_equal(polled.load(), taken.load(), "the number of polls of tasks that services have spawned");
    }
}

void refused_after_stop(environment& env) {
    const auto e = serving(env);
    e->stop();
    expect_code(e->try_spawn_service(sleeping), CHM_E_CANCELED, "spawn_service's result before run");
    expect_code(e->run(CHM_RUN_UNTIL_IDLE), CHM_E_CANCELED, "run's result");
    expect_code(e->try_spawn_service(sleeping), CHM_E_CANCELED, "spawn_service's result after run");
}

void options(environment& env) {
    struct {
        chm_spawn_opts known;
        unsigned char later[64];
    } larger{};
    std::fill(std::begin(larger.later), std::end(larger.later), static_cast<unsigned char>(0xff));
    larger.known.size = sizeof larger;
    const auto e = serving(env);
    std::vector<const probe*> services{&e->spawn_service(sleeping, &larger.known)};
    for (const std::uint32_t size : {4U, 8U, 12U, 16U}) {
        chm_spawn_opts smaller;
        std::fill_n(reinterpret_cast<unsigned char*>(&smaller), sizeof smaller, static_cast<unsigned char>(0xa5));
        smaller.size = size;
        if (size >= 8) smaller.hint = CHM_HINT_ANY;
        services.push_back(&e->spawn_service(sleeping, &smaller));
    }
    for (const std::uint32_t hint : {0U, 1U, 2U, 77U}) {
        std::string name = "some service";
        chm_spawn_opts opts{sizeof opts, hint, 0xffffffffU, 0, sdk::str(name)};
        services.push_back(&e->spawn_service(sleeping, &opts));
        name.assign(name.size(), '#'); // borrowed for the call only
    }
    stay_until_polled(*e, services);
    run_until_idle(env, *e);
}

void numbered(environment& env) {
    for (const unsigned wanted : {1U, 4U}) {
        std::vector<std::atomic<bool>> busy(1024); // by number
        const auto e = serving(env, wanted);
        const auto other = env.plugin().single_instance() ? nullptr : serving(env, wanted);
        const chm_service_ext& s = *e->services();
        const auto expect_none = [&](const char* where) {
            const chm_rc n = s.worker_here(e->raw());
            expect(n == CHM_E_AFFINITY,
                   "worker_here on " + std::string(where) + " must be CHM_E_AFFINITY, and is " + std::to_string(n));
        };
        expect_none("the thread that made it");
        for (unsigned i = 0; i < 32; ++i) {
            const bool service = i % 2 == 0;
            const auto home = std::make_shared<chm_rc>(-1);
            probe::step step = [&, home, service, n = 0](chm_waker* w) mutable {
                const chm_rc here = number_here(env, e->raw(), "poll");
                if (here < 0 || static_cast<std::size_t>(here) >= busy.size()) return CHM_E_FAIL;
                std::atomic<bool>& mine = busy[static_cast<std::size_t>(here)];
                expect(!mine.exchange(true), "two polls at once must have two numbers");
                spin(100);
                mine = false;
                if (other)
                    expect(other->services()->worker_here(other->raw()) == CHM_E_AFFINITY,
                           "worker_here of another executor must be CHM_E_AFFINITY");
                if (*home < 0 || !e->pinned()) *home = here;
                expect_equal(here, *home, "worker_here in a later poll of a pinned task");
                if (++n == 20) return service ? CHM_PENDING : CHM_READY;
                wake_by_ref(w);
                return CHM_PENDING;
            };
            probe& p = service ? e->spawn_service(step) : e->spawn(step);
            p.when_dropped([&env, home, raw = e->raw(), pinned = e->pinned()] {
                if (const chm_rc n = number_here(env, raw, "drop"); pinned && *home >= 0 && n != *home)
                    env.probes().report("worker_here of a pinned task is another in its drop");
            });
        }
        {
            const foreign_thread beside(env.probes(), [&] {
                for (unsigned i = 0; i < 100; ++i) expect_none("a thread that is not a worker");
            });
            run_until_idle(env, *e);
        }
        expect_none("the thread that called run, after it");
        if (!other) continue;
        other->spawn([&](chm_waker*) { return expect_none("another executor's worker"), CHM_READY; });
        other->run_until_idle();
    }
}

void hinted(environment& env) {
    const auto e = serving(env);
    if (!e->pinned()) throw skipped("its tasks have no worker of their own");
    const chm_service_ext& s = *e->services();
    const std::uint32_t workers = s.workers(e->raw());
    std::vector<const probe*> services;
    for (const std::uint32_t worker : {0U, 1U, 2U, 3U, workers - 1, workers, 1000U}) {
        chm_spawn_opts opts{};
        opts.size = sizeof opts;
        opts.hint = CHM_HINT_WORKER;
        opts.worker = worker;
        const auto step = [&s, worker, workers, raw = e->raw()](chm_waker*) {
            expect_equal(s.worker_here(raw), static_cast<chm_rc>(worker % workers), "the worker of a service");
            return CHM_PENDING;
        };
        services.push_back(&e->spawn_service(step, &opts));
    }
    stay_until_polled(*e, services);
    run_until_idle(env, *e);
}

constexpr test_case cases[] = {
    {"service.table", kind::executor, "The service extension has a whole table and a constant number of workers",
     table},
    {"service.dropped_when_idle", kind::executor,
     "Run until idle does not wait for services, and drops each on a worker before it returns", dropped_when_idle},
    {"service.dropped_by_stop", kind::executor, "Run until stop keeps services, and drops them when it is stopped",
     dropped_by_stop},
    {"service.woken", kind::executor, "A wake of a service is never lost", woken},
    {"service.always_ready", kind::executor, "Services that are always ready neither starve tasks nor prolong the run",
     always_ready},
    {"service.never_ran", kind::executor, "Destroy drops services that never ran", never_ran},
    {"service.ends_by_itself", kind::executor, "A service may end by itself, and the run does not count it",
     ends_by_itself},
    {"service.spawns_tasks", kind::executor, "A service may spawn tasks, and run until idle waits for them",
     spawns_tasks},
    {"service.spawns_at_the_end", kind::executor,
     "A task that a service spawns while the last task ends is polled or refused, never lost or dropped twice",
     spawns_at_the_end},
    {"service.refused_after_stop", kind::executor,
     "Spawning a service after stop is refused, and the service stays the caller's", refused_after_stop},
    {"service.options", kind::executor, "A service accepts any spawn options", options},
    {"service.numbered", kind::executor,
     "Each worker has its own number, the same in polls and drops, and other threads have none", numbered},
    {"service.hinted", kind::executor, "A pinned service is polled by the worker that its hint names", hinted},
};

} // namespace

std::span<const test_case> service_cases() { return cases; }

} // namespace chimera::conformance
