// Sweeps as a user runs them: killed, resumed, out of disk, with plugins that crash and hang.
#include "host_process.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <thread>

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace chimera::test;

namespace {

namespace fs = std::filesystem;

// Eight cells.
const std::string quick = quick_profile + two_runtimes + "[sweep.grid]\n\"workload.permits\" = [1, 2]\n";

std::vector<std::string> arguments(const fs::path& profile, const fs::path& results,
                                   std::vector<std::string> more = {}) {
    std::vector<std::string> all{"sweep", "--profile", profile.string(), "--output-dir", results.string()};
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

std::vector<nlohmann::json> journal(const fs::path& sweep) {
    std::ifstream in(sweep / "cells.jsonl");
    std::vector<nlohmann::json> out;
    for (std::string line; std::getline(in, line);) out.push_back(nlohmann::json::parse(line));
    return out;
}

/// How often each cell is in the journal.
std::map<std::string, int> cells(const fs::path& sweep) {
    std::map<std::string, int> out;
    for (const auto& e : journal(sweep)) ++out[e["folder"].get<std::string>()];
    return out;
}

/// With a server that nobody can reach, where nobody looks whether it is there.
std::vector<std::string> unreachable(std::vector<std::string> more) {
    more.insert(more.end(), {"--url", "http://127.0.0.1:9", "--no-preflight", "--set", "sweep.wait_for_server_s=0"});
    return more;
}

void check_complete(const fs::path& sweep, std::size_t expected) {
    const auto done = cells(sweep);
    CHECK(done.size() == expected);
    for (const auto& [cell, times] : done) {
        CHECK_MESSAGE(times == 1, cell);
        CHECK_MESSAGE(fs::exists(sweep / cell / "metrics.json"), cell);
    }
}

} // namespace

TEST_CASE("a cell whose files are lost or damaged is run again, which is said, and what is left of it is kept") {
    const temporary_folder folder;
    const auto profile = folder.write("quick.toml", quick);
    const std::vector<std::string> again{"--runs", "2", "--only", "pool/*", "--resume"};
    REQUIRE(run_host(arguments(profile, folder.path(), {"--runs", "2", "--only", "pool/*"})).status == 0);
    const fs::path sweep = folder / "quick", group = sweep / "pool/permits1";
    const std::string report = (sweep).string();
    REQUIRE(run_host({"report", report}).status == 0);

    fs::remove(group / "run_1/metrics.json");
    const std::string requests = content_of(group / "run_2/requests.jsonl");
    folder.write("quick/pool/permits1/run_2/requests.jsonl",
                 requests.substr(0, requests.rfind('\n', requests.size() - 2) + 1));
    folder.write("quick/pool/permits2/run_1/metrics.json", "");
    fs::copy_file(group / "run_2/metrics.json", sweep / "pool/permits2/run_2/metrics.json",
                  fs::copy_options::overwrite_existing); // whole, but another configuration's
    fs::create_directory(group / "run_1.damaged");       // of an earlier time
    const outcome told = run_host({"report", report});
    CHECK(told.status == 2);
    const std::vector<std::string> lost{"permits1/run_1/metrics.json: is missing",
                                        "permits1/run_2/requests.jsonl: is not the file",
                                        "permits2/run_1/metrics.json:", "permits2/run_2/metrics.json: is not the file"};
    for (const std::string& what : lost) CHECK_MESSAGE(contains(told.err, what), told.err);

    std::vector<std::string> dry = again;
    dry.emplace_back("--dry-run");
    const std::string before = content_of(sweep / "cells.jsonl");
    const outcome looked = run_host(arguments(profile, folder.path(), dry));
    CHECK(looked.status == 2);
    for (const std::string& what : lost) CHECK_MESSAGE(contains(looked.err, what), looked.err);
    CHECK(content_of(sweep / "cells.jsonl") == before);

    const outcome resumed = run_host(arguments(profile, folder.path(), again));
    CHECK_MESSAGE(resumed.status == 0, resumed.err);
    for (const std::string& what : lost) CHECK_MESSAGE(contains(resumed.err, what), resumed.err);
    CHECK(contains(resumed.err, "pool/permits1/run_1 is run again, what is left of it is kept as run_1.damaged-2"));
    CHECK(fs::exists(group / "run_1.damaged-2/requests.jsonl"));
    CHECK(fs::exists(group / "run_2.damaged/metrics.json"));
    const auto lines = journal(sweep);
    CHECK(lines.size() == 4 + 4 + 4);
    CHECK(std::count_if(lines.begin(), lines.end(), [](const auto& e) { return e["status"] == "lost"; }) == 4);
    CHECK(run_host({"report", report}).status == 0);
    CHECK(run_host(arguments(profile, folder.path(), dry)).status == 0);
    CHECK(run_host(arguments(profile, folder.path(), again)).status == 0);
    CHECK(journal(sweep).size() == lines.size()); // nothing is left to do
}

TEST_CASE("a cell that was lost and whose sweep was killed before it was run again is told, and run by the next") {
    const temporary_folder folder;
    const auto profile = folder.write("quick.toml", quick);
    const std::vector<std::string> one{"--runs", "1", "--only", "pool/*", "--resume"};
    REQUIRE(run_host(arguments(profile, folder.path(), one)).status == 0);
    fs::remove_all(folder / "quick/pool/permits1/run_1");
    process p(host_program(), arguments(profile, folder.path(), one));
    p.wait_for_error_text("is run again");
    p.signal(SIGKILL);
    p.wait();
    if (journal(folder.path() / "quick").back()["status"] == "lost") { // a busy machine may kill late
        const outcome told = run_host({"report", (folder / "quick").string()});
        CHECK(told.status == 2);
        CHECK(contains(told.err, "permits1/run_1 was lost and has not been run again"));
    }
    CHECK(run_host(arguments(profile, folder.path(), one)).status == 0);
    CHECK(run_host({"report", (folder / "quick").string()}).status == 0);
}

TEST_CASE("a run whose executor does not stop is ended some seconds after its time limit") {
    const temporary_folder folder;
    const auto profile = folder.write("hang.toml", quick_profile);
    const std::string plugin = CHIMERA_TEST_PLUGIN_DIR "/crashing_executor.so";
    const outcome o = run_host({"run", "--profile", profile.string(), "--output-dir", folder.path().string(), "--ui",
                                "none", "--set", "executor.plugin=" + plugin, "--set", "executor.options.how=hang",
                                "--set", "measure.time_limit_s=1"});
    CHECK(o.status == 1);
    CHECK_MESSAGE(contains(o.err, "ended at once"), o.err);
    for (int i = 0; i < 100 && simulators_running() > 0; ++i) usleep(20'000);
    CHECK(simulators_running() == 0);
}

TEST_CASE("a pipe or a device in place of a result file is told, and nobody waits for it") {
    const temporary_folder folder;
    const auto profile = folder.write("quick.toml", quick);
    const std::vector<std::string> one{"--runs", "1", "--only", "pool/permits1", "--resume"};
    REQUIRE(run_host(arguments(profile, folder.path(), one)).status == 0);
    const fs::path sweep = folder / "quick", run = sweep / "pool/permits1/run_1";

    fs::remove(run / "metrics.json");
    REQUIRE(mkfifo((run / "metrics.json").c_str(), 0600) == 0);
    fs::remove(run.parent_path() / "profile.toml");
    fs::create_symlink("/dev/zero", run.parent_path() / "profile.toml");
    outcome o = run_host({"report", sweep.string()});
    CHECK(o.status == 2);
    CHECK_MESSAGE(contains(o.err, "metrics.json: is a pipe; give a regular file"), o.err);
    o = run_host(arguments(profile, folder.path(), one));
    CHECK_MESSAGE(o.status == 0, o.err);
    CHECK_MESSAGE(contains(o.err, "metrics.json: is a pipe"), o.err);
    CHECK(fs::is_regular_file(run / "metrics.json"));
    CHECK(fs::is_regular_file(fs::symlink_status(run.parent_path() / "profile.toml")));

    fs::rename(sweep / "cells.jsonl", sweep / "kept");
    REQUIRE(mkfifo((sweep / "cells.jsonl").c_str(), 0600) == 0);
    for (const char* dry : {"", "--dry-run"}) {
        std::vector<std::string> words = arguments(profile, folder.path(), one);
        if (*dry != '\0') words.emplace_back(dry);
        o = run_host(words);
        CHECK(o.status == 3);
        CHECK_MESSAGE(contains(o.err, "cells.jsonl: is "), o.err);
    }
    fs::remove(sweep / "cells.jsonl");
    fs::rename(sweep / "kept", sweep / "cells.jsonl");
    CHECK(run_host({"report", sweep.string()}).status == 0);
}

TEST_CASE("a report goes into the pipe, the device or the link's target that it is sent to, and over no result") {
    const temporary_folder folder;
    const auto profile = folder.write("quick.toml", quick);
    REQUIRE(run_host(arguments(profile, folder.path(), {"--runs", "1", "--only", "pool/permits1"})).status == 0);
    const std::string sweep = (folder / "quick").string();
    const auto report_to = [&](const fs::path& file) { return run_host({"report", sweep, "--output", file.string()}); };

    const fs::path target = folder.write("target.md", "old"), link = folder / "link.md";
    fs::create_symlink("target.md", link);
    CHECK(report_to(link).status == 0);
    CHECK(fs::is_symlink(link));
    CHECK(content_of(target).size() > 1000);
    const outcome printed = report_to("/dev/stdout");
    CHECK(printed.status == 0);
    CHECK(printed.out == content_of(target));
    CHECK(report_to("/dev/full").status == 3);
    CHECK(fs::is_character_file("/dev/full"));
    const outcome refused = report_to(folder / "quick/cells.jsonl");
    CHECK(refused.status == 2);
    CHECK_MESSAGE(contains(refused.err, "is the name of a results file"), refused.err);
    CHECK(run_host({"report", sweep}).status == 0);
}

TEST_CASE("a changed profile.toml is told, and written anew as the runs had it") {
    const temporary_folder folder;
    const auto profile = folder.write("quick.toml", quick);
    const std::vector<std::string> one{"--runs", "1", "--only", "pool/permits1", "--resume"};
    REQUIRE(run_host(arguments(profile, folder.path(), one)).status == 0);
    const fs::path file = folder / "quick/pool/permits1/profile.toml";
    const std::string good = content_of(file);
    std::string changed = good;
    changed.replace(changed.find("permits = 1"), 11, "permits = 2");
    folder.write("quick/pool/permits1/profile.toml", changed);
    const outcome told = run_host({"report", (folder / "quick").string()});
    CHECK(told.status == 2);
    CHECK(contains(told.err, "profile.toml: is damaged"));
    const outcome resumed = run_host(arguments(profile, folder.path(), one));
    CHECK(resumed.status == 0);
    CHECK(contains(resumed.err, "it is written anew"));
    CHECK(content_of(file) == good);
}

TEST_CASE("a folder that is removed under a running sweep is said to be gone, not full") {
    const temporary_folder folder;
    const auto profile = folder.write("quick.toml", quick);
    process p(host_program(), arguments(profile, folder / "out", {"--runs", "100"}));
    p.wait_for_error_text("[1/400]");
    fs::rename(folder / "out", folder / "gone"); // at once; then nobody makes a file in it meanwhile
    fs::remove_all(folder / "gone");
    const outcome o = p.wait();
    CHECK(o.status == 3);
    CHECK_MESSAGE(contains(o.err, "is gone"), o.err);
    CHECK(!contains(o.err, "is the disk full?"));
    CHECK(!fs::exists(folder / "out/quick/sweep.json"));
}

TEST_CASE("an output folder that is a link to nowhere is named, with where it leads") {
    const temporary_folder folder;
    const auto profile = folder.write("quick.toml", quick);
    fs::create_directory_symlink(folder / "nowhere", folder / "link");
    for (const char* command : {"sweep", "run"}) {
        std::vector<std::string> all = arguments(profile, folder / "link");
        if (command == std::string("run"))
            all = {"run", "--profile", profile_path("smol1kb").string(), "--output-dir", (folder / "link").string()};
        const outcome o = run_host(all);
        CHECK(o.status == 3);
        CHECK_MESSAGE(
            contains(o.err, "link: is a symbolic link to " + (folder / "nowhere").string() + ", which is not there"),
            o.err);
    }
}

TEST_CASE("a runtime that crashes and one that hangs are results, and the sweep goes on") {
    const temporary_folder folder;
    const std::string plugin = CHIMERA_TEST_PLUGIN_DIR "/crashing_executor.so";
    const auto profile = folder.write("bad.toml", quick.substr(0, quick.find("[sweep]")) + R"(
[sweep]
[[sweep.runtimes]]
name = "crash"
set.executor = { plugin = ")" + plugin + R"(" }
[[sweep.runtimes]]
name = "hang"
set.executor = { plugin = ")" + plugin + R"(", options = { how = "hang" } }
[[sweep.runtimes]]
name = "good"
)");
    const outcome o = run_host(arguments(profile, folder.path(), {"--runs", "1", "--set", "measure.time_limit_s=1"}));
    CHECK(o.status == 1);
    std::map<std::string, nlohmann::json> by_runtime;
    for (const auto& e : journal(folder.path() / "quick")) by_runtime[e["runtime"]] = e;
    REQUIRE(by_runtime.size() == 3);
    CHECK(by_runtime["crash"]["status"] == "crashed");
    CHECK(by_runtime["crash"]["message"].get<std::string>().find("signal 6") != std::string::npos);
    CHECK(by_runtime["hang"]["status"] == "timed_out");
    CHECK(by_runtime["good"]["status"] == "ok");
    CHECK(by_runtime["good"]["efficiency_pct"].get<double>() > 0);
    CHECK(simulators_running() == 0);
}

TEST_CASE("a cell whose requests fail is a failed cell that says why") {
    const temporary_folder folder;
    const auto profile = folder.write("quick.toml", quick);
    const outcome refused =
        run_host(arguments(profile, folder.path(), unreachable({"--runs", "1", "--only", "pool/*"})));
    CHECK(refused.status == 4);
    CHECK(journal(folder.path() / "quick").size() == 2);
    for (const auto& e : journal(folder.path() / "quick")) {
        CHECK(e["status"] == "failed");
        CHECK(e["message"].get<std::string>().find("127.0.0.1:9") != std::string::npos);
    }
}

TEST_CASE("a cell whose line and folder were taken out, and one that has only failed files, are run again") {
    const temporary_folder folder;
    const auto profile = folder.write("quick.toml", quick);
    const std::vector<std::string> refused = unreachable({"--runs", "1", "--only", "pool/*"});
    REQUIRE(run_host(arguments(profile, folder.path(), refused)).status == 4);
    fs::resize_file(folder.path() / "quick" / "cells.jsonl", 0);
    std::vector<std::string> again = refused;
    again.push_back("--resume");
    CHECK(run_host(arguments(profile, folder.path(), again)).status == 4);
    const auto tried = journal(folder.path() / "quick"); // not taken over from the files
    CHECK(tried.size() == 2);
    for (const auto& e : tried) CHECK(e["message"].get<std::string>().find("127.0.0.1:9") != std::string::npos);
}

TEST_CASE("a run that ends at its time limit timed out") {
    const temporary_folder folder;
    const auto profile = folder.write("quick.toml", quick);
    const outcome o = run_host(arguments(profile, folder.path(),
                                         {"--runs", "1", "--only", "pool/permits1", "--set", "measure.time_limit_s=0.5",
                                          "--set", "backend.simulator.decode_tokens_per_s=1"}));
    CHECK(o.status == 4);
    REQUIRE(journal(folder.path() / "quick").size() == 1);
    CHECK(journal(folder.path() / "quick")[0]["status"] == "timed_out");
}

TEST_CASE("Ctrl-C ends a sweep at once and keeps what is done") {
    const temporary_folder folder;
    const auto profile = folder.write("quick.toml", quick);
    process p(host_program(), arguments(profile, folder.path()));
    p.wait_for_error_text("[1/8]");
    p.signal(SIGINT);
    const outcome o = p.wait();
    CHECK(o.status == 130);
    CHECK(o.err.find("--resume") != std::string::npos);
    const std::size_t done = journal(folder.path() / "quick").size();
    CHECK(done >= 1);
    CHECK(done < 8);
    CHECK(simulators_running() == 0);
    CHECK(run_host(arguments(profile, folder.path(), {"--resume"})).status == 0);
    check_complete(folder.path() / "quick", 8);
}

TEST_CASE("a sweep's folder is not started again, and not continued with another configuration") {
    const temporary_folder folder;
    const auto profile = folder.write("quick.toml", quick);
    REQUIRE(run_host(arguments(profile, folder.path(), {"--runs", "1", "--only", "pool/*"})).status == 0);
    const outcome twice = run_host(arguments(profile, folder.path()));
    CHECK(twice.status == 3);
    CHECK(twice.err.find("--resume") != std::string::npos);
    const outcome other = run_host(arguments(profile, folder.path(), {"--resume", "--seed", "5"}));
    CHECK(other.status == 3);
    CHECK(other.err.find("another configuration") != std::string::npos);
    std::ifstream in(folder.path() / "quick" / "sweep.json");
    CHECK(nlohmann::json::parse(in)["seed"] == 1); // a refusal leaves the folder as it was
    std::string renamed = quick;
    renamed.replace(renamed.find("\"pool\""), 6, "\"other\"");
    const outcome another = run_host(arguments(folder.write("other.toml", renamed), folder.path(), {"--resume"}));
    CHECK(another.status == 3);
    CHECK(another.err.find("another sweep of the same name") != std::string::npos);
    // More runs and more runtimes of the same configurations are the same sweep, further on.
    CHECK(run_host(arguments(profile, folder.path(), {"--resume", "--runs", "2"})).status == 0);
    check_complete(folder.path() / "quick", 8);
}

TEST_CASE("a sweep stops adding runs where the interval is narrow enough, and says so") {
    const temporary_folder folder;
    std::string adaptive = quick;
    adaptive.insert(adaptive.find("[sweep]\n") + 8, "until_ci_pct = 100\n");
    const outcome o = run_host(
        arguments(folder.write("quick.toml", adaptive), folder.path(),
                  {"--runs", "5", "--only", "pool/permits1", "--set", "backend.simulator.decode_tokens_per_s=200"}));
    CHECK_MESSAGE(o.status == 0, o.err);
    std::map<std::string, int> statuses;
    for (const auto& e : journal(folder.path() / "quick")) ++statuses[e["status"]];
    CHECK(statuses["ok"] == 3);
    CHECK(statuses["not_needed"] == 2);
}

TEST_CASE("--dry-run tells the cells in their order and runs none") {
    const temporary_folder folder;
    const auto profile = folder.write("quick.toml", quick);
    const outcome o = run_host(arguments(profile, folder.path(), {"--dry-run"}));
    CHECK(o.status == 0);
    CHECK(o.out.find("2 runtimes x 2 configurations x 2 runs") != std::string::npos);
    CHECK(o.out.find("fiber/permits2/run_2") != std::string::npos);
    CHECK_FALSE(fs::exists(folder.path() / "quick"));
    const outcome none = run_host(arguments(profile, folder.path(), {"--only", "tokio/*"}));
    CHECK(none.status == 2);
    CHECK(none.err.find("matches no cell") != std::string::npos);
}

TEST_CASE("run and sweep each send the other's profiles to it") {
    const temporary_folder folder;
    const auto sweep = folder.write("quick.toml", quick);
    const outcome o = run_host({"run", "--profile", sweep.string()});
    CHECK(o.status == 2);
    CHECK(o.err.find("chimera-host sweep --profile") != std::string::npos);
    const outcome other = run_host({"sweep", "--profile", profile_path("smol1kb").string()});
    CHECK(other.status == 2);
    CHECK(other.err.find("chimera-host run --profile") != std::string::npos);
}

TEST_CASE("on a full disk the sweep stops with the file's name, and goes on when there is room") {
    const temporary_folder folder, disk;
    if (mount("chimera-test", disk.path().c_str(), "tmpfs", 0, "size=1m") != 0) {
        MESSAGE("skipped: needs the right to mount a tmpfs");
        return;
    }
    const auto profile = folder.write("quick.toml", quick);
    const outcome o = run_host(arguments(profile, disk.path(), {"--runs", "40", "--no-preflight"}));
    CHECK(o.status == 3);
    CHECK((o.err.find("No space left") != std::string::npos || o.err.find("is the disk full?") != std::string::npos));
    const auto done = cells(disk.path() / "quick");
    CHECK(done.size() > 1);
    mount("chimera-test", disk.path().c_str(), "tmpfs", MS_REMOUNT, "size=8m");
    const outcome resumed = run_host(arguments(profile, disk.path(), {"--resume", "--runs", "12"}));
    CHECK_MESSAGE(resumed.status == 0, resumed.err);
    const auto all = cells(disk.path() / "quick");
    CHECK(all.size() >= 2 * 2 * 12);
    for (const auto& [cell, times] : all) {
        CHECK(times == 1);
        CHECK(fs::exists(disk.path() / "quick" / cell / "metrics.json"));
    }
    umount2(disk.path().c_str(), MNT_DETACH);
}
