#include "publish/publish.hpp"
#include "sample_report.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace chimera::host;
using namespace chimera::test;

TEST_CASE("a report of one runtime is one object with the keys of vLLM's benchmark") {
    const auto j = to_vllm(sample_report({"a"}));
    REQUIRE(j.is_object());
    for (const char* key : {"date",
                            "endpoint_type",
                            "backend",
                            "label",
                            "model_id",
                            "tokenizer_id",
                            "num_prompts",
                            "request_rate",
                            "burstiness",
                            "max_concurrency",
                            "duration",
                            "completed",
                            "failed",
                            "total_input_tokens",
                            "total_output_tokens",
                            "request_throughput",
                            "request_goodput",
                            "output_throughput",
                            "total_token_throughput",
                            "mean_ttft_ms",
                            "median_ttft_ms",
                            "std_ttft_ms",
                            "p99_ttft_ms",
                            "mean_tpot_ms",
                            "median_tpot_ms",
                            "std_tpot_ms",
                            "p99_tpot_ms",
                            "mean_itl_ms",
                            "median_itl_ms",
                            "std_itl_ms",
                            "p99_itl_ms",
                            "mean_e2el_ms",
                            "median_e2el_ms",
                            "std_e2el_ms",
                            "p99_e2el_ms"})
        CHECK_MESSAGE(j.contains(key), key);
    // Four runs of 100 ms, two agents each with one request of 4 tokens for 7: first token after 10 ms, done after 21.
    CHECK(j["duration"].get<double>() == doctest::Approx(0.4));
    CHECK(j["completed"] == 8);
    CHECK(j["max_concurrency"] == 2);
    CHECK(j["total_output_tokens"] == 32);
    CHECK(j["total_input_tokens"] == 56);
    CHECK(j["request_throughput"].get<double>() == doctest::Approx(20));
    CHECK(j["output_throughput"].get<double>() == doctest::Approx(80));
    CHECK(j["mean_ttft_ms"].get<double>() == doctest::Approx(10));
    CHECK(j["mean_e2el_ms"].get<double>() == doctest::Approx(21));
    CHECK(j["median_tpot_ms"].get<double>() == doctest::Approx(11 / 3.0)); // vLLM's: (latency - TTFT) / (tokens - 1)
    CHECK(j["mean_itl_ms"].get<double>() == doctest::Approx(10 / 3.0));
    CHECK(j["std_itl_ms"].get<double>() ==
          doctest::Approx(std::sqrt((16 + 36) / 3.0 - 100 / 9.0))); // of the population
}

TEST_CASE("the date is vLLM's form of the moment at which the first campaign began") {
    study_report r = sample_report({"a"});
    r.origin.reset();
    CHECK(to_vllm(r)["date"].is_null());
    r.origin.emplace().first_begun = "2025-11-14T09:30:00Z";
    CHECK(to_vllm(r)["date"] == "20251114-093000");
}

TEST_CASE("several runtimes are an array, and what was not measured is null") {
    auto report = sample_report({"a", "b"});
    report.runs[0].agents[0].requests[0].prompt_tokens.reset();
    report.distributions.clear();
    const auto j = to_vllm(report);
    REQUIRE(j.size() == 2);
    CHECK(j[1]["label"] == "b");
    CHECK(j[0]["total_input_tokens"].is_null());
    CHECK(j[0]["total_token_throughput"].is_null());
    CHECK(j[1]["total_input_tokens"] == 56);
    CHECK(j[0]["mean_itl_ms"].is_null());
}
