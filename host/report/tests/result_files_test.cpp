#include "report/result_files.hpp"
#include "report/summary.hpp"
#include "sample_campaign.hpp"
#include "temporary_folder.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <iterator>
#include <system_error>

using namespace chimera::host;
using namespace chimera::test;
namespace fs = std::filesystem;

namespace {

/// A run that may be given a number.
run_record& keep(run_record run) {
    static run_record kept;
    return kept = std::move(run);
}

std::string read(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    REQUIRE_MESSAGE(in.good(), file.string());
    return {std::istreambuf_iterator<char>(in), {}};
}

} // namespace

TEST_CASE("a run leaves metrics, requests and texts, and no temporary file") {
    const temporary_folder s;
    const profile p = sample_profile();
    result_files files(p, s.path());
    files.add(keep(sample_run()));
    const fs::path run = files.folder() / "run_1";
    const auto metrics = nlohmann::json::parse(read(run / "metrics.json"));
    CHECK(metrics["schema_version"] == 3);
    CHECK(metrics["values"]["efficiency_pct"].get<double>() == doctest::Approx(100));
    const std::string texts = read(run / "texts.jsonl");
    CHECK(std::count(texts.begin(), texts.end(), '\n') == 4);
    const auto first = nlohmann::json::parse(texts.substr(0, texts.find('\n')));
    CHECK(first["execution"] == "alone");
    CHECK(first["prompt"] == "hello");
    CHECK(first["response"] == "world");
    const std::string lines = read(run / "requests.jsonl");
    CHECK(std::count(lines.begin(), lines.end(), '\n') == 4);
    for (const auto& entry : fs::recursive_directory_iterator(s.path())) CHECK(entry.path().extension() != ".tmp");
}

TEST_CASE("each run says where it comes from and what it cost, and so does the summary") {
    const temporary_folder s;
    const profile p = sample_profile();
    result_files files(p, s.path());
    run_record run = sample_run();
    run.origin = sample_origin();
    run.concurrent.cost.begun = "2025-11-14T09:30:05Z";
    run.concurrent.cost.cpu_user_s = 1.5;
    files.add(run);
    files.summarize(summarize(p, {run}));
    const auto metrics = nlohmann::json::parse(read(files.folder() / "run_1" / "metrics.json"));
    CHECK(metrics["provenance"]["machine"]["cpu_model"] == "AMD EPYC 7B13");
    CHECK(metrics["provenance"]["servers"][0]["version"] == "0.5.1");
    CHECK(metrics["concurrent"]["cost"]["begun"] == "2025-11-14T09:30:05Z");
    CHECK(metrics["concurrent"]["cost"]["cpu_user_s"] == 1.5);
    CHECK(!metrics["baseline"][0].contains("cost"));
    CHECK(nlohmann::json::parse(read(files.folder() / "summary.json"))["provenance"] == metrics["provenance"]);
}

TEST_CASE("a second campaign adds its runs behind the first one's") {
    const temporary_folder s;
    const profile p = sample_profile();
    for (int i = 0; i < 2; ++i) result_files(p, s.path()).add(keep(sample_run()));
    const fs::path folder = result_files(p, s.path()).folder();
    CHECK(fs::exists(folder / "run_1" / "metrics.json"));
    CHECK(fs::exists(folder / "run_2" / "metrics.json"));
}

TEST_CASE("two campaigns at once share a folder and take turns with the numbers") {
    const temporary_folder s;
    const profile p = sample_profile();
    result_files one(p, s.path()), other(p, s.path());
    run_record a = sample_run(), b = sample_run(), c = sample_run();
    one.add(a);
    other.add(b);
    one.add(c);
    CHECK(a.number == 1);
    CHECK(b.number == 2);
    CHECK(c.number == 3);
    CHECK(nlohmann::json::parse(read(one.folder() / "run_3" / "metrics.json"))["run"] == 3);
}

TEST_CASE("a folder that holds another configuration is left alone") {
    const temporary_folder s;
    profile p = sample_profile();
    result_files first(p, s.path());
    first.add(keep(sample_run()));
    p.workload.prompts = {"other"};
    result_files second(p, s.path());
    CHECK(first.folder() != second.folder());
    second.add(keep(sample_run()));
    CHECK(fs::exists(first.folder() / "run_1"));
    CHECK(fs::exists(second.folder() / "run_1"));
}

TEST_CASE("a failed run is kept with its errors and without figures") {
    const temporary_folder s;
    const profile p = sample_profile();
    result_files files(p, s.path());
    files.add(keep(sample_run(false)));
    const auto metrics = nlohmann::json::parse(read(files.folder() / "run_1" / "metrics.json"));
    CHECK(metrics["complete"] == false);
    CHECK(metrics["values"].contains("efficiency_pct") == false);
}

TEST_CASE("an output folder that cannot be made is named") {
    const profile p = sample_profile();
    CHECK_THROWS_WITH_AS(result_files(p, "/proc/nowhere"), doctest::Contains("/proc/nowhere"), std::system_error);
}
