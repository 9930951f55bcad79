#include "known_runs.hpp"
#include "measure/serialization.hpp"

#include <doctest/doctest.h>

using namespace chimera::test;
using namespace chimera::host;

TEST_CASE("agents that receive at the same time are parallel") {
    const auto v = judge_serialization(execution(100, {agent("a", 0, 0, 100, 10), agent("b", 0, 0, 100, 10)}), "x");
    CHECK_FALSE(v.serialized());
    CHECK(v.overlap_pct == doctest::Approx(100));
    CHECK(v.cause == serialization_cause::none);
}

TEST_CASE("a short agent inside a long one is parallel") {
    const auto v = judge_serialization(execution(100, {agent("a", 0, 0, 20, 10), agent("b", 0, 0, 100, 10)}), "x");
    CHECK_FALSE(v.serialized());
    CHECK(v.overlap_pct == doctest::Approx(100));
}

TEST_CASE("a wait for a permit is the cause when that is what kept them apart") {
    const auto v = judge_serialization(execution(200, {agent("a", 0, 0, 100, 10), agent("b", 0, 100, 200, 110)}), "x");
    CHECK(v.serialized());
    CHECK(v.cause == serialization_cause::permit);
    CHECK(v.evidence.find("'b' waited 100.0 ms") != std::string::npos);
}

TEST_CASE("a poll that held the only worker is named with its agent, its stage and its victim") {
    execution_record x = execution(200, {agent("a", 0, 0, 100, 10), agent("b", 0, 0, 200, 110)});
    x.agents[0].long_polls.push_back({at(1), at(100), agent_stage::body});
    x.agents[1].late_polls.push_back({at(2), at(100)});
    x.agents[1].requests[0].sent = at(101);
    const auto v = judge_serialization(x, "bridge");
    CHECK(v.serialized());
    CHECK(v.cause == serialization_cause::blocked_executor);
    CHECK(v.evidence.find("'a' (reading the body)") != std::string::npos);
    CHECK(v.evidence.find("'bridge' for 99.0 ms") != std::string::npos);
    CHECK(v.evidence.find("'b' was runnable for 98.0 ms") != std::string::npos);
}

TEST_CASE("a new task that nobody polls is a victim too") {
    execution_record x = execution(200, {agent("a", 0, 0, 100, 10), agent("b", 100, 100, 200, 110)});
    x.agents[0].long_polls.push_back({at(0), at(100), agent_stage::body});
    CHECK(judge_serialization(x, "bridge").cause == serialization_cause::blocked_executor);
}

TEST_CASE("a request that was sent and not answered while another was is the server's queue") {
    const auto v = judge_serialization(execution(200, {agent("a", 0, 0, 100, 10), agent("b", 0, 0, 200, 101)}), "x");
    CHECK(v.serialized());
    CHECK(v.cause == serialization_cause::server_queue);
}

TEST_CASE("serialized without evidence is unknown, not guessed") {
    const auto v =
        judge_serialization(execution(200, {agent("a", 0, 0, 100, 10), agent("b", 100, 100, 200, 110)}), "x");
    CHECK(v.serialized());
    CHECK(v.cause == serialization_cause::unknown);
}

TEST_CASE("many agents whose pairs overlap by halves") {
    std::vector<agent_record> agents;
    for (int i = 0; i < 4; ++i) agents.push_back(agent("a" + std::to_string(i), 0, i * 50, i * 50 + 100, i * 50));
    // 3 of 6 pairs overlap by half of their 100 ms: 150 / 600
    CHECK(judge_serialization(execution(250, std::move(agents)), "x").overlap_pct == doctest::Approx(25));
}
