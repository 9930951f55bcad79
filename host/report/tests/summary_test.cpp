#include "measure/run_results.hpp"
#include "protocol/excerpt.hpp"
#include "report/summary.hpp"
#include "sample_campaign.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <string>
#include <vector>

using namespace chimera::host;
using namespace chimera::test;

TEST_CASE("the document has what its schema promises") {
    const profile p = sample_profile();
    const auto j = to_json(summarize(p, {sample_run()}).result);
    for (const char* key :
         {"schema_version", "profile", "executor", "transport", "seed", "runs", "errors", "metrics", "serialization"})
        CHECK_MESSAGE(j.contains(key), key);
    for (const char* name : {"efficiency_pct", "estimated_efficiency_pct", "speedup", "late_start_pct", "imbalance_pct",
                             "inflation_pct", "ttft_ms", "itl_ms", "e2e_ms", "tokens_per_second"}) {
        REQUIRE_MESSAGE(j["metrics"].contains(name), name);
        for (const char* field : {"unit", "n", "mean", "std", "min", "p50", "p90", "p99", "max", "definition"})
            CHECK_MESSAGE(j["metrics"][name].contains(field), name << "." << field);
    }
    CHECK(j["metrics"]["ttft_ms"]["mean"].get<double>() == doctest::Approx(10));
    CHECK(j["serialization"]["verdict"] == "parallel");
    CHECK(j["serialization"]["cause"] == "none");
}

TEST_CASE("without a baseline the page says that efficiency was not measured") {
    const profile p = sample_profile();
    run_record run = sample_run();
    run.baseline.clear();
    const std::string page = to_text(summarize(p, {run}));
    CHECK(page.find("efficiency       not measured: no agent was run alone") != std::string::npos);
    CHECK(page.find("inflation not measured") != std::string::npos);
}

TEST_CASE("failures are counted and shown once for each message") {
    const profile p = sample_profile();
    const campaign_summary s = summarize(p, {sample_run(false), sample_run(false)});
    CHECK(s.result.failed_requests == 2);
    CHECK(s.result.requests == 8);
    const std::string page = to_text(s);
    CHECK(page.find("2 of 8 requests failed") != std::string::npos);
    CHECK(page.find("b/call_0: http://127.0.0.1:1: reset (2 times)") != std::string::npos);
}

TEST_CASE("a model that was loaded for one side of the comparison is pointed out") {
    const profile p = sample_profile();
    run_record run = sample_run();
    CHECK(summarize(p, {run}).result.warnings.empty());
    run.baseline[0].agents[0].requests[0].server.load_ns = 50'000'000;
    const campaign_summary s = summarize(p, {run});
    REQUIRE(s.result.warnings.size() == 1);
    CHECK(s.result.warnings[0].find("50 ms loading models for the agents alone and 0 ms for all together") !=
          std::string::npos);
    run.concurrent.agents[0].requests[0].server.load_ns = 50'000'000;
    CHECK(summarize(p, {run}).result.warnings.empty());
}

TEST_CASE("what was not measured is null and no verdict is given") {
    const profile p = sample_profile();
    const campaign_summary s = summarize(p, {sample_run(false)});
    const auto j = to_json(s.result);
    CHECK(j["serialization"].is_null());
    CHECK(j["metrics"]["efficiency_pct"]["n"] == 0);
    CHECK(j["metrics"]["efficiency_pct"]["mean"].is_null());
    CHECK(to_text(s).find("not measured: it takes a run without a failed request") != std::string::npos);
    CHECK(to_text(s).find("verdict") == std::string::npos);
}

TEST_CASE("alerts are in the document and on the page, tripped or not") {
    profile p = sample_profile();
    CHECK(to_json(summarize(p, {sample_run()}).result)["alerts"].empty());
    CHECK(to_text(summarize(p, {sample_run()})).find("alert") == std::string::npos);
    p.alerts.ttft_p95_ms = 9; // it is 10
    p.alerts.e2e_p95_ms = 1000;
    p.alerts.itl_p99_ms = 1; // no pieces were recorded
    const campaign_summary s = summarize(p, {sample_run()});
    const auto alerts = to_json(s.result)["alerts"];
    REQUIRE(alerts.size() == 3);
    CHECK(alerts[0]["alert"] == "ttft_p95_ms");
    CHECK(alerts[0]["limit"] == 9);
    CHECK(alerts[0]["value"].get<double>() == doctest::Approx(10));
    CHECK(alerts[0]["samples"] == 2);
    CHECK(alerts[0]["tripped"] == true);
    CHECK(alerts[1]["value"].is_null());
    CHECK(alerts[1]["tripped"] == false);
    CHECK(alerts[2]["tripped"] == false);
    const std::string page = to_text(s);
    CHECK(page.find("1 of 3 tripped") != std::string::npos);
    CHECK(page.find("ttft_p95_ms: 10 ms (n 2); the limit is 9") != std::string::npos);
    CHECK(page.find("itl_p99_ms: not measured") != std::string::npos);
    CHECK(page.find("e2e_p95_ms") == std::string::npos);
}

TEST_CASE("each kind of remark is one warning with its count, and in the run's document") {
    const profile p = sample_profile();
    run_record run = sample_run();
    run.concurrent.agents[0].requests[0].remarks = {{"the server is odd", "7 times"}, {"it is slow", {}}};
    run.concurrent.agents[1].requests[0].remarks = {{"the server is odd", "9 times"}};
    const campaign_summary s = summarize(p, {run});
    CHECK(s.result.warnings ==
          std::vector<std::string>{"2 of 4 replies: the server is odd (7 times)", "1 of 4 replies: it is slow"});
    const auto remarks = to_json(result_of(p, run, campaign_metrics({&run, 1})))["remarks"];
    REQUIRE(remarks.size() == 2);
    CHECK(remarks[0].dump() == R"({"what":"the server is odd","detail":"7 times","replies":2,"of":4})");
}

TEST_CASE("a proxy of the environment that is not used is said, for servers elsewhere") {
    profile p = sample_profile();
    p.transport.options = {{"proxy", "", CHM_OPT_STRING}};
    ::setenv("HTTP_PROXY", "http://me:secret@proxy:3128", 1);
    CHECK(summarize(p, {sample_run()}).result.warnings.empty());
    p.workload.agents[0].url = "http://gpu-box:8000";
    const std::vector<std::string> warnings = summarize(p, {sample_run()}).result.warnings;
    ::unsetenv("HTTP_PROXY");
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0].starts_with("HTTP_PROXY is set and not used"));
    CHECK(warnings[0].find("secret") == std::string::npos);
    p.transport.options[0].value = "env";
    CHECK(summarize(p, {sample_run()}).result.warnings.empty());
}

TEST_CASE("the page says in three lines where the figures come from") {
    const profile p = sample_profile();
    run_record run = sample_run();
    CHECK(!summarize(p, {run}).result.origin);
    CHECK(to_text(summarize(p, {run})).find("programs") == std::string::npos);
    run.origin = sample_origin();
    const campaign_summary s = summarize(p, {run});
    CHECK(s.result.origin == *run.origin);
    const std::string page = to_text(s);
    for (const char* line : {"  machine          AMD EPYC 7B13, 16 CPUs\n",
                             "  programs         chimera 0.1.0 (1f3c9a0b7d2e, GCC 12.2.0, Release), fiber 0.1.0 "
                             "(aaaaaaaaaaaa)\n",
                             "  servers          Ollama 0.5.1, m (bbbbbbbbbbbb)\n"})
        CHECK_MESSAGE(page.find(line) != std::string::npos, page);
}

TEST_CASE("a server's version does nothing on the page") {
    const profile p = sample_profile();
    run_record run = sample_run();
    run.origin = sample_origin("1\x1b[2J\n  efficiency       100 %\u202e");
    const std::string page = to_text(summarize(p, {run}));
    CHECK(page == printable(page));
    CHECK(page.find("Ollama 1\\x1b[2J\\n  efficiency") != std::string::npos);
}
