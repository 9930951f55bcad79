// What an executor hangs on a cell goes with the cell: once, after the task, before the scheduler.
#include <doctest/doctest.h>

#include <string>
#include <thread>

#include "chimera/sdk/task_cell.hpp"
#include "chimera/sdk/waker.hpp"

using namespace chimera::sdk;

namespace {

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
