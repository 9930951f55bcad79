// Spawning from everywhere and at every moment.
#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "../case.hpp"
#include "../kit/environment.hpp"

namespace chimera::conformance {

namespace {

void from_inside(environment& env) {
    std::atomic<unsigned> done{0};
    const auto e = env.make_executor();
    for (unsigned i = 0; i < 10; ++i)
        e->spawn([&](chm_waker*) {
            for (unsigned k = 0; k < 100; ++k) e->spawn([&](chm_waker*) { return ++done, CHM_READY; });
            return CHM_READY;
        });
    e->run_until_idle();
    expect_equal(done.load(), 1000U, "the number of tasks done");
}

void chain(environment& env) {
    // Whenever one is done, the next is the only task: idle is decided wrongly if a spawn is counted late.
    unsigned left = scaled(20'000);
    const auto e = env.make_executor();
    std::function<chm_rc(chm_waker*)> link = [&](chm_waker*) {
        if (--left > 0) e->spawn(link);
        return CHM_READY;
    };
    e->spawn(link);
    e->run_until_idle();
    expect_equal(left, 0U, "the number of links left when run returned");
}

void from_drop(environment& env) {
    std::atomic<unsigned> done{0};
    const auto e = env.make_executor();
    struct spawner {
        executor* on;
        std::atomic<unsigned>* count;
        ~spawner() {
            on->try_spawn([n = count](chm_waker*) { return ++*n, CHM_READY; });
        }
    };
    for (unsigned i = 0; i < 20; ++i) {
        auto last_wish = std::make_shared<spawner>();
        last_wish->on = e.get();
        last_wish->count = &done;
        e->spawn([last_wish](chm_waker*) { return CHM_READY; });
    }
    e->run_until_idle();
    expect_equal(done.load(), 20U, "the number of tasks done that were spawned by a drop");
}

void from_other_threads(environment& env) {
    const unsigned threads = 4, each = scaled(5000);
    std::atomic<unsigned> done{0};
    const auto e = env.make_executor();
    {
        std::vector<std::unique_ptr<foreign_thread>> crowd;
        for (unsigned i = 0; i < threads; ++i)
            crowd.push_back(std::make_unique<foreign_thread>(env.probes(), [&] {
                for (unsigned k = 0; k < each; ++k)
                    e->spawn([&, n = 0](chm_waker* w) mutable {
                        if (n++ == 0) {
                            wake_by_ref(w);
                            return CHM_PENDING;
                        }
                        if (++done == threads * each) e->stop();
                        return CHM_READY;
                    });
            }));
        e->run(CHM_RUN_UNTIL_STOP);
    }
    expect_equal(done.load(), threads * each, "the number of tasks done");
}

void into_sleep(environment& env) {
    const unsigned rounds = scaled(3000);
    std::atomic<unsigned> done{0};
    const auto e = env.make_executor();
    const foreign_thread spawning(env.probes(), [&] {
        for (unsigned i = 1; i <= rounds; ++i) { // each finds the executor just about to sleep, or asleep
            e->spawn([&](chm_waker*) { return ++done, CHM_READY; });
            wait_until([&] { return done == i; }, "task " + std::to_string(i));
        }
        e->stop();
    });
    expect_code(e->run(CHM_RUN_UNTIL_STOP), CHM_E_CANCELED, "run's result");
}

void after_stop(environment& env) {
    const auto e = env.make_executor();
    e->stop();
    expect_code(e->try_spawn([](chm_waker*) { return CHM_READY; }), CHM_E_CANCELED, "spawn's result before run");
    expect_code(e->run(CHM_RUN_UNTIL_IDLE), CHM_E_CANCELED, "run's result");
    expect_code(e->try_spawn([](chm_waker*) { return CHM_READY; }), CHM_E_CANCELED, "spawn's result after run");
}

void during_stop(environment& env) {
    for (unsigned round = 0; round < scaled(100); ++round) {
        std::atomic<unsigned> given{0}, refused{0}, gone{0};
        const auto e = env.make_executor();
        std::atomic<bool> go{false};
        const auto counted = [&] { return std::shared_ptr<void>(nullptr, [&](void*) { ++gone; }); };
        const auto spawn_many = [&] {
            wait_until([&] { return go.load(); }, "the start");
            for (unsigned i = 0; i < 200; ++i) {
                const chm_rc rc = e->try_spawn([own = counted()](chm_waker*) { return CHM_PENDING; });
                expect(rc == CHM_OK || rc == CHM_E_CANCELED, "spawn must take the task or say CHM_E_CANCELED");
                ++(rc == CHM_OK ? given : refused);
            }
        };
        {
            const foreign_thread one(env.probes(), spawn_many), two(env.probes(), spawn_many);
            const foreign_thread stopping(env.probes(), [&] {
                wait_until([&] { return given + refused >= round * 4; }, "some tasks");
                e->stop();
            });
            go = true;
            e->run(CHM_RUN_UNTIL_STOP);
        }
        e->destroy(); // those taken after run had dropped the others, if any, are dropped here
        expect_equal(gone.load(), 400U,
                     "the number of drops of " + std::to_string(given) + " tasks taken and " + std::to_string(refused) +
                         " refused");
    }
}

void after_idle(environment& env) {
    const auto e = env.make_executor();
    e->run_until_idle();
    const chm_rc rc = e->try_spawn([](chm_waker*) { return CHM_READY; });
    expect(rc == CHM_OK || rc == CHM_E_CANCELED,
           "spawn must take the task or say CHM_E_CANCELED, and says " + code_name(rc));
    e->destroy(); // drops it where it was taken; a poll would be reported
}

void larger_options(environment& env) {
    struct {
        chm_spawn_opts known;
        unsigned char later[64];
    } opts{};
    std::fill(std::begin(opts.later), std::end(opts.later), static_cast<unsigned char>(0xff));
    opts.known.size = sizeof opts;
    const auto e = env.make_executor();
    const probe& p = e->spawn([](chm_waker*) { return CHM_READY; }, &opts.known);
    e->run_until_idle();
    expect_equal(p.polls(), 1U, "the number of polls");
}

constexpr test_case cases[] = {
    {"spawn.from_inside", kind::executor, "A task may spawn others from its poll", from_inside},
    {"spawn.chain", kind::executor, "Run until idle does not return between a task and the one it spawned", chain},
    {"spawn.from_drop", kind::executor, "A task may spawn another when it is dropped", from_drop},
    {"spawn.from_other_threads", kind::executor, "Other threads may spawn while the executor runs", from_other_threads},
    {"spawn.into_sleep", kind::executor, "A spawn wakes an executor that is about to sleep", into_sleep},
    {"spawn.after_stop", kind::executor, "Spawn after stop returns CHM_E_CANCELED and the task stays the caller's",
     after_stop},
    {"spawn.during_stop", kind::executor,
     "A task that is spawned during stop is taken or refused, never lost or dropped twice", during_stop},
    {"spawn.after_idle", kind::executor, "A task that is spawned after the run is refused, or dropped by destroy",
     after_idle},
    {"spawn.larger_options", kind::executor, "Options of a later minor, with more members, are accepted",
     larger_options},
};

} // namespace

std::span<const test_case> spawning_cases() { return cases; }

} // namespace chimera::conformance
