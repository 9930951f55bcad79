// The original results are imported as estimates; figures that were not measured are left out.
#include "original_tree.hpp"
#include "result/sealed_file.hpp"
#include "study/study.hpp"
#include "tr115/import.hpp"

#include <doctest/doctest.h>

using namespace chimera::host;
using namespace chimera::test;
namespace fs = std::filesystem;

namespace {

const auto options = original_options(80, 512);

study imported(const temporary_folder& f, const fs::path& tree, import_outcome* outcome = nullptr) {
    const import_outcome o = import_tr115({tree}, f / "out");
    if (outcome) *outcome = o;
    study s = load_study(f / "out");
    read_requests(s);
    return s;
}

void write_run(const temporary_folder& f, const fs::path& folder, const original_run& run = {}) {
    f.write(folder / "metrics.json", original_metrics(run, options, options).dump(2));
}

std::vector<std::string> cells(const study& s) {
    std::vector<std::string> out;
    for (const study_run& r : s.runs) out.push_back(r.runtime + " " + r.config + " " + std::to_string(r.number));
    return out;
}

} // namespace

TEST_CASE("the efficiency of an original is an estimate, and imbalance bounds it") {
    const temporary_folder f;
    write_run(f, "tree/runtime-smol/homo/run_1/run_1", {.collector_s = 5, .insight_s = 10, .wall_s = 10.004});
    const study s = imported(f, f / "tree");
    CHECK(s.source == "tr115");
    REQUIRE(s.runs.size() == 1);
    const study_run& run = s.runs[0];
    CHECK(run.value("estimated_efficiency_pct") == doctest::Approx(15 / 20.008 * 100));
    CHECK(run.value("imbalance_bound_pct") == doctest::Approx(75));
    CHECK(run.value("remainder_pct") == doctest::Approx(75 - 15 / 20.008 * 100));
    CHECK(run.value("late_start_pct") == doctest::Approx(0.004 / 10.004 * 100));
    CHECK(run.value("imbalance_pct") == doctest::Approx(5 / 20.008 * 100));
    CHECK(*run.value("late_start_pct") + *run.value("imbalance_pct") ==
          doctest::Approx(100 - *run.value("estimated_efficiency_pct")));
    CHECK(run.value("throughput_tok_s") == doctest::Approx(800 / 10.004));
    CHECK(run.value("ttft_ms_p50") == doctest::Approx(800));
    CHECK(run.value("tokens_per_second_mean") == doctest::Approx(105));
    CHECK(run.value("jain_index") == doctest::Approx(0.9)); // 400 tokens in 5 s and in 10 s: 80 and 40 a second
    for (const char* never :
         {"efficiency_pct", "speedup", "sequential_ms", "inflation_pct", "late_permit_pct", "itl_ms_p50"})
        CHECK_MESSAGE(!run.value(never), never);
    CHECK(s.definitions.at("estimated_efficiency_pct").provenance == "estimated");
    CHECK(s.definitions.at("wall_ms").provenance == "measured");
    CHECK(run.result.recorded->resource_contention_detected == true); // 15 / 10.004 is below 1.5
    CHECK(!run.result.serialization->serialized());
    CHECK(s.configs[0].parameters == nlohmann::ordered_json{{"num_gpu", 80}, {"num_ctx", 512}, {"temperature", 0.8}});
}

TEST_CASE("agents that ran one after the other are seen, and so is when each ran") {
    const temporary_folder f;
    write_run(f, "tree/runtime-async-std/homo/run_1/run_1", {.collector_s = 5, .insight_s = 10, .wall_s = 15.0});
    const study s = imported(f, f / "tree");
    const study_run& run = s.runs[0];
    REQUIRE(run.result.serialization);
    CHECK(run.result.serialization->serialized());
    CHECK(run.result.serialization->cause == serialization_cause::unknown);
    CHECK(run.result.recorded->resource_contention_detected == true);
    REQUIRE(run.agents().size() == 2);
    CHECK(run.agents()[0].start_ns == 0);
    CHECK(run.agents()[0].end_ns == 5000'000'000);
    CHECK(run.agents()[1].start_ns == 5000'000'000);
    CHECK(run.agents()[1].end_ns == 15000'000'000);
    REQUIRE(run.requests.size() == 2);
    CHECK(run.requests[1].first_token_ns == 5'800'000'000);
}

TEST_CASE("every layout of the originals is understood, and runtimes come in the published order") {
    const temporary_folder f;
    SUBCASE("with results/ before and runs within runs") {
        write_run(f, "tree/results/runtime-async-std/homo/run_2/run_1");
        write_run(f, "tree/results/runtime-tokio-default/homo/run_1/run_1");
        write_run(f, "tree/results/runtime-zeta/hetero/run_1/run_1");
        CHECK(cells(imported(f, f / "tree")) ==
              std::vector<std::string>{"tokio-default homo 1", "async-std homo 2", "zeta hetero 1"});
    }
    SUBCASE("one level of runs") {
        write_run(f, "tree/smol/homo/run_1");
        write_run(f, "tree/smol/homo/run_12");
        CHECK(cells(imported(f, f / "tree")) == std::vector<std::string>{"smol homo 1", "smol homo 12"});
    }
    SUBCASE("flat: the runtime is named for the folder") {
        write_run(f, "runtime-smol-1kb/homo/run_1");
        CHECK(cells(imported(f, f / "runtime-smol-1kb")) == std::vector<std::string>{"smol-1kb homo 1"});
    }
    SUBCASE("several runs within one are counted through") {
        for (const char* run : {"run_1/run_1", "run_1/run_2", "run_2/run_1"})
            write_run(f, fs::path("tree/smol/homo") / run);
        CHECK(cells(imported(f, f / "tree")) == std::vector<std::string>{"smol homo 1", "smol homo 2", "smol homo 3"});
    }
}

TEST_CASE("a run that only a summary knows has no bound") {
    const temporary_folder f;
    f.write("tree/smol/homo/run_1/summary.json", original_summary_file({.wall_s = 12}, options).dump());
    const study s = imported(f, f / "tree");
    REQUIRE(s.runs.size() == 1);
    CHECK(s.runs[0].value("estimated_efficiency_pct") == doctest::Approx(15 / 24.0 * 100));
    CHECK(s.runs[0].value("ttft_ms_mean") == doctest::Approx(800));
    CHECK(!s.runs[0].value("imbalance_bound_pct"));
    CHECK(!s.runs[0].value("throughput_tok_s"));
    CHECK(!s.runs[0].value("jain_index")); // it needs tokens and durations
    CHECK(!s.runs[0].result.serialization);
}

TEST_CASE("a summary beside a metrics.json adds nothing") {
    const temporary_folder f;
    write_run(f, "tree/smol/homo/run_1/run_1");
    f.write("tree/smol/homo/run_1/summary.json", original_summary_file({}, options).dump());
    CHECK(imported(f, f / "tree").runs.size() == 1);
}

TEST_CASE("a run that a metrics.json has is not counted again for a summary in another place") {
    const temporary_folder f;
    const std::string one = original_summary_file({}, options).dump();
    SUBCASE("in the run's own folder, under its inner number") {
        for (const char* run : {"run_1", "run_2"}) {
            write_run(f, fs::path("tree/smol/homo") / run);
            f.write(fs::path("tree/smol/homo") / run / "summary.json", one);
        }
        CHECK(cells(imported(f, f / "tree")) == std::vector<std::string>{"smol homo 1", "smol homo 2"});
    }
    SUBCASE("one of all runs above them, which adds the run that is only there") {
        for (const char* run : {"run_1/run_1", "run_2/run_1"}) write_run(f, fs::path("tree/smol/homo") / run);
        auto all = original_summary_file({}, options);
        for (const int number : {2, 3}) {
            all["runs"].push_back(original_summary({}));
            all["runs"].back()["run_number"] = number;
        }
        f.write("tree/smol/homo/summary.json", all.dump());
        const study s = imported(f, f / "tree");
        CHECK(cells(s) == std::vector<std::string>{"smol homo 1", "smol homo 2", "smol homo 3"});
        CHECK(s.runs[1].value("imbalance_bound_pct"));
        CHECK(!s.runs[2].value("imbalance_bound_pct"));
    }
    SUBCASE("two summaries, neither with a metrics.json") {
        f.write("tree/smol/homo/run_1/summary.json", one);
        f.write("tree/smol/homo/summary.json", one);
        CHECK(cells(imported(f, f / "tree")) == std::vector<std::string>{"smol homo 1"});
    }
}

TEST_CASE("a summary of something else is left out; a damaged one that alone knows a run is not") {
    const temporary_folder f;
    write_run(f, "tree/results/smol/homo/run_1/run_1");
    for (const char* place : {"tree/results", "tree", "tree/results/smol", "tree/results/smol/homo"})
        f.write(fs::path(place) / "summary.json", R"({"total_runs":150})");
    import_outcome outcome;
    CHECK(imported(f, f / "tree", &outcome).runs.size() == 1);
    REQUIRE(outcome.warnings.size() == 4);
    for (const std::string& w : outcome.warnings) CHECK_MESSAGE(w.find("summary.json: ") != std::string::npos, w);
    f.write("tree/results/smol/homo/run_2/summary.json", R"({"runs":[{)");
    CHECK_THROWS_WITH_AS(import_tr115({f / "tree"}, f / "out2"), doctest::Contains("run_2/summary.json:1: cut short"),
                         results_error);
}

TEST_CASE("figures that no run can have are refused with their key") {
    const temporary_folder f;
    auto metrics = original_metrics({}, options, options);
    const auto refused = [&](const char* saying) {
        f.write("tree/smol/homo/run_1/metrics.json", metrics.dump());
        CHECK_THROWS_WITH_AS(import_tr115({f / "tree"}, f / "out"), doctest::Contains(saying), results_error);
    };
    SUBCASE("a duration of nothing") {
        metrics["collector"]["execution_time_s"] = 0.0;
        refused("run_1/metrics.json: collector: key \"execution_time_s\" is 0;");
    }
    SUBCASE("a request that ended before it began") {
        metrics["insight"]["result"]["individual_runs"][0]["total_duration_ms"] = -3.0;
        refused("individual_runs[0]: key \"total_duration_ms\" is -3;");
    }
    SUBCASE("more time than there was") {
        metrics["summary"]["concurrent_wall_time_s"] = 7.0;
        refused("summary: key \"concurrent_wall_time_s\" is 7 s, too short for agents that ran for 15 s together: an "
                "efficiency of 107.1 %");
    }
    SUBCASE("a wall time that no clock shows") {
        metrics["summary"]["concurrent_wall_time_s"] = 1e-300;
        refused("key \"concurrent_wall_time_s\" is 0;");
    }
    SUBCASE("more than a number can hold") {
        metrics["summary"]["concurrent_wall_time_s"] = 1e308;
        refused("summary: concurrent_wall_time_s: is 1e+308; expected at most 1e+100");
    }
    CHECK(!fs::exists(f / "out"));
}

TEST_CASE("a warning shows a figure that cannot be right in few digits") {
    const temporary_folder f;
    auto metrics = original_metrics({}, options, options);
    metrics["summary"]["efficiency_percent"] = 1e90;
    f.write("tree/smol/homo/run_1/metrics.json", metrics.dump());
    import_outcome outcome;
    imported(f, f / "tree", &outcome);
    REQUIRE(outcome.warnings.size() == 1);
    CHECK(outcome.warnings[0].find("says efficiency_percent 1e+90,") != std::string::npos);
}

TEST_CASE("the originals are never written over") {
    const temporary_folder f;
    write_run(f, "tree/smol/homo/run_1");
    fs::create_directory_symlink(f / "tree", f / "link");
    for (const char* out : {"tree", "tree/", "tree/below", ".", "tree/../tree/smol", "link"})
        CHECK_THROWS_WITH_AS(import_tr115({f / "tree"}, f / out), doctest::Contains("may not lie in each other"),
                             results_error);
    CHECK_THROWS_WITH_AS(import_tr115({f / "tree/"}, f / "tree"), doctest::Contains("may not lie in each other"),
                         results_error);
    f.write("out/smol/homo/run_1/metrics.json", "{\"of\":\"another\"}");
    CHECK_THROWS_WITH_AS(import_tr115({f / "tree"}, f / "out"),
                         doctest::Contains("run_1/metrics.json: is there already and not of this import"),
                         results_error);
    import_tr115({f / "tree/"}, f / "broken off");
    fs::remove(f / "broken off/sweep.json");
    CHECK(import_tr115({f / "tree"}, f / "broken off").runs == 1);
}

TEST_CASE("options that differ between the agents are both named") {
    const temporary_folder f;
    f.write("tree/smol/hetero/run_1/metrics.json",
            original_metrics({}, nlohmann::ordered_json::object(), original_options(100, 1024)).dump());
    CHECK(imported(f, f / "tree").configs[0].parameters["num_gpu"] == "default/100");
}

TEST_CASE("a file that contradicts itself is warned of, and one in no known place is mentioned") {
    const temporary_folder f;
    auto metrics = original_metrics({}, options, options);
    metrics["summary"]["efficiency_percent"] = 99.5;
    f.write("tree/smol/homo/run_1/metrics.json", metrics.dump());
    f.write("tree/elsewhere/metrics.json", "{}");
    f.write("tree/smol/homo/run_1/notes.md", "ignored");
    import_outcome outcome;
    imported(f, f / "tree", &outcome);
    REQUIRE(outcome.warnings.size() == 2);
    CHECK(outcome.warnings[0].find("says efficiency_percent 99.5, but the durations in it give 75") !=
          std::string::npos);
    CHECK(outcome.warnings[1].find("elsewhere/metrics.json: left out") != std::string::npos);
}

TEST_CASE("nothing is written where a file is damaged, and no sweep is written over") {
    const temporary_folder f;
    write_run(f, "tree/smol/homo/run_1");
    f.write("tree/smol/homo/run_2/metrics.json", "{\"collector\": {\"config\"");
    f.write("tree/smol/homo/run_3/metrics.json", "{}");
    CHECK_THROWS_WITH_AS(import_tr115({f / "tree"}, f / "out"), doctest::Contains("run_2/metrics.json:1: cut short"),
                         results_error);
    CHECK_THROWS_WITH_AS(import_tr115({f / "tree"}, f / "out"),
                         doctest::Contains("run_3/metrics.json: key \"summary\" is missing"), results_error);
    CHECK(!fs::exists(f / "out"));
    f.write("out/sweep.json", "{}");
    CHECK_THROWS_WITH_AS(import_tr115({f / "tree"}, f / "out"), doctest::Contains("holds a sweep already"),
                         results_error);
    CHECK_THROWS_WITH_AS(import_tr115({f / "out"}, f / "out2"), doctest::Contains("no results of the reports here"),
                         results_error);
}
