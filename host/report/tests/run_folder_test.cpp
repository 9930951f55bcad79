// What a run's files are held against: their own seals, each other, and what was recorded of them.
#include "report/result_files.hpp"
#include "result/run_folder.hpp"
#include "result/sealed_file.hpp"
#include "result/whole_file.hpp"
#include "sample_campaign.hpp"
#include "temporary_folder.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include <sys/syscall.h>
#include <unistd.h>

using namespace chimera::host;
using namespace chimera::test;
namespace fs = std::filesystem;

namespace {

int file_systems_synced = 0, files_synced = 0;

} // namespace

// In place of libc's, to count them.
extern "C" int syncfs(int fd) {
    ++file_systems_synced;
    return static_cast<int>(syscall(SYS_syncfs, fd));
}
extern "C" int fsync(int fd) {
    ++files_synced;
    return static_cast<int>(syscall(SYS_fsync, fd));
}

namespace {

using json = nlohmann::ordered_json;

/// A campaign of two runs.
struct written {
    written() : files(p, folder.path()) {
        for (run_record run : {sample_run(), sample_run()}) {
            files.add(run);
            runs.push_back(run);
        }
        files.summarize(summarize(p, runs));
    }
    fs::path run(int n) const { return files.folder() / ("run_" + std::to_string(n)); }

    temporary_folder folder;
    profile p = sample_profile();
    std::vector<run_record> runs;
    result_files files;
};

std::string fault(const fs::path& run, const run_claims& claimed = {}) {
    try {
        read_run(run, claimed);
    } catch (const results_error& e) {
        return e.what();
    }
    return "";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("a run as it was written has no fault, and the summary has its seal") {
    const written w;
    const json summary = json::parse(read_whole(w.files.folder() / "summary.json"));
    CHECK(check_seal(read_whole(w.files.folder() / "summary.json"), seal_form::document).fault.empty());
    const json metrics = json::parse(read_whole(w.run(2) / "metrics.json"));
    CHECK(summary["run_crc32"]["run_2"] == metrics["crc32"]);
    CHECK(metrics["requests_file"]["bytes"] == fs::file_size(w.run(2) / "requests.jsonl"));
    CHECK(fault(w.run(2), {.metrics_crc32 = metrics["crc32"],
                           .config_hash = config_hash(w.p),
                           .number = 2,
                           .efficiency_pct = efficiency_of(read_run(w.run(2)).result)}) == "");
    CHECK(fault_of_profile(w.files.folder(), config_hash(w.p)) == "");
}

TEST_CASE("a run syncs as often with many agents as with two, and the file system only for many reports") {
    const auto syncs_of = [](std::size_t agents, std::size_t reports) {
        const temporary_folder folder;
        const profile p = sample_profile();
        result_files files(p, folder.path());
        run_record first = sample_run(), run = sample_run();
        files.add(first); // the folders that lead there are synced once
        run.concurrent.agents.assign(agents, sample_agent("a"));
        for (std::size_t i = 0; i < reports; ++i) {
            run.concurrent.agents[i].id = "agent_" + std::to_string(i);
            run.concurrent.agents[i].report = "# Report";
        }
        file_systems_synced = files_synced = 0;
        files.add(run);
        return std::pair(file_systems_synced, files_synced);
    };
    CHECK(syncs_of(2, 0) == std::pair(0, 5)); // two files of lines, metrics.json, its folder, the folder above
    CHECK(syncs_of(1000, 0) == std::pair(0, 5));
    CHECK(syncs_of(2, 2) == std::pair(0, 8)); // each report, and their folder
    CHECK(syncs_of(1000, 1000) == std::pair(1, 5));
}

TEST_CASE(
    "a metrics.json that is too long to be kept in one piece is whole, and its seal is the one that is recorded") {
    const temporary_folder folder;
    const profile p = sample_profile();
    result_files files(p, folder.path());
    run_record run = sample_run();
    run.concurrent.agents.assign(2000, sample_agent("a"));
    files.add(run);
    files.summarize(summarize(p, {run}));
    const fs::path metrics = files.folder() / "run_1" / "metrics.json";
    CHECK(fs::file_size(metrics) > 10 * json_fields::longest_kept);
    const run_on_disk read = read_run(metrics.parent_path());
    CHECK(read.result.concurrent.agents.size() == 2000);
    CHECK(json::parse(read_whole(files.folder() / "summary.json"))["run_crc32"]["run_1"] == read.seal);
}

TEST_CASE("the texts of a run are in its files, and no longer in memory") {
    const temporary_folder folder;
    const profile p = sample_profile();
    result_files files(p, folder.path());
    run_record run = sample_run();
    agent_record& a = run.concurrent.agents.front();
    request_record& r = a.requests.front();
    for (std::string* text : {&r.prompt, &r.response, &r.reasoning, &a.report}) text->assign(1000, 'x');
    files.add(run);
    const std::string written = read_whole(files.folder() / "run_1" / "texts.jsonl");
    CHECK(std::ranges::count(written, 'x') >= 3000);
    for (const std::string* text : {&r.prompt, &r.response, &r.reasoning, &a.report}) CHECK(text->capacity() < 1000);
}

TEST_CASE("texts.jsonl is checked as requests.jsonl is") {
    const written w;
    const fs::path file = w.run(1) / "texts.jsonl";
    std::string changed = read_whole(file);
    changed.replace(changed.find("world"), 5, "wOrld");
    write_whole(file, changed);
    CHECK(contains(fault(w.run(1)), "texts.jsonl:1: is damaged: its bytes give the checksum"));
    fs::remove(file);
    CHECK(contains(fault(w.run(1)), "texts.jsonl: is missing"));
}

TEST_CASE("requests.jsonl that was taken away, cut, changed or exchanged is told, with its line where there is one") {
    const written w;
    const fs::path file = w.run(1) / "requests.jsonl";
    const std::string good = read_whole(file);
    std::string changed = good;
    const std::size_t second = changed.find("\"tokens\":", changed.find('\n'));
    changed[second + 9] = changed[second + 9] == '9' ? '8' : '9';
    write_whole(file, changed);
    CHECK(contains(fault(w.run(1)), "requests.jsonl:2: is damaged: its bytes give the checksum"));
    write_whole(file, good.substr(0, good.find('\n') + 1)); // whole lines
    CHECK(contains(fault(w.run(1)), "requests.jsonl: is not the file that was written"));
    fs::remove(file);
    CHECK(contains(fault(w.run(1)), "requests.jsonl: is missing"));
    write_whole(file, good);
    CHECK(fault(w.run(1)) == "");
}

TEST_CASE("another run's metrics.json, whole as it is, is not the one that was recorded") {
    const written w;
    const std::string seal = check_seal(read_whole(w.run(1) / "metrics.json"), seal_form::document).seal;
    CHECK(contains(fault(w.run(2), {.metrics_crc32 = seal, .config_hash = {}, .number = 2, .efficiency_pct = {}}),
                   "is not the file that was written"));
    CHECK(contains(fault(w.run(2), {.metrics_crc32 = {}, .config_hash = {}, .number = 1, .efficiency_pct = {}}),
                   "is of run 2, but lies in the folder of run 1"));
    CHECK(contains(fault(w.run(2), {.metrics_crc32 = {}, .config_hash = "0", .number = 2, .efficiency_pct = {}}),
                   "but 0 was recorded"));
    CHECK(contains(fault(w.run(2), {.metrics_crc32 = {}, .config_hash = {}, .number = 2, .efficiency_pct = 1.5}),
                   "but 1.5 % was recorded"));
}

TEST_CASE("a file whose seal was taken out is told where a seal was recorded") {
    const written w;
    json metrics = json::parse(read_whole(w.run(1) / "metrics.json"));
    const std::string seal = metrics["crc32"];
    metrics.erase("crc32");
    write_whole(w.run(1) / "metrics.json", metrics.dump(2) + "\n");
    CHECK(fault(w.run(1)) == "");
    CHECK(contains(fault(w.run(1), {.metrics_crc32 = seal, .config_hash = {}, .number = 1, .efficiency_pct = {}}),
                   "it has no \"crc32\", " + seal + " was recorded"));
}

TEST_CASE("a changed profile.toml is told, and so is another configuration's") {
    const written w;
    const fs::path file = w.files.folder() / "profile.toml";
    const std::string good = read_whole(file);
    CHECK(
        contains(fault_of_profile(w.files.folder(), "0123"), "profile.toml: is of configuration " + config_hash(w.p)));
    std::string changed = good;
    changed.replace(changed.find("runs = "), 7, "runs = 1");
    write_whole(file, changed);
    CHECK(contains(fault_of_profile(w.files.folder(), config_hash(w.p)), "profile.toml: is damaged"));
    write_profile(w.files.folder(), w.p);
    CHECK(read_whole(file) == good);
    fs::remove(file);
    CHECK(fault_of_profile(w.files.folder(), config_hash(w.p)) == "");
}
