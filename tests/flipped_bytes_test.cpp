// Damaged results: whatever byte of them changes, report tells it, or its figures are the same.
#include "host_process.hpp"

#include "study/analysis.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <random>

using namespace chimera::test;

namespace {

namespace fs = std::filesystem;
using json = nlohmann::ordered_json;

/// Results whose files are damaged and restored, one at a time.
struct results {
    results() {
        const fs::path sweep_profile = folder.write("sweep.toml", quick_profile + two_runtimes);
        const fs::path run_profile = folder.write("run.toml", quick_profile);
        again = {"sweep", "--profile", sweep_profile.string(), "--output-dir", folder.path().string(), "--resume"};
        REQUIRE(run_host(again).status == 0);
        REQUIRE(
            run_host({"run", "--profile", run_profile.string(), "--output-dir", (folder / "runs").string()}).status ==
            0);
        sweep = folder / "quick";
        campaign = fs::directory_iterator(folder / "runs/quick")->path();
        for (const fs::path& root : {sweep, campaign})
            for (const auto& entry : fs::recursive_directory_iterator(root)) {
                const std::string name = entry.path().filename();
                if (name.ends_with(".jsonl") ||
                    (name.ends_with(".json") && entry.path().parent_path().filename() != "logs"))
                    files.push_back(entry.path());
            }
        std::ranges::sort(files);
    }
    const fs::path& study_of(const fs::path& file) const {
        return file.string().starts_with(sweep.string()) ? sweep : campaign;
    }
    void write(const fs::path& file, const std::string& text) const {
        folder.write(file.lexically_relative(folder.path()), text);
    }

    temporary_folder folder;
    fs::path sweep, campaign;
    std::vector<fs::path> files;
    std::vector<std::string> again;
};

/// The report, or the error.
struct outcome_of_reading {
    json report;
    std::string told;
};

outcome_of_reading report_of(const fs::path& study_folder) {
    using namespace chimera::host;
    try {
        study s = load_study(study_folder);
        read_requests(s);
        std::string told;
        for (const std::string& what : damage_of(s)) told += what + "\n";
        return {to_json(report_of(s, "test")), told};
    } catch (const results_error& e) {
        return {nullptr, e.what()};
    }
}

/// One byte changed, taken out or put in, or the end cut off; never nothing.
std::string damaged(const std::string& good, std::mt19937& random) {
    std::string bad = good;
    const auto below = [&random](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    const std::size_t at = below(good.size());
    switch (below(10)) {
    case 0:
        bad.erase(at, 1);
        break;
    case 1:
        bad.insert(at, 1, static_cast<char>(below(256)));
        break;
    case 2:
        bad.resize(at);
        break;
    case 3:
        bad[at] = static_cast<char>(bad[at] ^ static_cast<char>(1 + below(255)));
        break;
    default:
        bad[at] = static_cast<char>(bad[at] ^ static_cast<char>(1U << below(8)));
    }
    return bad;
}

} // namespace

TEST_CASE("of 240 damaged files none changes a figure without being named") {
    const results r;
    REQUIRE(r.files.size() == 2 + 12 + 1 + 6); // sweep.json, cells.jsonl, summary.json, and three for each run
    const outcome_of_reading sweep = report_of(r.sweep), campaign = report_of(r.campaign);
    CHECK(sweep.told == "");
    CHECK(campaign.told == "");
    std::mt19937 random(11);
    std::size_t named = 0;
    for (int i = 0; i < 240; ++i) {
        const fs::path& file = r.files[random() % r.files.size()];
        const std::string good = content_of(file), bad = damaged(good, random);
        r.write(file, bad);
        const fs::path& study_folder = r.study_of(file);
        const outcome_of_reading now = report_of(study_folder);
        const bool same = now.told.empty() && now.report == (study_folder == r.sweep ? sweep : campaign).report;
        const bool told = now.told.find(file.filename().string()) != std::string::npos;
        named += told;
        CHECK_MESSAGE((told || same), i << ": " << file.string() << ": " << now.told);
        if (i % 24 == 0 && !same) { // the same through the program
            const outcome o = run_host({"report", study_folder.string(), "--format", "json"});
            CHECK(o.status == 2);
            CHECK_MESSAGE(o.err.find(file.filename().string()) != std::string::npos, o.err);
            // sweep.json is written again, and cells whose lines the journal lost are taken up again.
            const bool mended = file.filename() == "sweep.json" || (file.filename() == "cells.jsonl" &&
                                                                    (bad.size() < good.size() || !bad.ends_with('\n')));
            if (study_folder == r.sweep && !mended) {
                std::vector<std::string> dry = r.again;
                dry.emplace_back("--dry-run");
                const outcome looked = run_host(dry);
                CHECK_MESSAGE(looked.status != 0, file.string());
                CHECK_MESSAGE(looked.err.find(file.filename().string()) != std::string::npos, looked.err);
            }
        }
        r.write(file, good);
    }
    CHECK(named > 230); // a journal that lacks only its last newline is whole
    CHECK(report_of(r.sweep).report == sweep.report);
}

TEST_CASE("results without seals, as older versions wrote them, are read as they are") {
    const results r;
    const outcome_of_reading sealed = report_of(r.sweep);
    const auto strip = [](json j) {
        for (const char* key : {"crc32", "metrics_crc32", "requests_file", "texts_file", "run_crc32"}) j.erase(key);
        return j;
    };
    for (const fs::path& file : r.files) {
        if (file.extension() == ".json") {
            r.write(file, strip(json::parse(content_of(file))).dump(2) + "\n");
            continue;
        }
        std::ifstream in(file);
        std::string lines;
        for (std::string line; std::getline(in, line);) lines += strip(json::parse(line)).dump() + "\n";
        r.write(file, lines);
    }
    const outcome_of_reading old = report_of(r.sweep);
    CHECK(old.told == "");
    CHECK(old.report == sealed.report);
    CHECK(report_of(r.campaign).told == "");
    CHECK(run_host(r.again).status == 0);
    CHECK(report_of(r.sweep).report == sealed.report); // nothing was run again
}
