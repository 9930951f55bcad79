// The thread pool from spawn to destroy: its lifecycle, names of threads, options.
#include <array>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <chimera/sdk/error.hpp>

#include "../testing/lifecycle.hpp"

namespace sdk = chimera::sdk;
using namespace chimera::test;

const std::vector<std::string> chimera::test::plugins_under_test{"thread_pool"};

TEST_CASE("workers carry names, and the caller of run gets its own back") {
    const census before;
    executor_under_test p{{"workers", "2"}, {"steal", "false"}};
    std::array<std::string, 2> names;
    for (std::uint32_t i = 0; i < 2; ++i)
        p.spawn(closure_task::make([&, i](chm_waker*) {
                    names[i] = thread_name();
                    return CHM_READY;
                }),
                CHM_HINT_WORKER, i);
    const std::string mine = thread_name();
    CHECK(p.run() == CHM_OK);
    CHECK(names[0] == "tp-worker-0");
    CHECK(names[1] == "tp-worker-1");
    CHECK(thread_name() == mine);
}

TEST_CASE("an option outside of its range is refused and named") {
    for (const auto& [key, value] : {setting{"workers", "65"}, {"event_interval", "0"}, {"steal", "yes"}}) {
        CHECK_THROWS_WITH_AS(executor_under_test({{key, value}}), doctest::Contains(key), sdk::error);
    }
}

TEST_CASE("lifecycle") { test_lifecycle(); }

TEST_CASE("lifecycle without stealing") { test_lifecycle({{"steal", "false"}}); }
