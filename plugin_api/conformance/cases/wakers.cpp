// Wakers: none is lost, none is polled inside, and all outlive everything.
#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "../case.hpp"
#include "../kit/environment.hpp"

namespace chimera::conformance {

namespace {

constexpr auto relaxed = std::memory_order_relaxed;

void coalesced(environment& env) {
    std::atomic<bool> finish{false};
    sdk::waker_slot slot;
    const auto e = env.make_executor();
    const probe& target = e->spawn([&](chm_waker* w) {
        slot.set(w);
        return finish ? CHM_READY : CHM_PENDING;
    });
    const foreign_thread waker(env.probes(), [&] {
        for (unsigned round = 0; round < scaled(500); ++round) {
            sdk::waker w;
            wait_until([&] { return static_cast<bool>(w = slot.take()); }, "a poll after ten wakes");
            for (unsigned i = 0; i < 10; ++i) wake_by_ref(w.get());
        }
        finish = true;
        sdk::waker w;
        wait_until([&] { return target.drops() > 0 || (w = slot.take()); }, "a last poll");
        if (w) wake(w);
    });
    e->run_until_idle();
}

void during_poll(environment& env) {
    std::atomic<bool> finish{false};
    sdk::waker kept;
    const auto e = env.make_executor();
    const probe& p = e->spawn([&, n = 0](chm_waker* w) mutable {
        if (n++ == 0) {
            kept = sdk::waker::clone(w);
            for (unsigned i = 0; i < 5; ++i) wake_by_ref(w);
        }
        return finish ? CHM_READY : CHM_PENDING;
    });
    const foreign_thread finisher(env.probes(), [&] {
        wait_until([&] { return p.polls() >= 2; }, "one more poll");
        sleep_ms(50);
        const unsigned polls = p.polls();
        finish = true;
        wake(kept);
        expect_equal(polls, 2U, "the number of polls after five wakes during the first");
    });
    e->run_until_idle();
}

void handshake(environment& env) {
    std::atomic<unsigned> asked{0}, seen{0};
    std::atomic<bool> finish{false};
    sdk::waker_slot slot;
    const auto e = env.make_executor();
    e->spawn([&](chm_waker* w) {
        slot.set(w);
        const bool last = finish.load(relaxed);
        seen.store(asked.load(relaxed), relaxed);
        return last ? CHM_READY : CHM_PENDING;
    });
    const foreign_thread asking(env.probes(), [&] {
        sdk::waker w;
        wait_until([&] { return static_cast<bool>(w = slot.take()); }, "the first poll");
        const std::uint64_t end = sdk::now_ns() + 1'000'000'000; // a busy machine makes fewer rounds
        for (unsigned i = 1; i <= 30'000 && sdk::now_ns() < end; ++i) {
            asked.store(i, relaxed);
            wake_by_ref(w.get()); // lands anywhere around the end of the poll before
            wait_until([&] { return seen.load(relaxed) == i; }, "a poll after wake " + std::to_string(i));
            spin(i % 64);
        }
        finish.store(true, relaxed);
        wake(w);
    });
    e->run_until_idle();
}

void storm(environment& env) {
    const unsigned threads = 4, tasks = 64, wakes = scaled(3000);
    struct target {
        sdk::waker waker;
        std::atomic<bool> registered{false};
        std::atomic<unsigned> given{0};
    };
    std::vector<target> targets(tasks);
    const auto e = env.make_executor();
    for (target& t : targets)
        e->spawn([&t, wakes](chm_waker* w) {
            if (!t.registered) {
                t.waker = sdk::waker::clone(w);
                t.registered = true;
            }
            return t.given.load(relaxed) == threads * wakes ? CHM_READY : CHM_PENDING;
        });
    std::vector<std::unique_ptr<foreign_thread>> crowd;
    for (unsigned i = 0; i < threads; ++i)
        crowd.push_back(std::make_unique<foreign_thread>(env.probes(), [&] {
            for (target& t : targets) wait_until([&] { return t.registered.load(); }, "every task's first poll");
            for (unsigned n = 0; n < wakes; ++n)
                for (target& t : targets) {
                    t.given.fetch_add(1, relaxed);
                    sdk::waker w = t.waker;
                    wake(w);
                }
        }));
    e->run_until_idle(); // hangs where the last wake of any task is lost
}

void after_done(environment& env) {
    std::vector<sdk::waker> kept;
    const auto e = env.make_executor();
    const probe& p = e->spawn([&](chm_waker* w) {
        for (unsigned i = 0; i < 30; ++i) kept.push_back(sdk::waker::clone(w));
        return CHM_READY;
    });
    e->spawn([&, n = 0](chm_waker* w) mutable {
        if (p.drops() == 1) {
            for (unsigned i = 0; i < 10; ++i) wake(kept[i]);
            for (unsigned i = 10; i < 20; ++i) wake_by_ref(kept[i].get());
            if (++n == 10) return CHM_READY;
        }
        wake_by_ref(w);
        return CHM_PENDING;
    });
    e->run_until_idle();
    for (sdk::waker& w : kept)
        if (w) wake(w);
    expect_equal(p.polls(), 1U, "the number of polls of the finished task");
}

void after_destroy(environment& env) {
    std::vector<sdk::waker> kept;
    std::mutex keeping; // both tasks may be polled at once
    {
        const auto e = env.make_executor();
        const auto keep = [&](chm_waker* w, unsigned n) {
            const std::lock_guard lock(keeping);
            for (unsigned i = 0; i < n; ++i) kept.push_back(sdk::waker::clone(w));
        };
        e->spawn([&, keep](chm_waker* w) { return keep(w, 10), CHM_READY; });
        e->spawn([&, keep, n = 0](chm_waker* w) mutable { // still pending when it is stopped
            if (n++ == 0) keep(w, 10);
            e->stop();
            return CHM_PENDING;
        });
        e->run(CHM_RUN_UNTIL_STOP);
        wake_by_ref(kept.front().get());
        wake_by_ref(kept.back().get());
    }
    const auto use = [&] {
        for (sdk::waker& w : kept) {
            sdk::waker copy = w;
            wake_by_ref(copy.get());
            wake(copy);
        }
    };
    use();
    { const foreign_thread another(env.probes(), use); }
    kept.clear();
}

void identity(environment& env) {
    std::vector<sdk::waker> first(8), second(8);
    std::atomic<unsigned> waiting{0};
    const auto e = env.make_executor();
    for (unsigned i = 0; i < 8; ++i)
        e->spawn([&, i, n = 0](chm_waker* w) mutable {
            if (n++ > 0) return CHM_READY;
            first[i] = sdk::waker::clone(w);
            second[i] = first[i]; // a clone of a clone
            ++waiting;
            return CHM_PENDING;
        });
    e->spawn([&](chm_waker* w) {
        if (waiting < 8) {
            wake_by_ref(w);
            return CHM_PENDING;
        }
        for (unsigned i = 0; i < 8; ++i)
            for (unsigned k = 0; k < i; ++k)
                expect(first[i].get() != first[k].get(), "wakers of different tasks must differ");
        for (sdk::waker& s : second) wake(s);
        return CHM_READY;
    });
    e->run_until_idle();
}

void many_references(environment& env) {
    const unsigned n = scaled(20'000);
    std::vector<sdk::waker> kept;
    std::atomic<bool> full{false};
    const auto e = env.make_executor();
    const probe& p = e->spawn([&](chm_waker* w) {
        if (full) return CHM_READY;
        for (unsigned i = 0; i < n; ++i) kept.push_back(sdk::waker::clone(w));
        full = true;
        return CHM_PENDING;
    });
    const foreign_thread dropping(env.probes(), [&] {
        wait_until([&] { return full.load(); }, "the first poll");
        sdk::waker last = std::move(kept.back());
        kept.clear();
        expect_equal(p.drops(), 0U, "the number of drops while the task is pending");
        wake(last);
    });
    e->run_until_idle();
}

void consumed_inside_poll(environment& env) {
    const auto e = env.make_executor();
    const probe& p = e->spawn([n = 0](chm_waker* w) mutable {
        sdk::waker mine = sdk::waker::clone(w);
        wake(mine);
        return ++n == 100 ? CHM_READY : CHM_PENDING; // the last one is woken and done at once
    });
    e->run_until_idle();
    expect_equal(p.polls(), 100U, "the number of polls");
}

void dropped_inside_drop(environment& env) {
    const auto e = env.make_executor();
    for (unsigned i = 0; i < 100; ++i) {
        auto own = std::make_shared<sdk::waker>();
        e->spawn([own](chm_waker* w) { // the task owns a waker of itself, and drops it with itself
            if (*own) return CHM_READY;
            *own = sdk::waker::clone(w);
            wake_by_ref(w);
            return CHM_PENDING;
        });
    }
    e->run_until_idle();
}

constexpr test_case cases[] = {
    {"wake.coalesced", kind::executor, "Many wakes before a poll lead to at least one poll", coalesced},
    {"wake.during_poll", kind::executor, "Wakes during a poll mean exactly one more poll", during_poll},
    {"wake.handshake", kind::executor, "No wake is lost around the end of a poll", handshake},
    {"wake.storm", kind::executor, "No wake is lost when threads wake many tasks at once", storm},
    {"wake.after_done", kind::executor, "A finished task can be woken, and is not polled", after_done},
    {"wake.after_destroy", kind::executor, "Wakers work after their executor is destroyed", after_destroy},
    {"wake.identity", kind::executor, "Wakers of different tasks differ, and a clone of a clone wakes its task",
     identity},
    {"wake.many_references", kind::executor, "A pending task stays alive, whatever happens to its wakers",
     many_references},
    {"wake.consumed_inside_poll", kind::executor, "A waker may be used up inside its own poll", consumed_inside_poll},
    {"wake.dropped_inside_drop", kind::executor, "A task may own its own waker", dropped_inside_drop},
};

} // namespace

std::span<const test_case> waker_cases() { return cases; }

} // namespace chimera::conformance
