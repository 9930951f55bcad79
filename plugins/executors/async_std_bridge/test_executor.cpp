// What must stay true of async_std_bridge as an executor: wakes, stop, lifetimes.
#include <memory>

#include "../testing/executor_under_test.hpp"
#include "../testing/services.hpp"
#include "chimera/sdk/waker.hpp"

using namespace chimera;
using namespace chimera::test;

namespace {

TEST_CASE("it has no reactor, and offers a bridge") {
    const census before;
    executor_under_test ex;
    CHECK(ex.reactor() == nullptr);
    CHECK(ex.extension(CHM_EXT_BRIDGE) != nullptr);
    CHECK(ex.extension("nobody.knows/1") == nullptr);
}

TEST_CASE("no wake from another thread is lost, also during the poll") {
    const census before;
    executor_under_test ex{{"workers", "2"}};
    constexpr int rounds = 5000;
    std::atomic<int> sent{0}, seen{0}, drops{0}, overlapping{0};
    sdk::waker_slot slot;
    ex.spawn(closure_task::counted(drops, [&](chm_waker* w) -> chm_rc {
        CHECK(overlapping.fetch_add(1) == 0);
        slot.set(w);
        seen = sent.load();
        --overlapping;
        return seen == rounds ? CHM_READY : CHM_PENDING;
    }));
    std::thread outsider([&] {
        for (int i = 1; i <= rounds; ++i) {
            sent = i;
            slot.wake();
            while (seen.load() < i) std::this_thread::yield();
        }
    });
    CHECK(ex.run() == CHM_OK);
    outsider.join();
    CHECK(seen == rounds);
    CHECK(drops == 1);
}

TEST_CASE("tasks may spawn tasks, and run ends with the last one") {
    const census before;
    executor_under_test ex{{"workers", "2"}};
    std::atomic<int> drops{0};
    for (int i = 0; i < 100; ++i)
        ex.spawn(closure_task::counted(drops, [&](chm_waker*) -> chm_rc {
            for (int j = 0; j < 10; ++j)
                CHECK(ex.spawn(closure_task::counted(drops, [](chm_waker*) -> chm_rc { return CHM_READY; })) == CHM_OK);
            return CHM_READY;
        }));
    CHECK(ex.run() == CHM_OK);
    CHECK(drops == 1100);
}

TEST_CASE("stop drops every task on a worker, inside run, and spawn is refused afterwards") {
    const census before;
    executor_under_test ex{{"workers", "2"}};
    struct on_drop {
        std::atomic<int>& n;
        explicit on_drop(std::atomic<int>& count) : n(count) {}
        ~on_drop() {
            CHECK(thread_name().starts_with("async_std-"));
            ++n;
        }
    };
    std::atomic<int> drops{0}, destroyed{0};
    for (int i = 0; i < 4; ++i)
        ex.spawn(closure_task::counted(
            drops, [held = std::make_shared<on_drop>(destroyed)](chm_waker*) -> chm_rc { return CHM_PENDING; }));
    std::thread stopper([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        ex.stop();
    });
    CHECK(ex.run(CHM_RUN_UNTIL_STOP) == CHM_E_CANCELED);
    CHECK(drops == 4);
    CHECK(destroyed == 4);
    stopper.join();
    auto* late = closure_task::counted(drops);
    CHECK(ex.offer(late) == CHM_E_CANCELED);
    CHECK(drops == 4);
    delete late;
}

TEST_CASE("a task that is spawned while the executor stops is dropped once or refused") {
    const census before;
    for (int round = 0; round < 30; ++round) {
        executor_under_test ex{{"workers", "2"}};
        std::atomic<int> drops{0};
        int refused = 0;
        constexpr int n = 400;
        std::thread spawner([&] {
            for (int i = 0; i < n; ++i) {
                auto* task = closure_task::counted(drops);
                if (ex.offer(task) == CHM_OK) continue;
                ++refused;
                delete task;
            }
        });
        std::thread stopper([&] {
            for (int i = 0; i < round * 5; ++i) std::this_thread::yield();
            ex.stop();
        });
        CHECK(ex.run(CHM_RUN_UNTIL_STOP) == CHM_E_CANCELED);
        spawner.join();
        stopper.join();
        ex.destroy();
        CHECK(drops + refused == n);
    }
}

TEST_CASE("wakes that race the end of run, or come after destroy, neither crash nor leak") {
    const census before;
    for (int round = 0; round < 50; ++round) {
        executor_under_test ex;
        sdk::waker_slot slot;
        std::atomic<bool> over{false};
        std::atomic<int> drops{0};
        ex.spawn(closure_task::counted(drops, [&](chm_waker* w) -> chm_rc {
            slot.set(w);
            return CHM_PENDING;
        }));
        std::thread waker([&] {
            sdk::waker mine;
            while (!over) {
                if (!mine) mine = slot.take();
                mine.wake_by_ref();
            }
            mine.wake();
        });
        std::thread stopper([&] { ex.stop(); });
        CHECK(ex.run(CHM_RUN_UNTIL_STOP) == CHM_E_CANCELED);
        ex.destroy(); // although stop may not have returned yet
        stopper.join();
        over = true;
        waker.join();
        CHECK(drops == 1);
    }
}

TEST_CASE("destroy without run drops what was never polled") {
    const census before;
    std::atomic<int> drops{0};
    {
        executor_under_test ex{{"workers", "2"}};
        for (int i = 0; i < 5; ++i) ex.spawn(closure_task::counted(drops));
        CHECK(drops == 0);
    }
    CHECK(drops == 5);
}

TEST_CASE("a run with nothing but services ends, and drops each on a worker") {
    services_alone_are_dropped_at_home({{"workers", "3"}, {"await", "wake"}}, 3);
}

TEST_CASE("what services spawn while a run goes idle is polled in that run or refused") {
    services_spawn_against_idle({{"workers", "3"}, {"await", "wake"}});
}

TEST_CASE("where polls hold their worker there are no services, which could not be polled meanwhile") {
    const census before;
    for (const char* mode : {"block", "wake", "channel"})
        CHECK((sdk::service_of(executor_under_test({{"await", mode}}).get()) == nullptr) ==
              (std::string(mode) == "block"));
}

} // namespace
