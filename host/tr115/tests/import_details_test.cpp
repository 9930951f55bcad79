// What an import carries over besides the efficiency: the server's durations, the system, the order in time, and
// prompts.
#include "original_tree.hpp"
#include "result/sealed_file.hpp"
#include "study/study.hpp"
#include "tr115/import.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace chimera::host;
using namespace chimera::test;
namespace fs = std::filesystem;

namespace {

const auto options = original_options(80, 512);

void write_run(const temporary_folder& f, const fs::path& folder, const original_run& run = {}) {
    f.write(folder / "metrics.json", original_metrics(run, options, options).dump());
}

study imported(const temporary_folder& f) {
    import_tr115({f / "tree"}, f / "out");
    study s = load_study(f / "out");
    read_requests(s);
    return s;
}

} // namespace

TEST_CASE("the server's own durations are in the run and in its requests") {
    const temporary_folder f;
    write_run(f, "tree/smol/homo/run_1");
    const study s = imported(f);
    const study_run& run = s.runs[0];
    CHECK(run.value("server_load_ms_mean") == doctest::Approx(500));
    CHECK(run.value("server_prompt_eval_ms_p50") == doctest::Approx(13));
    CHECK(run.value("server_eval_ms_mean") == doctest::Approx((4000 + 8000) / 2.0));
    CHECK(!run.value("server_total_ms_mean")); // total_duration_ms there is the client's
    CHECK(s.definitions.at("server_load_ms_mean").provenance == "measured");
    REQUIRE(run.requests.size() == 2);
    REQUIRE(run.requests[0].server);
    CHECK(run.requests[0].server->load_ns == 500'000'000);
    CHECK(run.requests[0].server->eval_ns == 4'000'000'000);
    CHECK(!run.requests[0].server->total_ns);
    CHECK(run.agents()[0].duration_ms == 5000);
}

TEST_CASE("a load that takes longer on one server than on the other is in the requests") {
    const temporary_folder f;
    auto metrics = original_metrics({}, options, options);
    metrics["insight"]["result"]["individual_runs"][0]["load_duration_ms"] = 5100.5;
    f.write("tree/smol/homo/run_1/metrics.json", metrics.dump());
    const study s = imported(f);
    CHECK(s.runs[0].requests[1].server->load_ns == 5'100'500'000);
    CHECK(s.runs[0].value("server_load_ms_mean") == doctest::Approx(2800.25));
}

TEST_CASE("durations that a file does not have stay absent") {
    const temporary_folder f;
    auto metrics = original_metrics({}, options, options);
    for (const char* agent : {"collector", "insight"})
        for (const char* key : {"load_duration_ms", "eval_duration_ms", "prompt_eval_duration_ms"})
            metrics[agent]["result"]["individual_runs"][0].erase(key);
    f.write("tree/smol/homo/run_1/metrics.json", metrics.dump());
    const study s = imported(f);
    CHECK(!s.runs[0].value("server_load_ms_mean"));
    CHECK(!s.runs[0].requests[0].server);
}

TEST_CASE("machine, compiler, servers and models are the run's provenance") {
    const temporary_folder f;
    write_run(f, "tree/smol/homo/run_1");
    const study s = imported(f);
    CHECK(s.backend == "server");
    REQUIRE(s.runs[0].result.origin);
    const campaign_provenance& origin = *s.runs[0].result.origin;
    CHECK(origin.begun == "2025-11-14T01:10:15Z"); // the end of the collector less its 5 s
    CHECK(origin.machine.host_name == "laptop");
    CHECK(origin.machine.os == "windows x86_64");
    CHECK(!origin.machine.cpu_model);
    CHECK(origin.build.version.empty());
    CHECK(origin.build.compiler == "rustc 1.90.0");
    REQUIRE(origin.servers.size() == 1);
    CHECK(origin.servers[0].url == "http://localhost:1");
    CHECK(!origin.servers[0].software);
    CHECK(origin.servers[0].models.at(0).name == "gemma3:latest");
    CHECK(s.runs[0].result.concurrent.cost->begun == "2025-11-14T01:10:15Z");
}

TEST_CASE("agents are called by their part, as in our profiles") {
    const temporary_folder f;
    auto metrics = original_metrics({}, options, options);
    metrics["collector"]["config"]["id"] = "chimera_a";
    f.write("tree/smol/homo/run_1/metrics.json", metrics.dump());
    CHECK(imported(f).runs[0].agents()[0].id == "collector");
}

TEST_CASE("prompts are kept") {
    const temporary_folder f;
    write_run(f, "tree/smol/homo/run_1");
    imported(f);
    const auto lines = read_results_lines(f / "out/smol/homo/run_1/texts.jsonl");
    REQUIRE(lines.size() == 2);
    CHECK(lines[1].content["agent"] == "insight");
    CHECK(lines[1].content["prompt"] == "Take stock.");
}

TEST_CASE("the journal is in the order of time, and the study says it") {
    const temporary_folder f;
    const auto written = [&f](const char* runtime, int run, int minute) {
        write_run(f, fmt::format("tree/{}/homo/run_{}", runtime, run), {.minute = minute});
    };
    const auto order = [&f] {
        std::string out;
        for (const auto& line : read_results_lines(f / "out/cells.jsonl"))
            out += line.content["runtime"].get<std::string>() + std::to_string(line.content["run"].get<int>()) + " ";
        return out;
    };
    SUBCASE("one after the other") {
        written("smol", 2, 11);
        written("smol", 1, 12);
        written("tokio-default", 1, 14);
        CHECK(imported(f).order == "one runtime after the other, by the time stamps: smol, tokio-default");
        CHECK(order() == "smol2 smol1 tokio-default1 ");
    }
    SUBCASE("in turns") {
        written("smol", 1, 11);
        written("tokio-default", 1, 12);
        written("smol", 2, 13);
        CHECK(imported(f).order == "by the time stamps: another runtime than before in 2 of 3 runs");
        CHECK(order() == "smol1 tokio-default1 smol2 ");
    }
    SUBCASE("not told by a run, which comes last") {
        auto metrics = original_metrics({.minute = 11}, options, options);
        metrics["insight"]["result"]["timestamp"] = "yesterday";
        f.write("tree/smol/homo/run_1/metrics.json", metrics.dump());
        written("tokio-default", 1, 12);
        CHECK(!imported(f).order);
        CHECK(order() == "tokio-default1 smol1 ");
    }
}

TEST_CASE("a summary of the program in Python: the agents' own durations count, not the server's") {
    const temporary_folder f;
    f.write("tree/python/homo/summary.json", python_summary_file({}, options).dump());
    const import_outcome outcome = import_tr115({f / "tree"}, f / "out");
    study s = load_study(f / "out");
    const study_run& run = s.runs[0];
    CHECK(run.value("estimated_efficiency_pct") == doctest::Approx(75));
    CHECK(run.value("server_total_ms_mean") == doctest::Approx(6500));
    CHECK(run.value("jain_index") == doctest::Approx(0.9));
    CHECK(!run.value("e2e_ms_mean"));
    CHECK(run.agents()[1].duration_ms == 10000);
    CHECK(!run.agents()[1].start_ns); // nobody says when
    CHECK(!run.result.origin);
    CHECK(run.result.recorded->efficiency_percent == doctest::Approx(65));
    REQUIRE(outcome.warnings.size() == 1);
    CHECK(outcome.warnings[0].find("summary.json: says efficiency_percent 65, but the durations in it give 75") !=
          std::string::npos);
    read_requests(s);
    CHECK(s.runs[0].requests.empty());
}
