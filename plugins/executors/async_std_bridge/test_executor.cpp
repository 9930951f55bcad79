// What must stay true of async_std_bridge as an executor: wakes, stop, lifetimes.
#include "../testing/lifecycle.hpp"
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

TEST_CASE("where polls hold their worker there are no services, which could not be polled meanwhile") {
    const census before;
    for (const char* mode : {"block", "wake", "channel"})
        CHECK((sdk::service_of(executor_under_test({{"await", mode}}).get()) == nullptr) ==
              (std::string(mode) == "block"));
}

TEST_CASE("lifecycle") { test_lifecycle(); }

TEST_CASE("lifecycle where polls do not hold their worker") { test_lifecycle({{"await", "wake"}}); }

} // namespace
