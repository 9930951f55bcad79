// What must stay true of async_std_bridge as an executor: wakes, stop, lifetimes.
#include <pthread.h>

#include "chimera/sdk/reactor.hpp"
#include "test_plugin.hpp"

using namespace chimera;
using namespace chimera::async_std_bridge_test;

namespace {

struct owned_executor {
    explicit owned_executor(const char* workers = "1") : raw(create(bridge_factory(), {{"workers", workers}})) {}
    owned_executor(const owned_executor&) = delete;
    ~owned_executor() { destroy(); }
    void destroy() {
        if (raw) raw->vt->destroy(std::exchange(raw, nullptr));
    }
    chm_rc spawn(chm_task* task) { return raw->vt->spawn(raw, task, nullptr); }
    chm_rc run(std::uint32_t mode = CHM_RUN_UNTIL_IDLE) { return raw->vt->run(raw, mode, nullptr); }
    void stop() { raw->vt->stop(raw); }
    chm_executor* raw;
};

std::string thread_name() {
    std::array<char, 16> name{};
    pthread_getname_np(pthread_self(), name.data(), name.size());
    return name.data();
}

TEST_CASE("it has no reactor, and offers a bridge") {
    leak_check leaks;
    owned_executor ex;
    CHECK(sdk::reactor_of(ex.raw) == nullptr);
    CHECK(ex.raw->vt->get_extension(ex.raw, CHM_EXT_BRIDGE) != nullptr);
    CHECK(ex.raw->vt->get_extension(ex.raw, "nobody.knows/1") == nullptr);
}

TEST_CASE("no wake from another thread is lost, also during the poll") {
    leak_check leaks;
    owned_executor ex("2");
    constexpr int rounds = 5000;
    std::atomic<int> sent{0}, seen{0}, drops{0}, overlapping{0};
    sdk::waker_slot slot;
    ex.spawn(new counting_task(drops, [&](chm_waker* w) -> chm_rc {
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
    leak_check leaks;
    owned_executor ex("2");
    std::atomic<int> drops{0};
    for (int i = 0; i < 100; ++i)
        ex.spawn(new counting_task(drops, [&](chm_waker*) -> chm_rc {
            for (int j = 0; j < 10; ++j)
                CHECK(ex.spawn(new counting_task(drops, [](chm_waker*) -> chm_rc { return CHM_READY; })) == CHM_OK);
            return CHM_READY;
        }));
    CHECK(ex.run() == CHM_OK);
    CHECK(drops == 1100);
}

TEST_CASE("stop drops every task on a worker, inside run, and spawn is refused afterwards") {
    leak_check leaks;
    owned_executor ex("2");
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
        ex.spawn(new counting_task(
            drops, [held = std::make_shared<on_drop>(destroyed)](chm_waker*) -> chm_rc { return CHM_PENDING; }));
    std::thread stopper([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        ex.stop();
    });
    CHECK(ex.run(CHM_RUN_UNTIL_STOP) == CHM_E_CANCELED);
    CHECK(drops == 4);
    CHECK(destroyed == 4);
    stopper.join();
    auto* late = new counting_task(drops);
    CHECK(ex.spawn(late) == CHM_E_CANCELED);
    CHECK(drops == 4);
    delete late;
}

TEST_CASE("a task that is spawned while the executor stops is dropped once or refused") {
    leak_check leaks;
    for (int round = 0; round < 30; ++round) {
        owned_executor ex("2");
        std::atomic<int> drops{0};
        int refused = 0;
        constexpr int n = 400;
        std::thread spawner([&] {
            for (int i = 0; i < n; ++i) {
                auto* task = new counting_task(drops);
                if (ex.spawn(task) == CHM_OK) continue;
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
    leak_check leaks;
    for (int round = 0; round < 50; ++round) {
        owned_executor ex;
        sdk::waker_slot slot;
        std::atomic<bool> over{false};
        std::atomic<int> drops{0};
        ex.spawn(new counting_task(drops, [&](chm_waker* w) -> chm_rc {
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
    leak_check leaks;
    std::atomic<int> drops{0};
    {
        owned_executor ex("2");
        for (int i = 0; i < 5; ++i) ex.spawn(new counting_task(drops));
        CHECK(drops == 0);
    }
    CHECK(drops == 5);
}

} // namespace
