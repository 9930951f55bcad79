// What must stay true of uv_pinned as an executor: pinning, wakes, stop, lifetimes.
#include <sched.h>

#include <array>
#include <set>
#include <vector>

#include "../testing/lifecycle.hpp"
#include "../testing/socket_pair.hpp"
#include "chimera/sdk/waker.hpp"

using namespace chimera;
using namespace chimera::test;

const std::vector<std::string> chimera::test::plugins_under_test{"uv_pinned"};

namespace {

/// Waits until someone else wakes it `n` times.
class wakes final : public sdk::awaitable {
  public:
    wakes(std::atomic<int>& count, int n, sdk::waker_slot& slot) noexcept : count_(count), n_(n), slot_(slot) {}
    bool poll(chm_waker* waker) override {
        if (count_.load() >= n_) return true;
        slot_.set(waker);
        return count_.load() >= n_;
    }
    void await_resume() const noexcept {}

  private:
    std::atomic<int>& count_;
    int n_;
    sdk::waker_slot& slot_;
};

sdk::task<void> note_threads(std::set<std::thread::id>& seen, std::atomic<int>& count, sdk::waker_slot& slot) {
    for (int i = 1; i <= 50; ++i) {
        seen.insert(std::this_thread::get_id());
        wakes next(count, i, slot);
        co_await next;
    }
}

TEST_CASE("a task stays on its worker when other threads wake it") {
    const census before;
    executor_under_test ex{{"workers", "3"}};
    std::array<std::set<std::thread::id>, 6> seen;
    std::array<std::atomic<int>, 6> count{};
    std::array<sdk::waker_slot, 6> slots;
    for (std::uint32_t i = 0; i < 6; ++i)
        REQUIRE(ex.spawn(note_threads(seen[i], count[i], slots[i]), CHM_HINT_WORKER, i) == CHM_OK);
    std::thread outsider([&] {
        for (int round = 0; round < 50; ++round)
            for (std::size_t i = 0; i < 6; ++i) {
                ++count[i];
                slots[i].wake();
            }
    });
    CHECK(ex.run() == CHM_OK);
    outsider.join();
    for (std::size_t i = 0; i < 6; ++i) CHECK(seen[i].size() == 1);
    for (std::size_t i = 0; i < 3; ++i) CHECK(seen[i] == seen[i + 3]); // worker number modulo 3
    CHECK(seen[0] != seen[1]);
}

sdk::task<void> count_to(std::atomic<int>& count, int n, sdk::waker_slot& slot, std::atomic<int>& reached) {
    for (int i = 1; i <= n; ++i) {
        wakes next(count, i, slot);
        co_await next;
        reached = i;
    }
}

TEST_CASE("no wake from another thread is lost between the inbox and a waiting loop") {
    const census before;
    executor_under_test ex;
    std::atomic<int> count{0}, reached{0};
    sdk::waker_slot slot;
    constexpr int rounds = 5000;
    ex.spawn(count_to(count, rounds, slot, reached));
    std::thread outsider([&] { // each wake waits for the poll: the loop goes to sleep again and again
        for (int i = 1; i <= rounds; ++i) {
            count = i;
            slot.wake();
            while (reached.load() < i) std::this_thread::yield();
        }
    });
    CHECK(ex.run() == CHM_OK);
    outsider.join();
    CHECK(reached == rounds);
}

TEST_CASE("stop drops every task on its own worker, inside run") {
    const census before;
    socket_pair pair;
    executor_under_test ex{{"workers", "2"}};
    static std::atomic<int> started; // a task that was never polled has no coroutine's frame to destroy
    started = 0;
    struct holder { // what a suspended coroutine owns is destroyed where the task is dropped
        std::atomic<int>& n;
        std::string expected;
        ~holder() {
            CHECK(thread_name() == expected);
            ++n;
        }
    };
    static const auto sleeper = [](chm_reactor* reactor, int fd, std::atomic<int>& n, int worker) -> sdk::task<void> {
        holder h{n, "uv_pinned-" + std::to_string(worker)};
        sdk::io io(reactor, fd);
        sdk::timer timer(reactor);
        ++started;
        co_await timer.after(3'600'000'000'000U);
    };
    std::atomic<int> destroyed{0};
    ex.spawn(sleeper(ex.reactor(), pair.a.get(), destroyed, 0), CHM_HINT_WORKER, 0);
    ex.spawn(sleeper(ex.reactor(), pair.b.get(), destroyed, 1), CHM_HINT_WORKER, 1);
    std::thread stopper([&] {
        CHECK(block_until([&] { return started == 2; }));
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        ex.stop();
        ex.stop();
    });
    CHECK(ex.run(CHM_RUN_UNTIL_STOP) == CHM_E_CANCELED);
    CHECK(destroyed == 2);
    stopper.join();
    std::atomic<int> drops{0};
    auto* late = closure_task::counted(drops);
    CHECK(ex.offer(late) == CHM_E_CANCELED);
    CHECK(drops == 0);
    late->vt->drop(late);
}

TEST_CASE("pin_cpus binds each worker to one CPU and the caller to none") {
    const census before;
    cpu_set_t cpus_before, cpus_after;
    REQUIRE(sched_getaffinity(0, sizeof cpus_before, &cpus_before) == 0);
    executor_under_test ex{{"workers", "2"}, {"pin_cpus", "true"}};
    std::array<int, 2> cpus{};
    std::atomic<int> drops{0};
    for (std::uint32_t i = 0; i < 2; ++i)
        ex.spawn(closure_task::counted(drops,
                                       [&cpus, i](chm_waker*) -> chm_rc {
                                           cpu_set_t mine;
                                           sched_getaffinity(0, sizeof mine, &mine);
                                           cpus[i] = CPU_COUNT(&mine);
                                           return CHM_READY;
                                       }),
                 CHM_HINT_WORKER, i);
    CHECK(ex.run() == CHM_OK);
    CHECK(cpus[0] == 1);
    CHECK(cpus[1] == 1);
    REQUIRE(sched_getaffinity(0, sizeof cpus_after, &cpus_after) == 0);
    CHECK(CPU_EQUAL(&cpus_before, &cpus_after));
}

TEST_CASE("lifecycle") { test_lifecycle(); }

} // namespace
