// A sweep that is killed again and again loses nothing, does nothing twice and leaves nothing behind.
#include "host_process.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <thread>

using namespace chimera::test;

namespace {

namespace fs = std::filesystem;

/// Report agents, which have a corpus, on servers that share a GPU.
std::string profile_text() {
    std::string text = quick_profile + two_runtimes + "[sweep.grid]\n\"workload.permits\" = [1, 2]\n";
    const auto calls = text.find("kind = \"calls\"");
    return text.erase(calls, text.find("[measure]") - calls);
}
constexpr std::size_t cells_planned = 32;

std::map<std::string, int> cells(const fs::path& sweep) {
    std::ifstream in(sweep / "cells.jsonl");
    std::map<std::string, int> out;
    for (std::string line; std::getline(in, line) && !in.eof();) ++out[nlohmann::json::parse(line)["folder"]];
    return out;
}

std::vector<std::string> leftovers(const fs::path& folder) {
    std::vector<std::string> out;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (entry.path().filename().string().find(".tmp") != std::string::npos ||
            entry.path().filename().string().starts_with("chimera-"))
            out.push_back(entry.path().string());
    return out;
}

} // namespace

TEST_CASE("killed at forty random moments and resumed each time, a sweep has every cell exactly once") {
    const temporary_folder folder;
    const fs::path results = folder / "results", places[] = {folder / "tmp", folder / "cache"};
    for (const fs::path& place : places) fs::create_directory(place);
    setenv("TMPDIR", places[0].c_str(), 1);
    setenv("XDG_CACHE_HOME", places[1].c_str(), 1);
    const fs::path profile = folder.write("quick.toml", profile_text()), sweep = results / "quick";
    const std::vector<std::string> resume{"sweep",          "--profile",
                                          profile.string(), "--output-dir",
                                          results.string(), "--resume",
                                          "--runs",         "8",
                                          "--set",          "backend.simulator.shared_gpu=true"};
    std::mt19937 random(7);
    std::size_t seen = 0;
    for (int i = 0; i < 40; ++i) {
        process p(host_program(), resume);
        std::this_thread::sleep_for(std::chrono::milliseconds(20 + random() % 400));
        p.signal(SIGKILL);
        p.wait();
        const std::size_t now = cells(sweep).size();
        CHECK(now >= seen); // nothing that was there is lost
        seen = now;
    }
    const outcome last = run_host(resume);
    CHECK_MESSAGE(last.status == 0, last.err);
    const auto done = cells(sweep);
    CHECK(done.size() == cells_planned);
    for (const auto& [cell, times] : done) CHECK_MESSAGE(times == 1, cell);
    const outcome report = run_host({"report", sweep.string(), "--format", "json"});
    CHECK_MESSAGE(report.status == 0, report.err);
    CHECK(report.json()["cells"]["ok"] == cells_planned);
    CHECK(simulators_running() == 0);
    CHECK(leftovers(results) == std::vector<std::string>{});
    for (const fs::path& place : places) CHECK_MESSAGE(fs::is_empty(place), place.string());
    const outcome again = run_host(resume);
    CHECK(again.status == 0);
    CHECK(cells(sweep) == done); // there is nothing to do
}
