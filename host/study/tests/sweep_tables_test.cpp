// What only a sweep over parameters can say: scaling, sensitivity, improvement.
#include "sample_sweep.hpp"
#include "study/analysis.hpp"

#include <doctest/doctest.h>

using namespace chimera::host;
using namespace chimera::test;

namespace {

using json = nlohmann::ordered_json;

json with_throughput(double tokens_per_s) {
    json metrics = sample_metrics(sample_values({}));
    metrics["values"]["throughput_tok_s"] = tokens_per_s;
    return metrics;
}

/// A run of a single agent with this token rate.
json single_agent(double rate) {
    json metrics = sample_metrics({{"efficiency_pct", 99.0}, {"tokens_per_second_mean", rate}, {"ttft_ms_p50", 600.0}});
    metrics["concurrent"]["agents"].erase(1);
    return metrics;
}

} // namespace

TEST_CASE("throughput over the number of agents is fitted, one series for each set of other parameters") {
    const temporary_folder f;
    std::vector<std::pair<std::string, json>> configs;
    for (const int think : {0, 100})
        for (const int n : {1, 2, 4, 8})
            configs.emplace_back("n" + std::to_string(n) + "_think" + std::to_string(think),
                                 json{{"agents", n}, {"think_ms", think}});
    sample_sweep sweep(f, "sweep", {"pool"}, configs);
    for (const auto& [name, parameters] : configs)
        for (int run = 1; run <= 2; ++run) {
            const double n = parameters["agents"], serial = parameters["think_ms"] == 0 ? 0.5 : 0.1;
            sweep.add("pool", name, run, with_throughput(100 * n / (1 + serial * (n - 1)) + run - 1.5));
        }
    const study s = load_study(sweep.write());
    CHECK(scales(s));
    const json table = to_json(scaling_of(s));
    REQUIRE(table.size() == 2);
    CHECK(table[0]["series"] == "think_ms=0");
    CHECK(table[0]["amdahl"]["serial_fraction"].get<double>() == doctest::Approx(0.5).epsilon(0.02));
    CHECK(table[1]["amdahl"]["serial_fraction"].get<double>() == doctest::Approx(0.1).epsilon(0.02));
    REQUIRE(table[0]["points"].size() == 4);
    CHECK(table[0]["points"][3]["n"] == 8);
    CHECK(table[0]["points"][3]["runs"] == 2);
    CHECK(table[0]["points"][3]["throughput_mean"].get<double>() == doctest::Approx(800 / 4.5));
    CHECK(table[0]["points"][3]["throughput_ci95"].size() == 2);
    CHECK(table[0]["usl"]["contention"].get<double>() == doctest::Approx(0.5).epsilon(0.05));
    for (const parameter_report& p : parameters_of(s, runtimes_of(s))) CHECK(p.parameter != "agents");
    const auto said = report_of(s, "test").findings;
    CHECK(std::ranges::find_if(said, [](const std::string& said_of) {
              return said_of.starts_with(
                  "pool, think_ms=0: throughput over the number of agents has a serial fraction of 0.50");
          }) != said.end());
}

TEST_CASE("two numbers of agents are no scaling study") {
    const temporary_folder f;
    sample_sweep sweep(f, "sweep", {"pool"}, {{"one", {{"agents", 1}}}, {"two", {{"agents", 2}}}});
    for (const char* config : {"one", "two"}) sweep.add("pool", config, 1, with_throughput(100));
    CHECK(scaling_of(load_study(sweep.write())).empty());
}

TEST_CASE("a parameter that explains everything has eta squared 1, one that explains nothing 0") {
    const temporary_folder f;
    std::vector<std::pair<std::string, json>> configs;
    for (const int gpu : {120, 60})
        for (const int ctx : {256, 512})
            configs.emplace_back("gpu" + std::to_string(gpu) + "_ctx" + std::to_string(ctx),
                                 json{{"num_gpu", gpu}, {"num_ctx", ctx}});
    sample_sweep sweep(f, "sweep", {"pool", "bridge"}, configs);
    for (const auto& [name, parameters] : configs) {
        const double collector = parameters["num_gpu"] == 60 ? 60 : 80;
        sweep.add("pool", name, 1, sample_pair{.collector_ms = collector});
        sweep.add("bridge", name, 1, sample_pair{.collector_ms = collector, .serialized = true});
    }
    const study s = load_study(sweep.write());
    const json table = to_json(parameters_of(s, runtimes_of(s)));
    REQUIRE(table.size() == 4); // two parameters, efficiency and TTFT; the token rate was not measured
    CHECK(table[0]["parameter"] == "num_gpu");
    CHECK(table[0]["metric"] == "efficiency_pct");
    CHECK(table[0]["eta_squared"].get<double>() == doctest::Approx(1));
    REQUIRE(table[0]["levels"].size() == 2);
    CHECK(table[0]["levels"][0]["value"] == 60); // ascending, and without the runs of the serialized runtime
    CHECK(table[0]["levels"][0]["n"] == 2);
    CHECK(table[0]["levels"][0]["mean"].get<double>() == doctest::Approx(80));
    CHECK(table[0]["range_pct"].get<double>() == doctest::Approx(10 / 85.0 * 100));
    CHECK(table[2]["parameter"] == "num_ctx");
    CHECK(table[2]["eta_squared"].get<double>() == doctest::Approx(0));
}

TEST_CASE("configurations are held against the default") {
    const temporary_folder f;
    sample_sweep sweep(
        f, "sweep", {"single"},
        {{"default", json::object()}, {"a", {{"num_gpu", 60}}}, {"b", {{"num_gpu", 80}}}, {"c", {{"num_gpu", 120}}}});
    for (const auto& [config, rate] :
         std::vector<std::pair<std::string, double>>{{"default", 100}, {"a", 90}, {"b", 110}, {"c", 130}})
        for (int run = 1; run <= 2; ++run) sweep.add("single", config, run, single_agent(rate + run - 1.5));
    const auto improvements = improvements_of(load_study(sweep.write()));
    REQUIRE(improvements.size() == 2); // by the token rate, and by TTFT
    const json table = to_json(improvements[0]);
    CHECK(table["baseline"] == "default");
    CHECK(table["metric"] == "tokens_per_second_mean"); // a single agent has no parallel efficiency
    CHECK(table["success_rate_pct"].get<double>() == doctest::Approx(200 / 3.0));
    CHECK(table["peak_pct"].get<double>() == doctest::Approx(30));
    CHECK(table["mean_pct"].get<double>() == doctest::Approx(10));
    CHECK(table["by_config"][0]["improvement_pct"].is_null());
    const study s = load_study(f / "sweep");
    const auto said = report_of(s, "test").findings;
    CHECK(std::ranges::find(
              said,
              "token rate of a request: the mean of 66.7 % of the configurations is better than that of default. Over "
              "all of them the change is 10.00 %, of the best one 30.00 %; by chance alone about half would be "
              "better.") != said.end());
    CHECK(table["by_config"][0]["cv_pct"].get<double>() == doctest::Approx(std::sqrt(0.5)));
    const json& groups = table["groups"]; // of the levels of num_gpu, in the order of the configurations
    REQUIRE(groups.size() == 3);
    CHECK(groups[0] == json{{"kind", "num_gpu"}, {"name", "60"}, {"configs", 1}, {"better", 0}});
    CHECK(groups[2] == json{{"kind", "num_gpu"}, {"name", "120"}, {"configs", 1}, {"better", 1}});
}

TEST_CASE("a lower TTFT is the better one") {
    const temporary_folder f;
    sample_sweep sweep(f, "sweep", {"a", "b"}, {{"default", json::object()}, {"fast", {{"num_ctx", 512}}}});
    for (const char* runtime : {"a", "b"})
        for (int run = 1; run <= 2; ++run) {
            sweep.add(runtime, "default", run, sample_pair{});
            sweep.add(runtime, "fast", run, sample_pair{.slower = *runtime == 'a' ? 0.5 : 1.2});
        }
    const auto improvements = improvements_of(load_study(sweep.write()));
    REQUIRE(improvements.size() == 2);
    const json ttft = to_json(improvements[1]);
    CHECK(ttft["metric"] == "ttft_ms_p50");
    CHECK(ttft["success_rate_pct"] == 100.0);
    CHECK(ttft["peak_pct"].get<double>() == doctest::Approx(-15)); // 10 against (5 + 12) / 2
    CHECK(ttft["groups"][0] == json{{"kind", "runtime"}, {"name", "a"}, {"configs", 1}, {"better", 1}});
    CHECK(ttft["groups"][1] == json{{"kind", "runtime"}, {"name", "b"}, {"configs", 1}, {"better", 0}});
}

TEST_CASE("without a default there is nothing to improve on") {
    const temporary_folder f;
    sample_sweep sweep(f, "sweep", {"a"}, {{"baseline_vs_chimera", json::object()}});
    sweep.add("a", "baseline_vs_chimera", 1, sample_pair{});
    CHECK(improvements_of(load_study(sweep.write())).empty());
}
