// `chimera-host selfcheck`: the load that the client holds.
#include "host_process.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace chimera::test;

namespace {

nlohmann::json selfcheck(const std::string& profile, std::vector<std::string> more) {
    std::vector<std::string> all{"selfcheck", "--profile", profile, "--json"};
    all.insert(all.end(), more.begin(), more.end());
    const outcome o = run_host(all);
    REQUIRE_MESSAGE(o.status == 0, o.err);
    return o.json();
}

} // namespace

TEST_CASE("a healthy client holds its own load and more, step by step") {
    const auto j = selfcheck(profile_path("smol1kb").string(), {"--most-agents", "4"});
    CHECK(j["own_load"]["agents"] == 2);
    CHECK(j["own_load"]["failure"].is_null());
    REQUIRE(j["ramp"].size() == 3);
    CHECK(j["ramp"][2]["agents"] == 4);
    CHECK(simulators_running() == 0);
}

TEST_CASE("the delay that an executor adds is found, breaks its load and slows its unpaced stream") {
    const auto healthy = selfcheck(profile_path("smol1kb").string(), {"--most-agents", "1"});
    // Alone a task is polled at once, beside others 50 ms late. A token comes every 100 ms, so each is late by
    // these 50.
    const auto late = selfcheck(profile_path("smol1kb").string(),
                                {"--most-agents", "2", "--set", "backend.simulator.decode_tokens_per_s=10", "--set",
                                 "executor={ plugin = \"" CHIMERA_TEST_PLUGIN_DIR
                                 "/delaying_executor.so\", options = { delay_ms = 50 } }"});
    CHECK(late["own_load"]["held"] == false);
    CHECK(late["own_load"]["delay_p50_us"].get<double>() == doctest::Approx(50'000).epsilon(0.1));
    CHECK(late["own_load"]["delay_p99_us"].get<double>() == doctest::Approx(50'000).epsilon(0.2));
    CHECK(late["ramp"][0]["delay_p99_us"].get<double>() < 10'000); // one agent
    REQUIRE(late["ramp"].size() == 2);
    CHECK(late["most_agents_held"] == 1);
    CHECK(healthy["ramp"][0]["delay_p99_us"].get<double>() < 10'000);
    CHECK(healthy["unpaced_tokens_per_s"].get<double>() > 4 * late["unpaced_tokens_per_s"].get<double>());
}

TEST_CASE("a client that serializes does not hold its own load, and is said not to") {
    const auto j = selfcheck(profile_path("async_std").string(), {"--most-agents", "4"});
    CHECK(j["own_load"]["held"] == false);
    CHECK(j["own_load"]["wall_ratio"].get<double>() == doctest::Approx(2).epsilon(0.05));
    CHECK(j["verdict"].get<std::string>().find("not even") != std::string::npos);
    CHECK(j["ramp"].size() == 2); // one agent, then two
    CHECK(j["most_agents_held"] == 1);
}
