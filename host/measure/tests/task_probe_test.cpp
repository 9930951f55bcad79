#include "measure/task_probe.hpp"

#include "measure/poll_log.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <tuple>
#include <vector>

using namespace chimera::host;

namespace {

/// An executor's waker that counts.
struct counting_waker : chm_waker {
    std::atomic<int> refs{1}, wakes{0};
    counting_waker() : chm_waker{&table} {}
    static counting_waker& self(chm_waker* w) { return *static_cast<counting_waker*>(w); }
    static chm_waker* clone(chm_waker* w) noexcept {
        ++self(w).refs;
        return w;
    }
    static void wake(chm_waker* w) noexcept {
        ++self(w).wakes;
        --self(w).refs;
    }
    static void wake_by_ref(chm_waker* w) noexcept { ++self(w).wakes; }
    static void drop(chm_waker* w) noexcept { --self(w).refs; }
    static constexpr chm_waker_vt table{clone, wake, wake_by_ref, drop};
};

/// A task that keeps the waker of its last poll.
struct keeping_task : chm_task {
    chm_waker* kept = nullptr;
    bool* dropped;
    int busy_ms = 0;
    std::function<void(bool)> on_busy = [](bool) {};
    explicit keeping_task(bool* d) : chm_task{&table}, dropped(d) {}
    static chm_rc poll(chm_task* t, chm_waker* w) noexcept {
        auto& self = *static_cast<keeping_task*>(t);
        if (self.kept) self.kept->vt->drop(self.kept);
        self.kept = w->vt->clone(w);
        if (self.busy_ms) {
            self.on_busy(true);
            std::this_thread::sleep_for(std::chrono::milliseconds(self.busy_ms));
            self.on_busy(false);
        }
        return CHM_PENDING;
    }
    static void drop(chm_task* t) noexcept {
        *static_cast<keeping_task*>(t)->dropped = true;
        delete static_cast<keeping_task*>(t);
    }
    static constexpr chm_task_vt table{poll, drop};
};

} // namespace

TEST_CASE("a probe passes every wake on, and its waker outlives the task") {
    counting_waker executor;
    std::atomic<std::uint64_t> tokens{0};
    recorder log("a", 10, 1, tokens);
    bool dropped = false;
    auto* inner = new keeping_task(&dropped);
    chm_task* probe = make_task_probe(inner, log);
    CHECK(probe->vt->poll(probe, &executor) == CHM_PENDING);
    chm_waker* kept = inner->kept;
    inner->kept = nullptr;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([kept] {
            for (int k = 0; k < 1000; ++k) kept->vt->wake_by_ref(kept);
        });
    for (auto& t : threads) t.join();
    CHECK(executor.wakes == 4000);
    probe->vt->drop(probe);
    CHECK(dropped);
    kept->vt->wake(kept);
    CHECK(executor.wakes == 4001);
    CHECK(executor.refs == 1);
}

TEST_CASE("the time from the first wake to the poll is recorded, and a long poll by the stage that filled it") {
    counting_waker executor;
    std::atomic<std::uint64_t> tokens{0};
    recorder log("a", 5, 1, tokens);
    bool dropped = false;
    auto* inner = new keeping_task(&dropped);
    chm_task* probe = make_task_probe(inner, log);
    probe->vt->poll(probe, &executor);
    CHECK(log.record().late_polls.empty());
    inner->kept->vt->wake_by_ref(inner->kept);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    inner->kept->vt->wake_by_ref(inner->kept); // only the first wake counts
    inner->busy_ms = 20;
    inner->on_busy = [&log](bool begin) { log.stage(begin ? agent_stage::body : agent_stage::between_calls); };
    probe->vt->poll(probe, &executor);
    REQUIRE(log.record().late_polls.size() == 1);
    CHECK(log.record().late_polls[0].polled - log.record().late_polls[0].runnable >= 20'000'000);
    REQUIRE(log.record().long_polls.size() == 1);
    CHECK(log.record().long_polls[0].stage == agent_stage::body);
    CHECK(log.record().polls == 2);
    inner->kept->vt->drop(inner->kept);
    probe->vt->drop(probe);
    CHECK(executor.refs == 1);
}

TEST_CASE("an executor may change its waker from poll to poll") {
    counting_waker first, second;
    std::atomic<std::uint64_t> tokens{0};
    recorder log("a", 10, 1, tokens);
    bool dropped = false;
    auto* inner = new keeping_task(&dropped);
    chm_task* probe = make_task_probe(inner, log);
    probe->vt->poll(probe, &first);
    probe->vt->poll(probe, &second);
    inner->kept->vt->wake_by_ref(inner->kept);
    CHECK(first.wakes == 0);
    CHECK(second.wakes == 1);
    inner->kept->vt->drop(inner->kept);
    probe->vt->drop(probe);
    CHECK(first.refs == 1);
    CHECK(second.refs == 1);
}

TEST_CASE("a log has every poll, with who polled and who woke") {
    counting_waker executor;
    std::atomic<std::uint64_t> tokens{0};
    recorder to("a", 10, 1, tokens);
    const auto log = to.record().log = std::make_shared<poll_log>();
    bool dropped = false;
    auto* inner = new keeping_task(&dropped);
    chm_task* probe = make_task_probe(inner, to);
    probe->vt->poll(probe, &executor);
    std::atomic<thread_id> waking{0};
    std::atomic<bool> polled{false};
    std::thread waker([&] {
        inner->kept->vt->wake_by_ref(inner->kept);
        waking = this_thread_id();
        while (!polled) std::this_thread::yield(); // its name can be asked for only while it runs
    });
    while (waking == 0) std::this_thread::yield();
    to.stage(agent_stage::body);
    probe->vt->poll(probe, &executor);
    polled = true;
    waker.join();
    probe->vt->poll(probe, &executor);

    REQUIRE(log->polls.size() == 3);
    const auto& [first, second, third] = std::tie(log->polls[0], log->polls[1], log->polls[2]);
    CHECK(first.runnable == 0);
    CHECK(first.woken_by == 0);
    CHECK(first.worker == this_thread_id());
    CHECK(first.stage == agent_stage::waiting_for_permit);
    CHECK(second.runnable > first.end);
    CHECK(second.begin >= second.runnable);
    CHECK(second.end >= second.begin);
    CHECK(second.woken_by == waking);
    CHECK(second.stage == agent_stage::body);
    CHECK(third.runnable == 0); // nobody woke it again
    CHECK(third.woken_by == 0);
    REQUIRE(log->threads.size() == 2);
    for (const auto& t : log->threads) CHECK_FALSE(t.name.empty());
    inner->kept->vt->drop(inner->kept);
    probe->vt->drop(probe);
    CHECK(executor.refs == 1);
}
