// Creating and destroying executors.
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <vector>

#include "../case.hpp"
#include "../kit/environment.hpp"
#include "../kit/probe.hpp"
#include "../kit/scale.hpp"

namespace chimera::conformance {

namespace {

void create_destroy(environment& env) { env.make_executor(); }

void several_at_once(environment& env) {
    if (env.plugin().single_instance()) throw skipped("one instance may be alive at a time");
    std::vector<std::unique_ptr<executor>> all;
    for (unsigned i = 0; i < 4; ++i) all.push_back(env.make_executor());
    std::vector<unsigned> polls(all.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i]->spawn([&n = polls[i]](chm_waker*) { return ++n, CHM_READY; });
    all[2]->run_until_idle();
    all[0]->run_until_idle();
    all.erase(all.begin() + 1);
    expect(polls == std::vector<unsigned>{1, 0, 1, 0}, "each executor must poll its own tasks only");
}

/// What a second create answers while an instance is alive, which it must leave alone.
template <class Instance, class Factory>
void refused_beside(environment& env, const Factory& factory, const std::vector<chm_option>& schema) {
    const config options(schema, env.settings().options);
    Instance* second = nullptr;
    sdk::error_buffer err;
    const chm_rc rc = factory.create(env.host(), options.abi(), &second, err.abi());
    if (second) second->vt->destroy(second);
    expect_code(rc, CHM_E_STATE, "the result of create beside another instance");
    expect(!err.text().empty(), "create must say why it refuses");
}

void single_instance(environment& env) {
    const plugin_file& p = env.plugin();
    if (!p.single_instance()) throw skipped("several instances may be alive at a time");
    for (unsigned i = 0; i < 3; ++i) {
        if (p.executors()) {
            const auto e = env.make_executor();
            refused_beside<chm_executor>(env, *p.executors(), p.executor_schema());
            e->spawn([](chm_waker*) { return CHM_READY; });
            e->run_until_idle();
        }
        if (p.transports()) {
            const std::shared_ptr<chm_transport> t(env.make_transport(), [](chm_transport* x) { x->vt->destroy(x); });
            refused_beside<chm_transport>(env, *p.transports(), p.transport_schema());
        }
        if (p.coordinators()) {
            const std::shared_ptr<chm_coordinator> c(env.make_coordinator(),
                                                     [](chm_coordinator* x) { x->vt->destroy(x); });
            refused_beside<chm_coordinator>(env, *p.coordinators(), p.coordinator_schema());
        }
    }
}

void destroy_drops_unrun(environment& env) {
    const auto e = env.make_executor();
    unsigned polls = 0;
    std::vector<probe*> made;
    for (unsigned i = 0; i < 100; ++i) made.push_back(&e->spawn([&](chm_waker*) { return ++polls, CHM_READY; }));
    e->destroy();
    expect_equal(polls, 0U, "the number of polls without run");
    for (const probe* p : made) expect_equal(p->drops(), 1U, "the number of drops by destroy");
}

void run_empty(environment& env) { env.make_executor()->run_until_idle(); }

void run_elsewhere(environment& env) {
    const auto e = env.make_executor();
    const probe& p = e->spawn([n = 0](chm_waker* w) mutable {
        if (n++ > 0) return CHM_READY;
        wake_by_ref(w);
        return CHM_PENDING;
    });
    std::thread worker([&] { // the thread that called run destroys
        try {
            e->run_until_idle();
        } catch (const failure& x) {
            env.probes().report(x.what());
        }
        e->destroy();
    });
    worker.join();
    expect_equal(p.drops(), 1U, "the number of drops");
}

void repeated(environment& env) {
    std::vector<bare_task> tasks(2000); // which leave nothing in the kit's own records
    const auto round = [&] {
        const auto e = env.make_executor();
        for (bare_task& t : tasks) expect_code(e->raw()->vt->spawn(e->raw(), &t, nullptr), CHM_OK, "spawn's result");
        e->run_until_idle();
    };
    const unsigned rounds = scaled(40);
    for (unsigned i = 0; i < 5; ++i) round();
    std::size_t before = 0, after = 0;
    // What a library or the allocator keeps back grows once, what is lost grows in every stretch.
    for (unsigned stretch = 0; stretch < 3; ++stretch) {
        before = heap_bytes();
        for (unsigned i = 0; i < rounds; ++i) round();
        after = heap_bytes();
        if (after <= before + rounds * tasks.size() / 8) return;
    }
    expect(false, "the heap must not grow with executors that are gone: " + std::to_string(after - before) +
                      " bytes after " + std::to_string(rounds) + " of them with " + std::to_string(tasks.size()) +
                      " tasks each");
}

/// As long as it lives, at most `threads` more can be started: each wants a large stack, and there is not the address
/// space for another.
class few_threads {
  public:
    explicit few_threads(rlim_t threads) {
        constexpr rlim_t stack = 256 << 20, others = 192 << 20; // others: a heap for each thread, and what tasks need
        ::pthread_getattr_default_np(&before_);
        pthread_attr_t large;
        ::pthread_getattr_default_np(&large);
        ::pthread_attr_setstacksize(&large, stack);
        ::pthread_setattr_default_np(&large);
        ::pthread_attr_destroy(&large);
        rlim_t pages = 0;
        std::ifstream("/proc/self/statm") >> pages;
        ::getrlimit(RLIMIT_AS, &limit_);
        const rlimit now{pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + threads * stack + others,
                         limit_.rlim_max};
        ::setrlimit(RLIMIT_AS, &now);
    }
    few_threads(const few_threads&) = delete;
    few_threads& operator=(const few_threads&) = delete;
    ~few_threads() {
        ::setrlimit(RLIMIT_AS, &limit_);
        ::pthread_setattr_default_np(&before_);
        ::pthread_attr_destroy(&before_);
    }

  private:
    pthread_attr_t before_{};
    rlimit limit_{};
};

void failed_run(environment& env) {
    if (sanitized) throw skipped("a sanitizer needs more address space than there would be");
    bool failed = false;
    for (unsigned round = 0; round < 30; ++round) { // a thread that has started may poll before the next one fails to
        const rlim_t threads = 2 - round % 3;
        const auto e = env.make_executor_of(4);
        std::vector<const probe*> made;
        for (unsigned i = 0; i < 100; ++i) made.push_back(&e->spawn([](chm_waker*) { return CHM_READY; }));
        sdk::error_buffer err;
        chm_rc rc = CHM_OK;
        {
            const few_threads limit(threads);
            rc = e->try_run(CHM_RUN_UNTIL_IDLE, err);
        }
        if (rc == CHM_OK) continue;
        failed = true;
        expect(rc < 0 && rc != CHM_E_CANCELED,
               "a run whose threads do not start must fail, and not with CHM_E_CANCELED");
        expect(!err.text().empty(), "a run that fails must say why");
        for (const probe* p : made) {
            expect_equal(p->polls(), 0U, "the number of polls by a run that failed");
            expect_equal(p->drops(), 0U, "the number of drops by a run that failed");
        }
        e->destroy();
        for (const probe* p : made) expect_equal(p->drops(), 1U, "the number of drops by destroy");
    }
    if (!failed) throw skipped("its run needs no thread that could fail to start");
}

constexpr test_case cases[] = {
    {"lifecycle.create_destroy", kind::executor, "An executor that never ran is destroyed without a trace",
     create_destroy},
    {"lifecycle.several_at_once", kind::executor,
     "Several executors do not disturb each other, in any order of destruction", several_at_once},
    {"lifecycle.single_instance", kind::instance,
     "A plugin with one instance for each process refuses a second, and makes another when the first is gone",
     single_instance},
    {"lifecycle.destroy_drops_unrun", kind::executor, "Destroy drops tasks that never ran, and polls none",
     destroy_drops_unrun},
    {"lifecycle.run_empty", kind::executor, "Run until idle returns at once when there is nothing to do", run_empty},
    {"lifecycle.run_elsewhere", kind::executor,
     "An executor may be made on one thread, and run and destroyed on another", run_elsewhere},
    {"lifecycle.failed_run", kind::executor,
     "A run that cannot start its threads fails, and keeps the tasks until destroy", failed_run},
    {"lifecycle.repeated", kind::executor, "Executors created, run and destroyed many times leave no memory behind",
     repeated},
};

} // namespace

std::span<const test_case> lifecycle_cases() { return cases; }

} // namespace chimera::conformance
