// Process limits, and pipes or devices in place of files: the error names the limit or the file, and no measurement is
// lost.
#include "host_process.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <fstream>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

using namespace chimera::test;
namespace fs = std::filesystem;

namespace {

/// Replies whose results are larger than the limits on files below.
const std::vector<std::string> long_replies{"--set", "backend.simulator.reply_tokens_max=200", "--set",
                                            "backend.simulator.reply_tokens_min=100"};

std::vector<std::string> with(std::vector<std::string> arguments, const std::vector<std::string>& more) {
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

/// chimera-host under `limits`, commands of a shell such as "ulimit -f 8".
outcome limited(const std::string& limits, const std::vector<std::string>& arguments) {
    std::vector<std::string> words{"-c", limits + " && exec \"$0\" \"$@\"", host_program().string()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return process("/bin/bash", words).wait();
}

int lines_in(const fs::path& file) {
    std::ifstream in(file);
    int n = 0;
    for (std::string line; std::getline(in, line);) ++n;
    return n;
}

} // namespace

TEST_CASE("files that may not grow stop a sweep like a full disk: no cell is lost or counted, and --resume goes on") {
    for (const int kb : {1, 4, 8, 16}) {
        CAPTURE(kb);
        const temporary_folder f;
        const auto profile = f.write("quick.toml", quick_profile + two_runtimes);
        const auto arguments =
            with({"sweep", "--profile", profile.string(), "--output-dir", f.path().string()}, long_replies);
        const outcome o = limited("ulimit -f " + std::to_string(kb), arguments);
        CHECK_MESSAGE(o.status == 3, o.err);
        CHECK_MESSAGE(o.err.find("ulimit -f allows files of " + std::to_string(kb) + " KB") != std::string::npos,
                      o.err);
        CHECK(lines_in(f.path() / "quick" / "cells.jsonl") == 0);
        const outcome again = run_host(with(arguments, {"--resume"}));
        CHECK_MESSAGE(again.status == 0, again.err);
        CHECK(lines_in(f.path() / "quick" / "cells.jsonl") == 4);
    }
}

TEST_CASE("files that may not grow are an error of a run and of a report") {
    const temporary_folder f;
    const auto profile = f.write("quick.toml", quick_profile);
    const auto run =
        with({"run", "--profile", profile.string(), "--output-dir", f.path().string(), "--ui", "none"}, long_replies);
    const outcome o = limited("ulimit -f 4", run);
    CHECK_MESSAGE(o.status == 3, o.err);
    CHECK_MESSAGE(o.err.find("ulimit -f allows files of 4 KB") != std::string::npos, o.err);
    REQUIRE(run_host(run).status == 0);
    const fs::path results = f.path() / "quick";
    fs::path campaign;
    for (const auto& entry : fs::recursive_directory_iterator(results))
        if (entry.path().filename() == "summary.json") campaign = entry.path().parent_path();
    const outcome report = limited("ulimit -f 1", {"report", campaign.string(), "--format", "json", "--output",
                                                   (f.path() / "report.json").string()});
    CHECK_MESSAGE(report.status == 3, report.err);
    CHECK(report.err.find("ulimit -f") != std::string::npos);
    CHECK(!fs::exists(f.path() / "report.json"));
}

TEST_CASE("memory and threads that may not be had are named with their limit") {
    const temporary_folder f;
    const auto profile = f.write("quick.toml", quick_profile);
    const std::vector<std::string> run{"run",          "--profile",       profile.string(),
                                       "--output-dir", f.path().string(), "--ui",
                                       "none",         "--set",           "executor.options.workers=64"};
    // 64 threads have stacks of 512 MB together.
    const outcome memory = limited("ulimit -v 300000", run);
    CHECK_MESSAGE(memory.status == 3, memory.err);
    CHECK_MESSAGE(memory.err.find("ulimit -v allows 300000 KB of address space") != std::string::npos, memory.err);
    const outcome files = limited("ulimit -n 20", run);
    CHECK_MESSAGE(files.status == 3, files.err);
    CHECK_MESSAGE(files.err.find("ulimit -n") != std::string::npos, files.err);
    const outcome stack = limited("ulimit -s 64", run);
    CHECK_MESSAGE(stack.status == 3, stack.err);
    CHECK_MESSAGE(stack.err.find("ulimit -s allows a stack of 64 KB") != std::string::npos, stack.err);
    if (geteuid() != 0) {
        MESSAGE("ulimit -u is not tried: only root can become a user without processes");
        return;
    }
    chmod(f.path().c_str(), 0777);
    const outcome threads = limited(
        "ulimit -u 5 && set -- setpriv --reuid 65533 --regid 65533 --clear-groups \"$0\" \"$@\" && exec \"$@\" #", run);
    CHECK_MESSAGE(threads.status == 3, threads.err);
    CHECK_MESSAGE(threads.err.find("ulimit -u allows this user 5 processes and threads") != std::string::npos,
                  threads.err);
}

TEST_CASE("only a regular file is a profile, and Ctrl-C is not kept waiting by another") {
    const temporary_folder f;
    const fs::path pipe = f.path() / "pipe.toml", large = f.path() / "large.toml";
    REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
    std::ofstream(large) << "";
    fs::resize_file(large, 2U << 20U);
    const std::pair<std::string, const char*> wrong[] = {{pipe.string(), "is a pipe"},
                                                         {f.path().string(), "is a folder"},
                                                         {"/dev/zero", "is a device"},
                                                         {"/proc/self/mem", "cannot be read"},
                                                         {large.string(), "has more than 1 MiB"}};
    for (const auto& [file, why] : wrong)
        for (const std::string command : {"run", "sweep", "selfcheck"}) {
            CAPTURE(file);
            const outcome o = run_host({command, "--profile", file, "--dry-run"});
            CHECK(o.status == 2);
            CHECK_MESSAGE(o.err.find(file) != std::string::npos, o.err);
            CHECK_MESSAGE(o.err.find(why) != std::string::npos, o.err);
        }
}
