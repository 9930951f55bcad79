// How tasks are polled and dropped. Overlapping polls, polls after the end and double drops are seen by every probe.
#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "../case.hpp"
#include "../kit/environment.hpp"
#include "../kit/probe.hpp"
#include "../kit/scale.hpp"
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
    expect_code(rc, CHM_OK, "run's result");
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

/// What is in use when the executor has had some turns to give back what it does not need any more.
class settled_heap {
  public:
    /// True when the figure is final: call it once in each of some polls.
    bool look() noexcept {
        bytes_ = turn_ == 0 ? heap_bytes() : std::min(bytes_, heap_bytes());
        turn_ = (turn_ + 1) % 20;
        return turn_ == 0;
    }
    std::size_t bytes() const noexcept { return bytes_; }

  private:
    std::size_t bytes_ = 0;
    unsigned turn_ = 0;
};

void memory_returned(environment& env) {
    std::vector<bare_task> tasks(100);
    settled_heap heap;
    std::size_t before = 0, after = 0;
    const unsigned first = scaled(100), rounds = scaled(800);
    const std::size_t gone = tasks.size() * rounds;
    const std::size_t bound = gone / 8; // what one task in a hundred loses is more, and what queues keep back is less
    const auto e = env.make_executor();
    e->spawn([&, round = 0U, stretch = 0U](chm_waker* w) mutable {
        const auto again = [w] { return wake_by_ref(w), CHM_PENDING; };
        for (const bare_task& t : tasks)
            if (!t.free) return again(); // of the last round, and not yet polled
        if (round == first) {
            if (!heap.look()) return again();
            before = heap.bytes();
        }
        if (round == first + rounds) {
            if (!heap.look()) return again();
            after = heap.bytes();
            if (after <= before + bound || stretch++ == 3) return CHM_READY;
            before = after; // what queues keep back for later grows once, what is lost grows in every stretch
            round = first;
        }
        ++round;
        for (bare_task& t : tasks) {
            t.free = false;
            expect_code(e->raw()->vt->spawn(e->raw(), &t, nullptr), CHM_OK, "spawn's result");
        }
        return again();
    });
    e->run_until_idle();
    expect(after <= before + bound,
           "the heap must not grow with tasks that are gone: " + std::to_string(after - before) + " bytes after " +
               std::to_string(gone) + " of them");
}

/// The threads on which tasks were polled, or dropped.
class thread_set {
  public:
    void add_this() {
        const std::lock_guard lock(mutex_);
        ids_.insert(std::this_thread::get_id());
    }
    /// How many are not in `other`.
    std::size_t outside(const thread_set& other) const {
        return static_cast<std::size_t>(std::ranges::count_if(ids_, [&](auto id) { return !other.ids_.contains(id); }));
    }

  private:
    std::mutex mutex_;
    std::set<std::thread::id> ids_;
};

void dropped_on_workers(environment& env) {
    // Enough work for every worker, so that a thread that polls none of these tasks is none of the workers.
    thread_set polling, dropping;
    struct dropped {
        thread_set& where;
        explicit dropped(thread_set& w) noexcept : where(w) {}
        dropped(const dropped&) = delete;
        dropped& operator=(const dropped&) = delete;
        ~dropped() { where.add_this(); }
    };
    const auto e = env.make_executor();
    for (unsigned i = 0; i < scaled(5000); ++i)
        e->spawn([&polling, mine = std::make_shared<dropped>(dropping), n = 0](chm_waker* w) mutable {
            polling.add_this();
            spin(2000);
            if (++n == 4) return CHM_READY;
            wake_by_ref(w);
            return CHM_PENDING;
        });
    e->run_until_idle();
    expect_equal(dropping.outside(polling), std::size_t{0}, "the number of threads that dropped tasks and polled none");
}

constexpr test_case cases[] = {
    {"task.ready_at_once", kind::executor, "A task that is ready at its first poll is polled once and dropped",
     ready_at_once},
    {"task.failing_is_done", kind::executor, "A task whose poll fails is done, and others go on", failing_is_done},
    {"task.not_before_run", kind::executor, "Nothing is polled before run", not_before_run},
    {"task.idle_waits_for_all", kind::executor, "Run until idle returns only when every task is done",
     idle_waits_for_all},
    {"task.hundred_thousand", kind::executor, "A hundred thousand tasks all finish", hundred_thousand},
    {"task.waiting_at_once", kind::executor, "Tens of thousands of sleeping tasks are all woken by one task",
     waiting_at_once},
    {"task.polls_never_overlap", kind::executor,
     "Polls of one task never overlap, and each sees the writes of the one before", polls_never_overlap},
    {"task.polled_on_workers", kind::executor,
     "Tasks are polled on the executor's threads, never on a thread that wakes", polled_on_workers_only},
    {"task.hints_and_names", kind::executor, "Any spawn hint, worker number and name is accepted", hints_and_names},
    {"task.memory_returned", kind::executor,
     "Finished tasks and their wakers leave no memory behind while the executor runs", memory_returned},
    {"task.dropped_on_workers", kind::executor, "A finished task is dropped on a thread that polls tasks",
     dropped_on_workers},
};

} // namespace

std::span<const test_case> task_cases() { return cases; }

} // namespace chimera::conformance
