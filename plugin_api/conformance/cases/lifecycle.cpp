// Creating and destroying executors.
#include <memory>
#include <vector>

#include "../case.hpp"
#include "../kit/environment.hpp"
#include "../kit/heap.hpp"

namespace chimera::conformance {

namespace {

void create_destroy(environment& env) { env.make_executor(); }

void several_at_once(environment& env) {
    std::vector<std::unique_ptr<executor>> all;
    for (unsigned i = 0; i < 4; ++i) all.push_back(env.make_executor());
    std::vector<unsigned> polls(all.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i]->spawn([&n = polls[i]](chm_waker*) { return ++n, CHM_READY; });
    all[2]->run_until_idle();
    all[0]->run_until_idle();
    all.erase(all.begin() + 1);
    expect(polls == std::vector<unsigned>{1, 0, 1, 0}, "each executor must poll its own tasks only");
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
    const auto round = [&] {
        const auto e = env.make_executor();
        for (unsigned i = 0; i < 200; ++i)
            e->spawn([n = 0](chm_waker* w) mutable {
                if (n++ > 0) return CHM_READY;
                wake_by_ref(w);
                return CHM_PENDING;
            });
        e->run_until_idle();
    };
    for (unsigned i = 0; i < 3; ++i) round();
    const std::size_t probes_of_one = 200 * (sizeof(probe) + 200); // kept by the ledger
    const std::size_t before = heap_bytes();
    const unsigned rounds = scaled(30);
    for (unsigned i = 0; i < rounds; ++i) round();
    const std::size_t after = heap_bytes();
    const std::size_t bound = before + rounds * probes_of_one;
    expect(after <= bound, "the heap must not grow with executors that are gone: " + std::to_string(after - before) +
                               " bytes after " + std::to_string(rounds) + " of them");
}

constexpr test_case cases[] = {
    {"lifecycle.create_destroy", kind::executor, "An executor that never ran is destroyed without a trace",
     create_destroy},
    {"lifecycle.several_at_once", kind::executor, "Executors beside each other do not mix, in any order of destruction",
     several_at_once},
    {"lifecycle.destroy_drops_unrun", kind::executor, "Destroy drops tasks that never ran, and polls none",
     destroy_drops_unrun},
    {"lifecycle.run_empty", kind::executor, "Run until idle returns at once when there is nothing to do", run_empty},
    {"lifecycle.run_elsewhere", kind::executor,
     "An executor may be made on one thread, and run and destroyed on another", run_elsewhere},
    {"lifecycle.repeated", kind::executor, "Executors created, run and destroyed many times leave no memory behind",
     repeated},
};

} // namespace

std::span<const test_case> lifecycle_cases() { return cases; }

} // namespace chimera::conformance
