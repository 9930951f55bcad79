// How tasks are polled and dropped. Overlapping polls, polls after the end and double drops are seen by every probe.
#include <atomic>
#include <string>
#include <vector>

#include "../case.hpp"
#include "../kit/environment.hpp"
#include "../kit/heap.hpp"
#include "chimera/sdk/text.hpp"

namespace chimera::conformance {

namespace {

void ready_at_once(environment& env) {
    const auto e = env.make_executor();
    const probe& p = e->spawn([](chm_waker*) { return CHM_READY; });
    e->run_until_idle();
    expect_equal(p.polls(), 1U, "the number of polls");
    expect_equal(p.drops(), 1U, "the number of drops when run returns");
}

void failing_is_done(environment& env) {
    const auto e = env.make_executor();
    const probe& failing = e->spawn([](chm_waker*) { return CHM_E_IO; });
    const probe& other = e->spawn([n = 0](chm_waker* w) mutable {
        if (n++ == 3) return CHM_READY;
        wake_by_ref(w);
        return CHM_PENDING;
    });
    e->run_until_idle();
    expect_equal(failing.polls(), 1U, "the number of polls of the failing task");
    expect_equal(failing.drops(), 1U, "the number of drops of the failing task");
    expect_equal(other.polls(), 4U, "the number of polls of the task beside it");
}

void not_before_run(environment& env) {
    std::atomic<unsigned> polls{0};
    const auto e = env.make_executor();
    for (unsigned i = 0; i < 10; ++i) e->spawn([&](chm_waker*) { return ++polls, CHM_READY; });
    sleep_ms(50);
    expect_equal(polls.load(), 0U, "the number of polls before run");
    e->run_until_idle();
    expect_equal(polls.load(), 10U, "the number of polls");
}

void idle_waits_for_all(environment& env) {
    std::atomic<bool> woken{false};
    const auto e = env.make_executor();
    sdk::waker_slot slot;
    e->spawn([&](chm_waker* w) {
        slot.set(w);
        return woken ? CHM_READY : CHM_PENDING;
    });
    const foreign_thread waker(env.probes(), [&] {
        sleep_ms(100);
        woken = true;
        sdk::waker w = slot.take();
        wait_until([&] { return w || (w = slot.take()); }, "the task's first poll");
        wake(w);
    });
    e->run_until_idle();
    expect(woken, "run must not return while a task is pending");
}

void hundred_thousand(environment& env) {
    const unsigned n = scaled(100'000);
    std::atomic<unsigned> done{0};
    const auto e = env.make_executor();
    for (unsigned i = 0; i < n; ++i)
        e->spawn([&done, polls = 0U](chm_waker* w) mutable {
            if (++polls == 3) return ++done, CHM_READY;
            wake_by_ref(w);
            return CHM_PENDING;
        });
    e->run_until_idle();
    expect_equal(done.load(), n, "the number of tasks done");
}

void waiting_at_once(environment& env) {
    const unsigned n = scaled(20'000);
    std::vector<sdk::waker_slot> slots(n);
    std::atomic<unsigned> waiting{0}, done{0};
    const auto e = env.make_executor();
    for (unsigned i = 0; i < n; ++i)
        e->spawn([&, i, first = true](chm_waker* w) mutable {
            if (!std::exchange(first, false)) return ++done, CHM_READY;
            slots[i].set(w);
            ++waiting;
            return CHM_PENDING;
        });
    e->spawn([&](chm_waker* w) { // the last to see all others asleep wakes them, from inside the executor
        if (waiting < n) {
            wake_by_ref(w);
            return CHM_PENDING;
        }
        const no_poll_here inside("wake");
        for (auto& slot : slots) slot.wake();
        return CHM_READY;
    });
    e->run_until_idle();
    expect_equal(done.load(), n, "the number of tasks done");
}

void polls_never_overlap(environment& env) {
    const unsigned rounds = scaled(3000);
    const auto e = env.make_executor();
    std::vector<unsigned> plain(16); // not atomic: a sanitizer sees polls that are not ordered
    std::vector<sdk::waker_slot> slots(plain.size());
    std::atomic<unsigned> left{static_cast<unsigned>(plain.size())};
    for (std::size_t i = 0; i < plain.size(); ++i)
        e->spawn([&, i](chm_waker* w) {
            slots[i].set(w);
            if (++plain[i] < rounds) {
                wake_by_ref(w);
                slots[(i + 1) % slots.size()].wake();
                return CHM_PENDING;
            }
            --left;
            return CHM_READY;
        });
    const foreign_thread disturbing(env.probes(), [&] {
        while (left > 0)
            for (auto& slot : slots) slot.wake();
    });
    e->run_until_idle();
}

void polled_on_workers_only(environment& env) {
    std::vector<sdk::waker_slot> slots(32);
    std::atomic<bool> over{false};
    const auto e = env.make_executor();
    for (sdk::waker_slot& slot : slots)
        e->spawn([&, n = 0](chm_waker* w) mutable {
            if (++n == 100) return CHM_READY;
            slot.set(w);
            return CHM_PENDING;
        });
    const foreign_thread waking(env.probes(), [&] { // most of its wakes find the task asleep
        while (!over)
            for (sdk::waker_slot& slot : slots) {
                sdk::waker w = slot.take();
                if (w) wake(w);
            }
    });
    const chm_rc rc = e->run(CHM_RUN_UNTIL_IDLE);
    over = true;
    expect_equal(rc, CHM_OK, "run's result");
}

void hints_and_names(environment& env) {
    std::atomic<unsigned> done{0};
    const auto e = env.make_executor();
    const auto spawn_one = [&](std::uint32_t hint, std::uint32_t worker, std::string name) {
        chm_spawn_opts opts{};
        opts.size = sizeof opts;
        opts.hint = hint;
        opts.worker = worker;
        opts.name = sdk::str(name);
        e->spawn([&](chm_waker*) { return ++done, CHM_READY; }, &opts);
        name.assign(name.size(), '#'); // borrowed for the call only
    };
    for (const std::uint32_t hint : {0U, 1U, 2U, 77U})
        for (const std::uint32_t worker : {0U, 1U, 2U, 1000U, 0xffffffffU}) spawn_one(hint, worker, "some task");
    spawn_one(CHM_HINT_ANY, 0, std::string(100'000, 'x'));
    e->spawn([&](chm_waker*) { return spawn_one(CHM_HINT_CURRENT, 0, ""), CHM_READY; });
    e->run_until_idle();
    expect_equal(done.load(), 22U, "the number of tasks done");
}

/// A task without memory of its own, to be spawned again and again.
struct bare_task : chm_task {
    bare_task() noexcept : chm_task{&vtable} {}
    std::atomic<bool> free{true};
    static constexpr chm_task_vt vtable{
        [](chm_task*, chm_waker* w) noexcept -> chm_rc {
            const sdk::waker kept = sdk::waker::clone(w);
            return CHM_READY;
        },
        [](chm_task* t) noexcept { static_cast<bare_task*>(t)->free = true; },
    };
};

void memory_returned(environment& env) {
    std::vector<bare_task> tasks(100);
    std::size_t before = 0, after = 0;
    const unsigned rounds = scaled(200);
    const auto e = env.make_executor();
    const std::size_t gone = tasks.size() * (rounds - rounds / 4);
    const std::size_t bound = 2 * gone; // less than a pointer for each
    e->spawn([&, round = 0U, stretch = 1U](chm_waker* w) mutable {
        for (bare_task& t : tasks) {
            if (!t.free) { // of the last round, and not yet polled
                wake_by_ref(w);
                return CHM_PENDING;
            }
        }
        if (round == rounds / 4) before = heap_bytes();
        if (round == rounds) {
            after = heap_bytes();
            if (after <= before + bound || stretch++ == 3) return CHM_READY;
            before = after; // what queues keep back for later grows once, what is lost grows in every stretch
            round = rounds / 4;
        }
        ++round;
        for (bare_task& t : tasks) {
            t.free = false;
            expect_equal(e->raw()->vt->spawn(e->raw(), &t, nullptr), CHM_OK, "spawn's result");
        }
        wake_by_ref(w);
        return CHM_PENDING;
    });
    e->run_until_idle();
    expect(after <= before + bound,
           "the heap must not grow with tasks that are gone: " + std::to_string(after - before) + " bytes after " +
               std::to_string(gone) + " of them");
}

constexpr test_case cases[] = {
    {"task.ready_at_once", kind::executor, "A task that is ready at its first poll is polled once and dropped",
     ready_at_once},
    {"task.failing_is_done", kind::executor, "A task whose poll fails is done, and others go on", failing_is_done},
    {"task.not_before_run", kind::executor, "Nothing is polled before run", not_before_run},
    {"task.idle_waits_for_all", kind::executor, "Run until idle returns only when every task is done",
     idle_waits_for_all},
    {"task.hundred_thousand", kind::executor, "A hundred thousand tasks are polled to their ends", hundred_thousand},
    {"task.waiting_at_once", kind::executor, "Tens of thousands of sleeping tasks are all woken by another task",
     waiting_at_once},
    {"task.polls_never_overlap", kind::executor, "Polls of one task never overlap, and see each other's writes",
     polls_never_overlap},
    {"task.polled_on_workers", kind::executor, "Tasks are polled on the executor's threads, never on those that wake",
     polled_on_workers_only},
    {"task.hints_and_names", kind::executor, "Any spawn hint, worker number and name is accepted", hints_and_names},
    {"task.memory_returned", kind::executor,
     "Tasks that are done, and their wakers, leave no memory behind while the executor goes on", memory_returned},
};

} // namespace

std::span<const test_case> task_cases() { return cases; }

} // namespace chimera::conformance
