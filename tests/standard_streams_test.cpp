// Programs that are started with standard streams closed, or that cannot be written: no file is spoilt, no plugin is
// blamed, and nothing that was to be printed is lost without a word.
#include "host_process.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <fstream>
#include <sstream>
#include <string>

#include <unistd.h>

using namespace chimera::test;
namespace fs = std::filesystem;

namespace {

/// A program started by a shell with these redirections, such as "2>&-".
outcome redirected(const fs::path& program, const std::vector<std::string>& arguments, const std::string& how) {
    std::vector<std::string> words{"-c", "\"$0\" \"$@\" " + how, program.string()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return process("/bin/sh", words).wait();
}

outcome redirected(const std::vector<std::string>& arguments, const std::string& how) {
    return redirected(host_program(), arguments, how);
}

std::string text_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

/// Every subset of the three streams, closed.
std::vector<std::string> closed_streams() {
    std::vector<std::string> all;
    for (unsigned set = 1; set < 8; ++set)
        all.push_back(std::string(set & 1U ? "<&- " : "") + (set & 2U ? ">&- " : "") + (set & 4U ? "2>&- " : ""));
    return all;
}

bool closes_output(const std::string& how) { return how.find(" >&-") != std::string::npos || how.starts_with(">&-"); }

} // namespace

TEST_CASE("a sweep with any streams closed writes nothing but its results into its files") {
    for (const std::string& how : closed_streams()) {
        CAPTURE(how);
        const temporary_folder f;
        const auto profile = f.write("quick.toml", quick_profile + two_runtimes);
        const std::vector<std::string> arguments{"sweep", "--profile", profile.string(), "--output-dir",
                                                 f.path().string()};
        const outcome o = redirected(arguments, how);
        CHECK_MESSAGE(o.status == (closes_output(how) ? 3 : 0), o.err); // the table could not be printed
        std::istringstream lines(text_of(f.path() / "quick" / "cells.jsonl"));
        int cells = 0;
        for (std::string line; std::getline(lines, line); ++cells)
            CHECK_MESSAGE(nlohmann::json::parse(line, nullptr, false).is_object(), line);
        CHECK(cells == 4);
        std::vector<std::string> resumed = arguments;
        resumed.emplace_back("--resume");
        const outcome again = run_host(resumed);
        CHECK_MESSAGE(again.status == 0, again.err);
        const outcome report = run_host({"report", (f.path() / "quick").string()});
        CHECK_MESSAGE(report.status == 0, report.err);
    }
}

TEST_CASE("a trace holds no summary where standard output is closed") {
    for (const std::string& how : closed_streams()) {
        CAPTURE(how);
        const temporary_folder f;
        const auto profile = f.write("quick.toml", quick_profile);
        const fs::path trace = f.path() / "trace.json";
        const outcome o = redirected(
            {"run", "--profile", profile.string(), "--output-dir", f.path().string(), "--trace", trace.string()}, how);
        CHECK_MESSAGE(o.status == (closes_output(how) ? 3 : 0), o.err);
        CHECK(nlohmann::json::parse(text_of(trace), nullptr, false).is_structured());
    }
}

TEST_CASE("plugins are found and tried alike, whatever is closed") {
    const outcome usual = run_host({"inspect", "uv_pinned"});
    REQUIRE(usual.status == 0);
    for (const std::string& how : closed_streams()) {
        CAPTURE(how);
        for (const std::vector<std::string>& arguments : {std::vector<std::string>{"inspect", "uv_pinned"},
                                                          {"inspect", "curl"},
                                                          {"validate", "fiber", "--case", "entry.*"}}) {
            const outcome o = redirected(arguments, how);
            CHECK_MESSAGE(o.status == (closes_output(how) ? 3 : 0), o.out << o.err);
        }
        if (!closes_output(how)) CHECK(redirected({"inspect", "uv_pinned"}, how).out == usual.out);
    }
}

TEST_CASE("what cannot be printed is an error of every command") {
    const temporary_folder f;
    const auto profile = f.write("quick.toml", quick_profile),
               sweep = f.write("swept.toml", quick_profile + two_runtimes);
    const std::string results = f.path().string();
    REQUIRE(run_host({"run", "--profile", profile.string(), "--output-dir", results, "--ui", "none"}).status == 0);
    fs::path campaign;
    for (const auto& entry : fs::recursive_directory_iterator(f.path()))
        if (entry.path().filename() == "summary.json") campaign = entry.path().parent_path();
    REQUIRE(!campaign.empty());
    fs::copy(campaign, f.path() / "copy", fs::copy_options::recursive);
    const std::vector<std::vector<std::string>> commands{
        {"--help"},
        {"--version"},
        {"sweep", "--help"},
        {"run", "--profile", profile.string(), "--dry-run"},
        {"run", "--profile", profile.string(), "--output-dir", results, "--ui", "none"},
        {"run", "--profile", profile.string(), "--output-dir", results, "--ui", "none", "--json"},
        {"sweep", "--profile", sweep.string(), "--dry-run"},
        {"sweep", "--profile", sweep.string(), "--output-dir", results},
        {"selfcheck", "--profile", profile.string(), "--dry-run"},
        {"plugins"},
        {"inspect", "socket"},
        {"validate", "--list"},
        {"validate", "socket", "--case", "entry.*"},
        {"report", campaign.string()},
        {"compare", campaign.string(), (f.path() / "copy").string()},
        {"new", "executor", "mine", (f.path() / "mine").string(), "--lang", "c"},
    };
    for (const auto& arguments : commands) {
        CAPTURE(arguments[0]);
        const outcome o = redirected(arguments, ">/dev/full");
        CHECK(o.status == 3);
        CHECK_MESSAGE(o.err.find("No space left on device") != std::string::npos, o.err);
    }
    for (const std::string option : {"--help", "--version", "--quiet"}) { // the last says where it listens
        const outcome o = redirected(simulator_program(), {option}, ">/dev/full");
        CHECK(o.status == 3);
        CHECK_MESSAGE(o.err.find("No space left on device") != std::string::npos, o.err);
    }
}

TEST_CASE("messages that cannot be written cost nothing else") {
    const temporary_folder f;
    const auto profile = f.write("quick.toml", quick_profile + two_runtimes);
    const outcome o =
        redirected({"sweep", "--profile", profile.string(), "--output-dir", f.path().string()}, "2>/dev/full");
    CHECK(o.status == 0);
    CHECK(o.out.find("fiber") != std::string::npos);
    const auto single = f.write("single.toml", quick_profile);
    for (const std::string ui : {"plain", "none"}) {
        const outcome run = redirected(
            {"run", "--profile", single.string(), "--output-dir", f.path().string(), "--ui", ui, "--metrics-port", "0"},
            "2>/dev/full");
        CHECK(run.status == 0);
        CHECK(run.out.find("efficiency") != std::string::npos);
    }
    CHECK(redirected({"run", "--no-such-option"}, "2>/dev/full").status == 2);
}

TEST_CASE("the simulator serves with closed streams as with open ones, and ends where nobody can learn its address") {
    CHECK(redirected(simulator_program(), {"--quiet"}, ">&-").status == 3);
    process simulator("/bin/sh", {"-c", "exec \"$0\" <&- 2>&-", simulator_program().string()});
    for (int i = 0; i < 1000 && simulators_running() == 0; ++i) usleep(10'000);
    usleep(200'000); // it listens once it has said so
    simulator.signal(SIGTERM);
    const outcome o = simulator.wait();
    CHECK(o.status == 0);
    CHECK(o.out.starts_with("listening http://"));
    CHECK(simulators_running() == 0);
}
