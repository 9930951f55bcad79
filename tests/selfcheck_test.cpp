// What the client can take, as a user asks for it.
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
    CHECK(j["unpaced_tokens_per_s"].get<double>() > 1000);
    REQUIRE(j["ramp"].size() == 3);
    CHECK(j["ramp"][2]["agents"] == 4);
    CHECK(j["ramp"][0]["delay_p99_us"].get<double>() >= j["ramp"][0]["delay_p50_us"].get<double>());
    CHECK(simulators_running() == 0);
}

TEST_CASE("a client that serializes does not hold its own load, and is said not to") {
    const auto j = selfcheck(profile_path("async_std").string(), {"--most-agents", "4"});
    CHECK(j["own_load"]["held"] == false);
    CHECK(j["own_load"]["wall_ratio"].get<double>() == doctest::Approx(2).epsilon(0.05));
    CHECK(j["verdict"].get<std::string>().find("not even") != std::string::npos);
    CHECK(j["ramp"].size() == 2); // one agent, then two
    CHECK(j["most_agents_held"] == 1);
}
