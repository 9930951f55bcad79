// Results come back as they were written, and whatever is wrong with them is named with its place.
#include "sample_sweep.hpp"
#include "study/study.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace chimera::host;
using namespace chimera::test;
namespace fs = std::filesystem;

namespace {

using json = nlohmann::ordered_json;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string refusal(const fs::path& results) {
    try {
        study s = load_study(results);
        read_requests(s);
    } catch (const results_error& e) {
        return e.what();
    }
    FAIL(results.string() << " was read");
    return {};
}

/// What load_study and read_requests name, one line each; they do not refuse the rest.
std::string damage(const fs::path& results, std::size_t runs_left) {
    study s = load_study(results);
    read_requests(s);
    CHECK(static_cast<std::size_t>(std::ranges::count_if(s.runs, &study_run::ok)) == runs_left);
    for (const study_run& run : s.runs)
        if (run.damaged()) CHECK((run.result.values.empty() && run.agents().empty() && run.itl_ms.empty()));
    std::string out;
    for (const std::string& line : damage_of(s)) out += line + "\n";
    return out;
}

/// Two runtimes, one configuration, three runs each.
sample_sweep two_runtimes(const temporary_folder& f) {
    sample_sweep sweep(f, "sweep", {"one", "other"}, {{"plain", {{"num_gpu", 80.0}, {"temperature", 0.8}}}});
    for (int run = 3; run >= 1; --run)
        for (const char* runtime : {"other", "one"}) sweep.add(runtime, "plain", run, sample_pair{});
    return sweep;
}

/// A campaign's folder with two runs and one that did not finish.
fs::path campaign(const temporary_folder& f) {
    f.write("smol/plain/summary.json", json{{"schema_version", 2},
                                            {"profile", "smol"},
                                            {"config", "plain"},
                                            {"executor", "fiber"},
                                            {"transport", "socket"},
                                            {"foreign", nullptr},
                                            {"backend", "simulator"},
                                            {"seed", 3},
                                            {"runs_planned", 1},
                                            {"run_folders", {"run_2"}},
                                            {"warnings", {"the model was loaded"}}}
                                           .dump());
    for (const char* run : {"run_1", "run_2"}) {
        f.write(fs::path("smol/plain") / run / "metrics.json", sample_metrics(sample_values({})).dump());
        f.write(fs::path("smol/plain") / run / "requests.jsonl", sample_requests());
    }
    fs::create_directories(f / "smol/plain/run_3/prompts");
    return f / "smol/plain";
}

} // namespace

TEST_CASE("a sweep is read in the order of its runtimes, configurations and runs") {
    const temporary_folder f;
    study s = load_study(two_runtimes(f).write());
    read_requests(s);
    CHECK(s.sweep);
    CHECK(s.seed == 7);
    CHECK(s.configs[0].parameters.dump() == R"({"num_gpu":80,"temperature":0.8})");
    CHECK(s.cells_planned == 6);
    REQUIRE(s.runs.size() == 6);
    CHECK(s.runs[0].runtime == "one");
    CHECK(s.runs[0].number == 1);
    CHECK(s.runs[5].runtime == "other");
    CHECK(s.runs[5].number == 3);
    CHECK(s.runs[0].value("efficiency_pct") == doctest::Approx(100));
    CHECK(!s.runs[0].value("itl_ms_p50"));
    CHECK(s.definitions.at("estimated_efficiency_pct").provenance == "estimated");
    REQUIRE(s.runs[0].agents().size() == 2);
    REQUIRE(s.runs[0].requests.size() == 2);
    const request_result& r = s.runs[0].requests[1];
    CHECK(r.agent == s.runs[0].agents()[1].id);
    CHECK(*r.first_token_ns - *r.dispatched_ns == 10'000'000);
    CHECK(r.server->prompt_tokens == 7);
    // Both agents: 4 ms, 6 ms, and 0 for the record that came with another.
    CHECK(s.runs[0].itl_ms == std::vector<double>{4, 6, 0, 4, 6, 0});
}

TEST_CASE("the line that was being written when the sweep died is left out, and said to be") {
    const temporary_folder f;
    sample_sweep sweep = two_runtimes(f);
    sweep.cells() += R"({"runtime":"one","config":"pl)";
    CHECK(contains(damage(sweep.write(), 6), "cells.jsonl:7: cut short: the last line has no end"));
}

TEST_CASE("a finished run that the journal has no line of is named; one that failed or did not end is not") {
    const temporary_folder f;
    const fs::path results = two_runtimes(f).write();
    json metrics = sample_metrics(sample_values({}));
    f.write("sweep/one/plain/run_4/metrics.json", metrics.dump());
    metrics["complete"] = false;
    f.write("sweep/one/plain/run_5/metrics.json", metrics.dump());
    f.write("sweep/one/plain/run_6/requests.jsonl", sample_requests());
    f.write("sweep/one/plain/run_1.damaged/metrics.json", "");
    CHECK(damage(results, 6) == (results / "one/plain/run_4/metrics.json").string() +
                                    ": has no line in cells.jsonl, and is in no figure; sweep --resume takes it up, "
                                    "unless a sweep that runs is about to\n");
}

TEST_CASE("the last line of a cell counts, and one that was lost and not run again is named") {
    const temporary_folder f;
    sample_sweep sweep = two_runtimes(f);
    sweep.add_cell("one", "plain", 1, "lost", "metrics.json: is missing", "one/plain/run_1");
    sweep.add_cell("one", "plain", 2, "lost", "metrics.json: is missing", "one/plain/run_2");
    sweep.add_cell("one", "plain", 2, "ok", "", "one/plain/run_2");
    const std::string said = damage(sweep.write(), 5);
    CHECK(contains(said, "cells.jsonl:7: one/plain/run_1 was lost and has not been run again"));
    CHECK(!contains(said, "run_2"));
}

TEST_CASE("sealed results that were changed, exchanged or taken away are in no figure and named") {
    const temporary_folder f;
    sample_sweep sweep = two_runtimes(f);
    sweep.seal();
    const fs::path results = sweep.write();
    CHECK(damage(results, 6) == "");
    const auto path = [&](int run) { return results / "one/plain" / ("run_" + std::to_string(run)) / "metrics.json"; };
    std::string text = read_results_text(path(1));
    text.replace(text.find("\"wall_ms\": 100"), 14, "\"wall_ms\": 101");
    f.write("sweep/one/plain/run_1/metrics.json", text);
    fs::copy_file(results / "other/plain/run_2/requests.jsonl", results / "one/plain/run_2/requests.jsonl",
                  fs::copy_options::overwrite_existing);
    fs::remove(path(2));
    fs::copy_file(results / "other/plain/run_1/metrics.json", path(3), fs::copy_options::overwrite_existing);
    const std::string said = damage(results, 3);
    CHECK(contains(said, "run_1/metrics.json: is damaged: its bytes give the checksum"));
    CHECK(contains(said, "run_2/metrics.json: is missing"));
    CHECK(contains(said, "run_3/metrics.json: is not the file that was written"));
}

TEST_CASE("where every run is damaged nothing is left to report") {
    const temporary_folder f;
    const fs::path results = two_runtimes(f).write();
    for (const char* runtime : {"one", "other"})
        for (int run = 1; run <= 3; ++run)
            fs::remove(results / runtime / "plain" / ("run_" + std::to_string(run)) / "metrics.json");
    CHECK(contains(refusal(results), "other/plain/run_3/metrics.json: is missing"));
}

TEST_CASE("a cell that crashed needs no file and keeps its message") {
    const temporary_folder f;
    sample_sweep sweep = two_runtimes(f);
    sweep.add_cell("one", "plain", 4, "timed_out", "600 s passed", "one/plain/run_4");
    const study s = load_study(sweep.write());
    REQUIRE(s.runs.size() == 7);
    CHECK(!s.runs[3].ok());
    CHECK(s.runs[3].message == "600 s passed");
}

TEST_CASE("a run that is incomplete is failed with what its agent said") {
    const temporary_folder f;
    sample_sweep sweep = two_runtimes(f);
    json metrics = sample_metrics(json::object());
    metrics["complete"] = false;
    metrics["concurrent"]["agents"][1]["error"] = "http://127.0.0.1:1: refused";
    sweep.add("one", "plain", 4, metrics);
    const study s = load_study(sweep.write());
    CHECK(s.runs[3].status == "failed");
    CHECK(s.runs[3].message == "agent insight: http://127.0.0.1:1: refused");
}

TEST_CASE("damaged files are named with their line, all of them at once") {
    const temporary_folder f;
    sample_sweep sweep = two_runtimes(f);
    const std::string whole = sample_metrics(sample_values({})).dump(2);
    f.write("sweep/one/plain/run_2/metrics.json", whole.substr(0, whole.size() / 2));
    f.write("sweep/other/plain/run_1/metrics.json", "{\n  \"schema_version\": 2,\n  oops\n}\n");
    f.write("sweep/other/plain/run_3/metrics.json", "");
    const std::string said = damage(sweep.write(), 3);
    CHECK(contains(said, "one/plain/run_2/metrics.json:"));
    CHECK(contains(said, "cut short"));
    CHECK(contains(said, "other/plain/run_1/metrics.json:3: not valid JSON"));
    CHECK(contains(said, "other/plain/run_3/metrics.json:1: cut short"));
}

TEST_CASE("a damaged line in the middle of the journal is named, and is not taken for a missing cell") {
    const temporary_folder f;
    sample_sweep sweep = two_runtimes(f);
    sweep.cells().insert(sweep.cells().find('\n') + 1, "{\"runtime\":\"one\",\n");
    CHECK(contains(damage(sweep.write(), 6), "cells.jsonl:2: cut short"));
}

TEST_CASE("damaged requests are named with their line") {
    const temporary_folder f;
    const fs::path results = two_runtimes(f).write();
    f.write("sweep/one/plain/run_1/requests.jsonl", sample_requests() + "{\"execution\":7}\n");
    f.write("sweep/one/plain/run_2/requests.jsonl", "not json\n");
    const std::string said = damage(results, 4);
    CHECK(contains(said, "run_1/requests.jsonl:5: execution: should be a text, is 7"));
    CHECK(contains(said, "run_2/requests.jsonl:1: not valid JSON"));
}

TEST_CASE("requests that are missing at the end are missed") {
    const temporary_folder f;
    const fs::path results = two_runtimes(f).write();
    const std::string whole = sample_requests();
    f.write("sweep/one/plain/run_1/requests.jsonl", whole.substr(0, whole.size() - 20));
    f.write("sweep/one/plain/run_2/requests.jsonl", whole.substr(0, whole.rfind('\n', whole.size() - 2) + 1));
    f.write("sweep/one/plain/run_3/requests.jsonl", "");
    const std::string said = damage(results, 3);
    CHECK(contains(said, "run_1/requests.jsonl:4: cut short: the last line has no end"));
    CHECK(contains(said, "run_2/requests.jsonl: has 0 requests of agent \"insight\", but metrics.json beside it 1"));
    CHECK(contains(said, "run_3/requests.jsonl: has 0 requests of agent \"collector\", but metrics.json beside it 1"));
}

TEST_CASE("numbers that none can hold are named with their place") {
    const temporary_folder f;
    sample_sweep sweep = two_runtimes(f);
    std::string metrics = sample_metrics(sample_values({})).dump(2);
    metrics.replace(metrics.find("\"seed\": 1"), 9, "\"seed\": 1e999");
    f.write("sweep/one/plain/run_1/metrics.json", metrics);
    metrics.replace(metrics.find("1e999"), 5, "18446744073709551615");
    f.write("sweep/one/plain/run_2/metrics.json", metrics);
    const fs::path results = sweep.write();
    const std::string said = damage(results, 4);
    CHECK(contains(said, "run_1/metrics.json: not valid JSON"));
    CHECK(contains(said, "1e999"));
    CHECK(contains(said, "run_2/metrics.json: seed: should be a whole number of 64 bits"));
}

TEST_CASE("figures whose squares are infinite are refused, and those next to nothing are nothing") {
    const temporary_folder f;
    const fs::path results = two_runtimes(f).write();
    json metrics = sample_metrics(sample_values({}));
    metrics["values"]["wall_ms"] = -1e308;
    f.write("sweep/one/plain/run_1/metrics.json", metrics.dump());
    metrics["values"]["wall_ms"] = 1e-320;
    f.write("sweep/one/plain/run_2/metrics.json", metrics.dump());
    CHECK(contains(damage(results, 5), "values: wall_ms: is -1e+308; expected at most 1e+100 either way"));
    const study s = load_study(results);
    const auto run =
        std::ranges::find_if(s.runs, [](const study_run& r) { return r.runtime == "one" && r.number == 2; });
    CHECK(run->result.values.at("wall_ms") == 0);
}

TEST_CASE("a piece of more records than memory holds is refused") {
    const temporary_folder f;
    const fs::path results = two_runtimes(f).write();
    std::string requests = sample_requests();
    const std::string last = "[22000000,1,1,1,2,0]";
    requests.replace(requests.rfind(last), last.size(), "[22000000,1,1,1,1000000000000000,0]");
    f.write("sweep/one/plain/run_1/requests.jsonl", requests);
    CHECK(contains(damage(results, 5), "run_1/requests.jsonl:4: pieces[2]: has a number of more than 32 bits"));
}

TEST_CASE("another schema version says what was found and what was expected") {
    const temporary_folder f;
    sample_sweep sweep = two_runtimes(f);
    json old = sample_metrics(sample_values({}));
    old["schema_version"] = 1;
    f.write("sweep/one/plain/run_2/metrics.json", old.dump());
    CHECK(contains(damage(sweep.write(), 5),
                   "run_2/metrics.json: schema_version 1, expected 2 to 3: written by an older chimera-host"));
    sweep.sweep()["schema_version"] = 9;
    const std::string said = refusal(sweep.write());
    CHECK(contains(said, "sweep.json: schema_version 9, expected 1: written by a newer chimera-host"));
}

TEST_CASE("missing keys, wrong types and unknown names are named") {
    const temporary_folder f;
    sample_sweep sweep = two_runtimes(f);
    json metrics = sample_metrics(sample_values({}));
    metrics["values"]["wall_ms"] = "long";
    f.write("sweep/one/plain/run_1/metrics.json", metrics.dump());
    metrics = sample_metrics(sample_values({}));
    metrics.erase("concurrent");
    f.write("sweep/one/plain/run_2/metrics.json", metrics.dump());
    sweep.add_cell("third", "plain", 1, "failed", "", "third/plain/run_1");
    sweep.add_cell("one", "plain", 9, "failed", "", "../one/plain/run_9");
    const std::string said = damage(sweep.write(), 4);
    CHECK(contains(said, "run_1/metrics.json: values: wall_ms: should be a number, is string"));
    CHECK(contains(said, "run_2/metrics.json: key \"concurrent\" is missing"));
    CHECK(contains(said, "cells.jsonl:7: runtime \"third\" is not in sweep.json"));
    CHECK(contains(said, "cells.jsonl:8: folder \"../one/plain/run_9\" is not in the sweep's folder"));
}

TEST_CASE("counts that no study has, and values thousands of levels deep, are refused") {
    const temporary_folder f;
    sample_sweep sweep = two_runtimes(f);
    sweep.add_cell("one", "plain", 1, "failed", "", "one/plain/run_1");
    std::string& cells = sweep.cells();
    cells.replace(cells.rfind("\"run\":1"), 7, "\"run\":4294967297");
    CHECK(contains(damage(sweep.write(), 6), "cells.jsonl:7: run: should be a smaller number, is 4294967297"));
    sweep.sweep()["cells_planned"] = -1;
    CHECK(contains(refusal(sweep.write()), "sweep.json: cells_planned is -1; expected 0 to 1000000000"));
    const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
    f.write("sweep/sweep.json", "{\n\"a\": \"[[\\\"[[\", \"b\": " + deep + "}");
    CHECK(contains(refusal(f / "sweep"), "sweep.json:2: has more than 100 values in each other"));
}

TEST_CASE("a folder without results says where some are") {
    const temporary_folder f;
    two_runtimes(f).write();
    CHECK(contains(refusal(f.path()), "no results here"));
    CHECK(contains(refusal(f.path()), (f / "sweep").string()));
    CHECK(contains(refusal(f / "nowhere"), "there is no such file or folder"));
    fs::create_directories(f / "empty");
    CHECK(contains(refusal(f / "empty"), "is it the right folder?"));
    CHECK(contains(refusal(f / "sweep/cells.jsonl"), "give the folder"));
}

TEST_CASE("a campaign is one runtime; its folder has all runs, its summary those that it lists") {
    const temporary_folder f;
    const fs::path folder = campaign(f);
    const study all = load_study(folder);
    REQUIRE(all.runs.size() == 3);
    CHECK(!all.sweep);
    CHECK(all.runtimes[0].name == "smol");
    CHECK(all.backend == "simulator");
    CHECK(all.warnings == std::vector<std::string>{"the model was loaded"});
    CHECK(all.runs[1].ok());
    CHECK(all.runs[2].status == "crashed");
    const study listed = load_study(folder / "summary.json");
    REQUIRE(listed.runs.size() == 1);
    CHECK(listed.runs[0].number == 2);
}

TEST_CASE("a run of a campaign that its summary lists did finish: without its file it is lost") {
    const temporary_folder f;
    const fs::path folder = campaign(f);
    fs::remove_all(folder / "run_2");
    CHECK(contains(damage(folder, 1), "run_2/metrics.json: is missing"));
}

TEST_CASE("a single run is a study") {
    const temporary_folder f;
    const study s = load_study(campaign(f) / "run_2");
    REQUIRE(s.runs.size() == 1);
    CHECK(s.name == "sample");
    CHECK(s.runs[0].config == "plain");
    CHECK(s.runtimes[0].transport == "socket");
    CHECK(s.runs[0].number == 2);
    const study slash = load_study(f / "smol/plain/run_2/");
    CHECK(slash.runs[0].number == 2);
    CHECK(load_study(f / "smol/plain/run_2/.").runs[0].number == 2);
}
