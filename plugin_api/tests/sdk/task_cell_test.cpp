// The states of a spawned task, the list of all tasks, and the context that an executor hangs on a cell.
#include "chimera/sdk/task_cell.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "chimera/sdk/waker.hpp"

using namespace chimera::sdk;

namespace {

struct scripted_task final : chm_task {
    std::function<chm_rc(chm_waker*)> body;
    int polls = 0;
    int* drops;

    scripted_task(std::function<chm_rc(chm_waker*)> b, int& d) : chm_task{&vtable}, body(std::move(b)), drops(&d) {}
    static chm_rc poll(chm_task* t, chm_waker* w) noexcept {
        auto& self = *static_cast<scripted_task*>(t);
        ++self.polls;
        return self.body(w);
    }
    static void drop(chm_task* t) noexcept {
        ++*static_cast<scripted_task*>(t)->drops;
        delete static_cast<scripted_task*>(t);
    }
    static constexpr chm_task_vt vtable{poll, drop};
};

/// Keeps what is scheduled; says when it is deleted.
struct recording_scheduler final : scheduler {
    explicit recording_scheduler(bool& gone) : gone_(gone) {}
    ~recording_scheduler() override { gone_ = true; }
    void schedule(task_cell& cell) noexcept override {
        queued.store(&cell, std::memory_order_release);
        ++scheduled;
    }
    std::atomic<task_cell*> queued{nullptr};
    std::atomic<unsigned> scheduled{0};

  private:
    bool& gone_;
};

/// What happened, a letter each: t the task was dropped, c its context went, s the scheduler.
std::string events;

struct noting_task final : chm_task {
    waker* keep; // where a clone of its waker goes; nullptr: nowhere
    explicit noting_task(waker* k) : chm_task{&vtable}, keep(k) {}
    static chm_rc poll(chm_task* t, chm_waker* w) noexcept {
        auto& self = *static_cast<noting_task*>(t);
        if (self.keep == nullptr) return CHM_READY;
        *self.keep = waker::clone(w);
        return CHM_PENDING;
    }
    static void drop(chm_task* t) noexcept {
        events += 't';
        delete static_cast<noting_task*>(t);
    }
    static constexpr chm_task_vt vtable{poll, drop};
};

struct noting_scheduler final : scheduler {
    ~noting_scheduler() override { events += 's'; }
    void schedule(task_cell& cell) noexcept override { cell.release(); }
};

void note_context(void* context) noexcept { events += *static_cast<char*>(context); }

/// A cell whose scheduler has no other owner than it.
task_cell& cell_with(void* context, waker* keep) {
    events.clear();
    auto* const s = new noting_scheduler;
    task_cell* const cell = task_cell::create(*s, new noting_task(keep));
    REQUIRE(cell != nullptr);
    s->release();
    cell->context = context;
    cell->context_gone = note_context;
    return *cell;
}

char letter = 'c';

} // namespace

TEST_CASE("a cell is polled when it is scheduled, and goes idle") {
    bool gone = false;
    int drops = 0;
    auto* s = new recording_scheduler(gone);
    waker kept;
    task_cell* cell = task_cell::create(*s, new scripted_task(
                                                [&](chm_waker* w) {
                                                    kept = waker::clone(w);
                                                    return CHM_PENDING;
                                                },
                                                drops));
    CHECK(cell->run() == task_cell::outcome::idle);
    kept.wake_by_ref();
    kept.wake_by_ref(); // one is enough
    CHECK(s->scheduled == 1);
    CHECK(s->queued == cell);
    CHECK(cell->run() == task_cell::outcome::idle);
    CHECK(drops == 0);
    cell->drop_task();
    CHECK(drops == 1);
    cell->drop_task();
    CHECK(drops == 1);
    kept.wake_by_ref(); // done: nothing happens
    CHECK(s->scheduled == 1);
    cell->release(); // the live list's
    s->release();
    CHECK_FALSE(gone); // the waker still holds the cell, and the cell the scheduler
    kept = waker();
    CHECK(gone);
}

TEST_CASE("a wake during a poll asks for exactly one more, by way of `again`") {
    bool gone = false;
    int drops = 0;
    auto* s = new recording_scheduler(gone);
    int polls = 0;
    task_cell* cell = task_cell::create(*s, new scripted_task(
                                                [&](chm_waker* w) {
                                                    for (int i = 0; i < 3; ++i) w->vt->wake_by_ref(w);
                                                    return ++polls == 2 ? CHM_READY : CHM_PENDING;
                                                },
                                                drops));
    CHECK(cell->run() == task_cell::outcome::again);
    CHECK(s->scheduled == 0); // not queued behind the worker's back
    CHECK(cell->run() == task_cell::outcome::done);
    CHECK(drops == 1);
    cell->release();
    s->release();
    CHECK(gone);
}

TEST_CASE("a task that wakes itself from its own drop is not queued again") {
    bool gone = false;
    int drops = 0;
    auto* s = new recording_scheduler(gone);
    struct waking_in_drop {
        waker w;
        ~waking_in_drop() { w.wake(); }
    };
    auto inside = std::make_shared<waking_in_drop>();
    task_cell* cell = task_cell::create(*s, new scripted_task(
                                                [inside](chm_waker* w) {
                                                    inside->w = waker::clone(w);
                                                    return CHM_READY;
                                                },
                                                drops));
    inside.reset();
    CHECK(cell->run() == task_cell::outcome::done);
    CHECK(s->scheduled == 0);
    cell->release();
    s->release();
    CHECK(gone);
}

TEST_CASE("wakes race with completion: the cell is freed once, and never polled after it was done") {
    for (int round = 0; round < 500; ++round) {
        bool gone = false;
        int drops = 0;
        auto* s = new recording_scheduler(gone);
        std::atomic<bool> given{false};
        waker one, two;
        task_cell* cell = task_cell::create(*s, new scripted_task(
                                                    [&, n = 0](chm_waker* w) mutable {
                                                        if (n++ == 0) {
                                                            one = waker::clone(w);
                                                            two = one;
                                                            given.store(true);
                                                        }
                                                        return n < 3 ? CHM_PENDING : CHM_READY;
                                                    },
                                                    drops));
        std::thread racing([&] {
            while (!given.load()) std::this_thread::yield();
            one.wake_by_ref();
            one.wake();
            two.wake_by_ref();
            two = waker();
        });
        task_cell::outcome o = cell->run();
        bool joined = false;
        while (o != task_cell::outcome::done) {
            if (o == task_cell::outcome::again) {
                o = cell->run();
                continue;
            }
            if (task_cell* queued = s->queued.exchange(nullptr)) {
                CHECK(queued == cell);
                o = cell->run();
            } else if (!joined) {
                racing.join();
                joined = true;
            } else if (task_cell* late = s->queued.exchange(nullptr)) {
                o = late->run();
            } else {
                break; // every wake came during one poll: legal, and the task is idle
            }
        }
        if (!joined) racing.join();
        if (o != task_cell::outcome::done) cell->drop_task();
        if (task_cell* queued = s->queued.exchange(nullptr); queued && o != task_cell::outcome::done) queued->release();
        CHECK(drops == 1);
        cell->release();
        s->release();
        REQUIRE(gone);
    }
}

TEST_CASE("the live list says when its last task goes, and drops all") {
    bool gone = false;
    int drops = 0;
    auto* s = new recording_scheduler(gone);
    live_tasks live;
    CHECK(live.empty());
    std::vector<task_cell*> cells;
    for (int i = 0; i < 5; ++i) {
        cells.push_back(task_cell::create(*s, new scripted_task([](chm_waker*) { return CHM_READY; }, drops)));
        live.add(*cells.back());
    }
    CHECK(cells[2]->run() == task_cell::outcome::done);
    CHECK_FALSE(live.remove(*cells[2]));
    live.drop_all();
    CHECK(drops == 5);
    CHECK(live.empty());
    for (const int i : {0, 1, 3, 4}) cells[static_cast<std::size_t>(i)]->release(); // the queue's
    s->release();
    CHECK(gone);
}

TEST_CASE("the context goes once, with the last reference: after the task, before the scheduler") {
    task_cell& cell = cell_with(&letter, nullptr);
    CHECK(cell.run() == task_cell::outcome::done);
    CHECK(events == "t"); // the live list's reference is left
    cell.release();
    CHECK(events == "tcs");
}

TEST_CASE("a waker that outlives its task keeps the context, also on another thread") {
    waker kept;
    task_cell& cell = cell_with(&letter, &kept);
    CHECK(cell.run() == task_cell::outcome::idle);
    cell.drop_task();
    cell.release();
    CHECK(events == "t");
    std::thread([&] { kept.wake(); }).join();
    CHECK(events == "tcs");
}

TEST_CASE("a task that never ran: the context goes all the same") {
    task_cell& cell = cell_with(&letter, nullptr);
    cell.drop_task();
    cell.release(); // the queue's
    CHECK(events == "t");
    cell.release(); // the live list's
    CHECK(events == "tcs");
}

TEST_CASE("without a context, or without a function for it, nothing is called") {
    task_cell& none = cell_with(nullptr, nullptr);
    CHECK(none.run() == task_cell::outcome::done);
    none.release();
    CHECK(events == "ts");

    task_cell& unowned = cell_with(&letter, nullptr);
    unowned.context_gone = nullptr;
    CHECK(unowned.run() == task_cell::outcome::done);
    unowned.release();
    CHECK(events == "ts");
}
