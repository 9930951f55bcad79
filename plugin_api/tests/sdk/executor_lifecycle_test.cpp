// An executor's life: which tasks it takes, when its run is over, runs that fail, and wakes that come too late.
#include "chimera/sdk/executor_lifecycle.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "chimera/sdk/plugin.hpp"
#include "chimera/sdk/waker.hpp"

using namespace chimera::sdk;

namespace {

/// Threads and one queue.
class pool final : public executor_base<pool> {
  public:
    explicit pool(std::size_t workers, caller who = caller::works) : who_(who), life_(*this, workers, "pool") {}

    chm_rc spawn(chm_task* task, const chm_spawn_opts* opts = nullptr) noexcept { return life_.spawn(task, opts); }
    chm_rc spawn_service(chm_task* task) noexcept { return life_.spawn(task, nullptr, true); }
    chm_rc run(std::uint32_t mode = CHM_RUN_UNTIL_IDLE) { return life_.run(mode, who_); }
    void stop() noexcept { life_.stop(); }
    const void* extension(std::string_view) noexcept { return nullptr; }
    executor_lifecycle<pool>& life() noexcept { return life_; }

    std::uint32_t fails_to_begin = ~0U; // the number of a worker
    std::atomic<bool> gives_up{false};
    std::atomic<int> begun{0}, ended{0};

  private:
    friend executor_lifecycle<pool>;
    void queue(task_cell& cell) noexcept {
        const std::lock_guard lock(mutex_);
        cells_.push(cell);
        changed_.notify_one();
    }
    void interrupt() noexcept {
        const std::lock_guard lock(mutex_);
        changed_.notify_all();
    }
    void begin_worker(std::uint32_t worker) {
        if (worker == fails_to_begin) throw error(CHM_E_NOSYS, "no loop for worker " + std::to_string(worker));
        ++begun;
    }
    void work(std::uint32_t) noexcept {
        while (task_cell* cell = next())
            if (life_.poll(*cell) == task_cell::outcome::again) queue(*cell);
    }
    void end_worker(std::uint32_t) noexcept { ++ended; }
    task_cell* next() noexcept {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return cells_.front() != nullptr || life_.ended() || gives_up; });
        return life_.ended() || gives_up ? nullptr : cells_.pop();
    }

    const caller who_;
    std::mutex mutex_;
    std::condition_variable changed_;
    cell_list cells_;
    executor_lifecycle<pool> life_;
};

/// A task that counts, on the stack of its test.
struct counting final : chm_task {
    std::atomic<int> polls{0}, drops{0};
    std::function<chm_rc(chm_waker*)> body;
    std::thread::id dropped_on;
    explicit counting(std::function<chm_rc(chm_waker*)> b = [](chm_waker*) { return CHM_READY; })
        : chm_task{&vtable}, body(std::move(b)) {}

  private:
    static chm_rc poll(chm_task* t, chm_waker* w) noexcept {
        ++static_cast<counting*>(t)->polls;
        return static_cast<counting*>(t)->body(w);
    }
    static void drop(chm_task* t) noexcept {
        static_cast<counting*>(t)->dropped_on = std::this_thread::get_id();
        ++static_cast<counting*>(t)->drops;
    }
    static constexpr chm_task_vt vtable{poll, drop};
};

chm_rc sleeping(chm_waker*) { return CHM_PENDING; }

} // namespace

TEST_CASE("a run whose worker cannot begin has touched no task, and may be tried again") {
    for (const caller who : {caller::works, caller::waits})
        for (const std::uint32_t broken : {0U, 1U, 2U}) {
            std::vector<counting> tasks(20);
            pool p(3, who);
            for (counting& t : tasks) REQUIRE(p.spawn(&t) == CHM_OK);
            p.fails_to_begin = broken;
            try {
                p.run();
                FAIL("a worker without a loop has run");
            } catch (const error& e) {
                CHECK(e.code() == CHM_E_NOSYS);
                CHECK(e.what() == "no loop for worker " + std::to_string(broken));
            }
            CHECK(p.begun == p.ended);
            for (const counting& t : tasks) CHECK((t.polls == 0 && t.drops == 0));
            CHECK_FALSE(p.life().ended());
            p.fails_to_begin = ~0U;
            CHECK(p.run() == CHM_OK);
            CHECK(p.begun == p.ended);
            for (const counting& t : tasks) CHECK((t.polls == 1 && t.drops == 1));
        }
}

TEST_CASE("tasks of a run that failed stay until destroy, and are dropped then") {
    counting task;
    {
        pool p(2);
        REQUIRE(p.spawn(&task) == CHM_OK);
        p.fails_to_begin = 1;
        CHECK_THROWS_AS(p.run(), error);
        CHECK(task.drops == 0);
    }
    CHECK(task.polls == 0);
    CHECK(task.drops == 1);
}

TEST_CASE("a second run is refused") {
    pool p(1);
    CHECK(p.run() == CHM_OK);
    try {
        p.run();
        FAIL("it ran twice");
    } catch (const error& e) {
        CHECK(e.code() == CHM_E_STATE);
    }
}

TEST_CASE("a worker that returns early ends the run: no task is left behind") {
    std::vector<counting> tasks(10);
    for (counting& t : tasks) t.body = sleeping;
    pool p(2);
    for (counting& t : tasks) REQUIRE(p.spawn(&t) == CHM_OK);
    p.gives_up = true;
    CHECK(p.run(CHM_RUN_UNTIL_STOP) == CHM_E_CANCELED);
    for (const counting& t : tasks) CHECK((t.polls == 0 && t.drops == 1));
}

TEST_CASE("each worker drops its own tasks, after the last poll") {
    std::vector<counting> tasks(12);
    std::atomic<int> polling{0}, dropped_too_early{0};
    for (counting& t : tasks)
        t.body = [&](chm_waker*) {
            ++polling;
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
            for (const counting& other : tasks) dropped_too_early += other.drops;
            --polling;
            return CHM_PENDING;
        };
    pool p(3);
    for (std::uint32_t i = 0; i < tasks.size(); ++i) {
        const chm_spawn_opts opts{sizeof opts, CHM_HINT_WORKER, i, 0, {nullptr, 0}};
        REQUIRE(p.spawn(&tasks[i], &opts) == CHM_OK);
    }
    std::thread stopper([&] {
        while (tasks[5].polls == 0) std::this_thread::yield();
        p.stop();
    });
    CHECK(p.run(CHM_RUN_UNTIL_STOP) == CHM_E_CANCELED);
    stopper.join();
    CHECK(dropped_too_early == 0);
    std::set<std::thread::id> threads;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        CHECK(tasks[i].drops == 1);
        CHECK(tasks[i].dropped_on == tasks[i % 3].dropped_on);
        threads.insert(tasks[i].dropped_on);
    }
    CHECK(threads.size() == 3);
}

TEST_CASE("idle comes first or stop does: the answer is that of the first") {
    counting task;
    pool idle(1);
    REQUIRE(idle.spawn(&task) == CHM_OK);
    CHECK(idle.run() == CHM_OK);
    idle.stop();
    counting late;
    CHECK(idle.spawn(&late) == CHM_E_CANCELED);
    CHECK(late.drops == 0);

    counting waiting;
    pool stopped(1);
    REQUIRE(stopped.spawn(&waiting) == CHM_OK);
    stopped.stop();
    CHECK(stopped.run() == CHM_E_CANCELED);
    CHECK((waiting.polls == 0 && waiting.drops == 1));
}

TEST_CASE("idle does not wait for services, which are dropped") {
    counting service(sleeping), task;
    pool p(1);
    REQUIRE(p.spawn_service(&service) == CHM_OK);
    REQUIRE(p.spawn(&task) == CHM_OK);
    CHECK(p.run() == CHM_OK);
    CHECK((service.polls <= 1 && service.drops == 1));
    CHECK(task.polls == 1);
}

TEST_CASE("workers know their numbers, on their own threads only, also where one runs another executor") {
    pool outer(2), inner(1);
    std::vector<chm_rc> seen;
    counting nested([&](chm_waker*) {
        seen.push_back(inner.life().worker_here());
        seen.push_back(outer.life().worker_here()); // this thread works for the inner one now
        return CHM_READY;
    });
    counting task([&](chm_waker*) {
        seen.push_back(outer.life().worker_here());
        REQUIRE(inner.spawn(&nested) == CHM_OK);
        REQUIRE(inner.run() == CHM_OK);
        seen.push_back(outer.life().worker_here());
        return CHM_READY;
    });
    REQUIRE(outer.spawn(&task) == CHM_OK);
    CHECK(outer.life().worker_here() == CHM_E_AFFINITY);
    CHECK(outer.run() == CHM_OK);
    REQUIRE(seen.size() == 4);
    CHECK(seen[0] >= 0);
    CHECK(seen[1] == 0);
    CHECK(seen[2] == CHM_E_AFFINITY);
    CHECK(seen[3] == seen[0]);
    CHECK(outer.life().worker_here() == CHM_E_AFFINITY);
}

TEST_CASE("wakes and stops that race the end and destroy do nothing") {
    for (int round = 0; round < 200; ++round) {
        waker kept;
        std::atomic<bool> ready{false}, over{false};
        counting task([&](chm_waker* w) {
            if (!kept) kept = waker::clone(w);
            ready = true;
            return CHM_PENDING;
        });
        auto p = std::make_unique<pool>(2);
        REQUIRE(p->spawn(&task) == CHM_OK);
        std::thread waking([&] {
            while (!ready) std::this_thread::yield();
            while (!over) kept.wake_by_ref();
        });
        std::thread stopping([&, raw = p.get()] {
            while (!ready) std::this_thread::yield();
            raw->stop();
        });
        CHECK(p->run(CHM_RUN_UNTIL_STOP) == CHM_E_CANCELED);
        p.reset();
        over = true;
        waking.join();
        stopping.join();
        CHECK(task.drops == 1);
    }
}

TEST_CASE("spawns that race the end of a run are polled in it or refused") {
    int refused = 0;
    for (int round = 0; round < 300; ++round) {
        counting first, second;
        pool p(2);
        REQUIRE(p.spawn(&first) == CHM_OK);
        chm_rc rc = CHM_OK;
        std::thread foreign([&] { rc = p.spawn(&second); });
        CHECK(p.run() == CHM_OK);
        foreign.join();
        if (rc == CHM_OK) CHECK((second.polls == 1 && second.drops == 1));
        if (rc != CHM_OK) CHECK((rc == CHM_E_CANCELED && second.polls == 0 && second.drops == 0));
        refused += rc != CHM_OK;
    }
    MESSAGE(refused, " of 300 came too late");
}
