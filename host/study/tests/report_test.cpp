// The report says what the figures say: published tables come out, and so does what is wrong with them.
#include "original_tree.hpp"
#include "sample_sweep.hpp"
#include "study/analysis.hpp"
#include "study/study.hpp"
#include "tr115/import.hpp"

#include <doctest/doctest.h>

using namespace chimera::host;
using namespace chimera::test;
namespace fs = std::filesystem;

namespace {

using json = nlohmann::ordered_json;

json report_of(const fs::path& results) {
    study s = load_study(results);
    read_requests(s);
    return to_json(chimera::host::report_of(s, "chimera-host test"));
}

bool says(const json& sentences, const std::string& part) {
    for (const json& s : sentences)
        if (s.get<std::string>().find(part) != std::string::npos) return true;
    return false;
}

const json& entry(const json& list, const char* key, const std::string& value) {
    for (const json& e : list)
        if (e[key] == value) return e;
    FAIL("no " << value);
    return list;
}

/// Two runtimes whose agents ran side by side, and one whose agents did not; two configurations, two runs each. Every
/// agent gets 400 tokens.
json imported(const temporary_folder& f, bool with_serialized = true) {
    const auto options = original_options(80, 512);
    const auto add = [&](const char* runtime, const char* config, int run, const original_run& r) {
        f.write(fs::path("tree") / runtime / config / ("run_" + std::to_string(run)) / "run_1/metrics.json",
                original_metrics(r, options, options).dump());
    };
    for (const char* runtime : {"runtime-tokio-default", "runtime-smol"}) {
        add(runtime, "a", 1,
            {.collector_s = 8, .insight_s = 10, .wall_s = 10, .collector_rate = 50, .insight_rate = 50});
        add(runtime, "a", 2,
            {.collector_s = 9, .insight_s = 10, .wall_s = 10, .collector_rate = 51, .insight_rate = 50});
        add(runtime, "b", 1,
            {.collector_s = 4, .insight_s = 10, .wall_s = 10, .collector_rate = 49, .insight_rate = 50});
        add(runtime, "b", 2,
            {.collector_s = 6, .insight_s = 10, .wall_s = 10, .collector_rate = 52, .insight_rate = 50});
    }
    for (const char* config : {"a", "b"})
        for (const int run : {1, 2})
            if (with_serialized)
                add("runtime-async-std", config, run, {.collector_s = 5, .insight_s = 5, .wall_s = 10});
    import_tr115({f / "tree"}, f / "out");
    return report_of(f / "out");
}

} // namespace

TEST_CASE("the published table comes out: mean of all runs, deviation of the configurations' means, best single run") {
    const temporary_folder f;
    const json r = imported(f, false);
    CHECK(r["headline"] == "estimated_efficiency_pct");
    CHECK(r["recovery"].is_null());
    CHECK(says(r["answer"]["sentences"], "no agent ever ran alone"));
    CHECK(r["answer"]["use"].empty());
    const json& smol = entry(r["runtimes"], "name", "smol");
    CHECK(smol["n"] == 4);
    CHECK(smol["mean_pct"].get<double>() == doctest::Approx((90 + 95 + 70 + 80) / 4.0));
    CHECK(smol["sd_of_config_means_pct"].get<double>() == doctest::Approx(17.5 / std::sqrt(2))); // of 92.5 and 75
    CHECK(smol["peak_pct"].get<double>() == doctest::Approx(95));
    CHECK(smol["imbalance_bound_mean_pct"].get<double>() == doctest::Approx(83.75));
    CHECK(smol["remainder_mean_pct"].get<double>() == doctest::Approx(0));
    CHECK(smol["loss_pct"]["imbalance"].get<double>() == doctest::Approx(16.25));
    CHECK(smol["loss_pct"]["server"].is_null());
    CHECK(entry(r["configs"], "config", "b")["mean_pct"].get<double>() == doctest::Approx(75));
    CHECK(r["runtimes"][0]["name"] == "tokio-default");
}

TEST_CASE("the mistakes of the original method are said without being asked for") {
    const temporary_folder f;
    const json r = imported(f);
    const json& said = r["findings"];
    CHECK(says(said, "Published as efficiency: sum(C) / (N W), 83.8 %"));
    CHECK(says(said, "cannot see contention"));
    CHECK(says(said, "Of the 16.25 points that it lacks to 100 %, 16.25 are agents of unequal length"));
    CHECK(says(said, "async-std: the agents ran one after the other in 4 of 4 runs"));
    // 4 serialized runs, and of each working runtime the one whose agents took 4 and 10 s.
    CHECK(says(said, "resource_contention_detected was set in 6 of 12 runs"));
    CHECK(says(said, "in 4 of them the agents ran one after the other, in 2 their unequal lengths alone"));
    CHECK(r["metrics"]["efficiency_pct"]["provenance"] == "not measured");
    CHECK(r["metrics"]["estimated_efficiency_pct"]["provenance"] == "estimated");
    CHECK(says(r["limits"], "Not measured: efficiency_pct"));
}

TEST_CASE("the efficiency that the originals could not see is recovered from the runs that were serialized") {
    const temporary_folder f;
    const json r = imported(f);
    CHECK(r["headline"] == "recovered_efficiency_pct");
    const json& recovery = r["recovery"];
    CHECK(recovery["from"] == json{"async-std"});
    CHECK(recovery["paces"][0]["ms_per_token"].get<double>() == doctest::Approx(5000 / 400.0));
    CHECK(recovery["in_turn_tok_s"].get<double>() == doctest::Approx(80));
    // 400 tokens would have taken each agent 5 s: (5 + 5) / (2 x 10).
    const json& smol = entry(recovery["runtimes"], "runtime", "smol");
    CHECK(smol["warm"]["n"] == 4);
    CHECK(smol["warm"]["mean_pct"].get<double>() == doctest::Approx(50));
    CHECK(entry(r["runtimes"], "name", "smol")["values"]["recovered_efficiency_pct"]["mean"].get<double>() ==
          doctest::Approx(50));
    CHECK(r["metrics"]["recovered_efficiency_pct"]["provenance"] == "derived");
    CHECK(says(r["findings"], "recovered from 4 serialized runs of async-std"));
    CHECK(says(r["answer"]["sentences"], "one after the other"));
    CHECK(says(r["answer"]["sentences"], "no agent ran alone on the client that is judged"));
}

TEST_CASE("an answer names the runtime to use, the cause of the loss, and what is not known") {
    const temporary_folder f;
    sample_sweep sweep(f, "sweep", {"pool", "fiber", "slow"}, {{"plain", json::object()}});
    for (int run = 1; run <= 6; ++run) {
        const double jitter = 0.2 * run;
        sweep.add("pool", "plain", run, sample_pair{.collector_ms = 96 + jitter, .slower = 1.01});
        sweep.add("fiber", "plain", run, sample_pair{.collector_ms = 96.1 + jitter, .slower = 1.01});
        sweep.add("slow", "plain", run, sample_pair{.collector_ms = 96 + jitter, .slower = 1.3});
    }
    const json r = report_of(sweep.write());
    const json& answer = r["answer"]["sentences"];
    REQUIRE(answer.size() == 3);
    CHECK(answer[0].get<std::string>().starts_with("Use fiber and pool: parallel efficiency"));
    CHECK(says(answer, "slow is "));
    CHECK(says(answer, "the server"));
    CHECK(says(answer, "This data cannot say"));
    CHECK(r["answer"]["use"] == json{"fiber", "pool"});
    const json& row = entry(r["decisions"], "metric", "efficiency_pct");
    CHECK(entry(row["cells"], "runtime", "fiber")["standing"] == "best");
    CHECK(entry(row["cells"], "runtime", "pool")["standing"] == "tied");
    CHECK(entry(row["cells"], "runtime", "slow")["standing"] == "worse");
    const json& key = entry(r["overview"], "metric", "efficiency_pct");
    CHECK(key["label"] == "parallel efficiency");
    CHECK(entry(key["cells"], "runtime", "slow")["n"] == 6);
}

TEST_CASE("runtimes that are alike have no winner, and the answer says how small a difference would have shown") {
    const temporary_folder f;
    sample_sweep sweep(f, "sweep", {"pool", "fiber"}, {{"plain", json::object()}});
    for (int run = 1; run <= 5; ++run)
        for (const char* runtime : {"pool", "fiber"})
            sweep.add(runtime, "plain", run, sample_pair{.collector_ms = 90.0 + run});
    const json r = report_of(sweep.write());
    CHECK(says(r["answer"]["sentences"], "No runtime wins: pool and fiber differ by 0 points"));
    CHECK(says(r["answer"]["sentences"], "would have shown"));
}

TEST_CASE("a sweep of ours says who lost what") {
    const temporary_folder f;
    sample_sweep sweep(f, "sweep", {"pool", "fiber", "bridge"}, {{"plain", {{"num_gpu", 80}}}});
    for (int run = 1; run <= 5; ++run) {
        const double jitter = 0.5 * run;
        sweep.add("pool", "plain", run, sample_pair{.collector_ms = 80 + jitter, .slower = 1.1});
        sweep.add("fiber", "plain", run, sample_pair{.collector_ms = 81 + jitter, .slower = 1.1});
        sweep.add("bridge", "plain", run, sample_pair{.collector_ms = 90 + jitter, .serialized = true});
    }
    json limited = sample_metrics(sample_values({}));
    limited["self_check"] = {{"client_limited", {"itl_ms"}},
                             {"evidence", {"the busiest worker was on CPU 97 % of the time"}}};
    sweep.add("fiber", "plain", 6, limited);
    sweep.add_cell("pool", "plain", 6, "crashed", "signal 11", "pool/plain/run_6");
    sweep.add_cell("bridge", "plain", 6, "not_needed", "", "bridge/plain/run_6");
    sweep.sweep()["cells_planned"] = 20;
    const json r = report_of(sweep.write());
    CHECK(r["headline"] == "efficiency_pct");
    const json& said = r["findings"];
    CHECK(!says(said, "cannot see contention"));
    CHECK(says(said, "Imbalance carries"));
    CHECK(says(said, ": the server "));
    CHECK(says(said, "No detectable difference in parallel efficiency between runtimes: none of 1 pairs"));
    CHECK(
        says(said, "bridge: the agents ran one after the other in 5 of 5 runs (cause: blocked-executor): a poll held"));
    CHECK(says(said, "fiber: in 1 of 6 runs the client could have changed the result (itl_ms): the busiest worker"));
    CHECK(says(said, "1 of 17 runs failed"));
    CHECK(says(said, "2 of 20 planned runs are still to be done"));
    CHECK(says(said, "1 of 20 planned runs were not needed"));
    CHECK(r["cells"]["failures"][0]["message"] == "signal 11");
    CHECK(entry(r["runtimes"], "name", "pool")["n"] == 5);
    CHECK(entry(r["runtimes"], "name", "fiber")["client_limited_runs"] == 1);
    CHECK(r["repeat"][0] == "chimera-host sweep --profile profiles/sample.toml --seed 7 --output-dir repeated");
    CHECK(says(r["repeat"], "repeated/sample"));
}

TEST_CASE("every pair of runtimes is compared by every metric that both have, corrected over the pairs of a metric") {
    const temporary_folder f;
    sample_sweep sweep(f, "sweep", {"a", "b", "c"}, {{"plain", json::object()}});
    for (int run = 1; run <= 5; ++run)
        for (const char* runtime : {"a", "b", "c"})
            sweep.add(runtime, "plain", run, sample_pair{.collector_ms = 60 + run + (*runtime == 'c' ? 30.0 : 0.0)});
    const json r = report_of(sweep.write());
    std::size_t of_headline = 0;
    for (const json& c : r["comparisons"]) {
        CHECK(c["metric"] != "itl_ms_p50");
        if (c["metric"] != "efficiency_pct") continue;
        ++of_headline;
        CHECK(c["p_holm"].get<double>() >= c["welch"]["p"].get<double>());
        CHECK(c["verdict"] == (c["b"] == "c" ? "b_higher" : "no_detectable_difference"));
    }
    CHECK(of_headline == 3);
    CHECK(says(r["findings"], "parallel efficiency differs in 2 of 3 pairs of runtimes: c "));
    CHECK(says(r["findings"], "highest first (means, Welch's test"));
}

TEST_CASE("means that a few far values hide from Welch are told apart by their ranks") {
    const temporary_folder f;
    sample_sweep sweep(f, "sweep", {"a", "b"}, {{"plain", json::object()}});
    for (int run = 1; run <= 12; ++run)
        for (const char* runtime : {"a", "b"}) {
            json metrics = sample_metrics(sample_values({}));
            const bool cold = run == 12;
            metrics["values"]["ttft_ms_p50"] = (*runtime == 'a' ? 600.0 : 700.0) + run + (cold ? 8000 : 0);
            sweep.add(runtime, "plain", run, metrics);
        }
    const json r = report_of(sweep.write());
    const json& c = entry(r["comparisons"], "metric", "ttft_ms_p50");
    CHECK(c["verdict"] == "no_detectable_difference");
    CHECK(c["mann_whitney"]["p_holm"].get<double>() < 0.05);
    CHECK(c["words"].get<std::string>().find("but their ranks differ") != std::string::npos);
    CHECK(says(r["findings"], "TTFT differs in 1 of 1 pairs of runtimes: b "));
    CHECK(says(r["findings"], "(medians, U test, p "));
}

TEST_CASE("distributions are the hundredths of all requests and gaps of a runtime") {
    const temporary_folder f;
    sample_sweep sweep(f, "sweep", {"a"}, {{"plain", json::object()}});
    for (int run = 1; run <= 2; ++run) sweep.add("a", "plain", run, sample_pair{});
    const json r = report_of(sweep.write());
    const json& itl = entry(r["distributions"], "metric", "itl_ms");
    CHECK(itl["n"] == 12); // two runs, two agents, gaps of 4, 6 and 0 ms
    REQUIRE(itl["quantiles"].size() == 101);
    CHECK(itl["quantiles"][0] == json{0.0, 0.0});
    CHECK(itl["quantiles"][50][1].get<double>() == doctest::Approx(4));
    CHECK(itl["quantiles"][100][1].get<double>() == doctest::Approx(6));
    CHECK(entry(r["distributions"], "metric", "ttft_ms")["quantiles"][50][1].get<double>() == doctest::Approx(10));
    CHECK(r["runs"][0]["agents"][1]["requests"][0]["dispatched_ms"].get<double>() == doctest::Approx(2));
}

TEST_CASE("a study in which every run failed has a report without figures") {
    const temporary_folder f;
    sample_sweep sweep(f, "sweep", {"a", "b"}, {{"plain", json::object()}});
    sweep.add_cell("a", "plain", 1, "failed", "refused", "a/plain/run_1");
    const json r = report_of(sweep.write());
    CHECK(r["runtimes"][0]["n"] == 0);
    CHECK(r["runtimes"][0]["mean_pct"].is_null());
    CHECK(r["comparisons"].empty());
    CHECK(says(r["findings"], "1 of 1 runs failed"));
}
