// How a sweep conducts itself: failed cells, servers that go away, hooks, pauses, alerts, and what it says meanwhile.
#include "host_process.hpp"
#include "prometheus_page.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace chimera::test;

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::vector<std::string> arguments(const fs::path& profile, const fs::path& results,
                                   std::vector<std::string> more = {}) {
    std::vector<std::string> all{"sweep", "--profile", profile.string(), "--output-dir", results.string()};
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

/// Two cells for each run.
const std::string quick = quick_profile + two_runtimes;

std::string with_sweep_keys(const std::string& keys) {
    std::string text = quick;
    return text.insert(text.find("[sweep]\n") + 8, keys);
}

std::vector<json> journal(const fs::path& sweep) {
    std::ifstream in(sweep / "cells.jsonl");
    std::vector<json> out;
    for (std::string line; std::getline(in, line);) out.push_back(json::parse(line));
    return out;
}

/// The last status of each cell.
std::map<std::string, std::string> statuses(const fs::path& sweep) {
    std::map<std::string, std::string> out;
    for (const json& e : journal(sweep)) out[e["folder"]] = e["status"];
    return out;
}

std::size_t count(const std::map<std::string, std::string>& of, const std::string& status) {
    std::size_t n = 0;
    for (const auto& [cell, s] : of) n += s == status ? 1 : 0;
    return n;
}

sockaddr_in local(int port) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(static_cast<std::uint16_t>(port));
    return at;
}

/// A port of this machine that nobody listens on.
int free_port() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at = local(0);
    socklen_t size = sizeof at;
    REQUIRE(bind(fd, reinterpret_cast<const sockaddr*>(&at), size) == 0);
    REQUIRE(getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    close(fd);
    return ntohs(at.sin_port);
}

bool answers(int port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in at = local(port);
    const bool connected = connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
    close(fd);
    return connected;
}

/// A simulator in a process of its own, which may be killed.
class server {
  public:
    explicit server(int port, std::vector<std::string> more = {}) {
        std::vector<std::string> words{"--listen",
                                       "127.0.0.1:" + std::to_string(port),
                                       "--load-ms=0",
                                       "--prefill-tokens-per-s=0",
                                       "--decode-tokens-per-s=200",
                                       "--reply-tokens-min=40",
                                       "--reply-tokens-max=40"};
        words.insert(words.end(), more.begin(), more.end());
        process_ = std::make_unique<process>(simulator_program(), words);
        for (int i = 0; i < 500 && !answers(port); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
        REQUIRE(answers(port));
    }
    void kill() {
        process_->signal(SIGKILL);
        process_->wait();
    }

  private:
    std::unique_ptr<process> process_;
};

/// Takes connections and answers none of them.
class silent_server {
  public:
    silent_server() {
        const sockaddr_in at = local(port_);
        REQUIRE(bind(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
        REQUIRE(listen(fd_, 100) == 0);
    }
    ~silent_server() {
        for (const int fd : taken_) close(fd);
        close(fd_);
    }
    silent_server(const silent_server&) = delete;
    silent_server& operator=(const silent_server&) = delete;

    int port() const { return port_; }
    /// Waits for a connection, 20 s at most.
    void take() {
        pollfd p{fd_, POLLIN, 0};
        REQUIRE(poll(&p, 1, 20'000) == 1);
        taken_.push_back(accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC));
    }

  private:
    const int port_ = free_port(), fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    std::vector<int> taken_;
};

std::string url_of(int port) { return "http://127.0.0.1:" + std::to_string(port); }

} // namespace

TEST_CASE(
    "a server that dies in the middle of a sweep and comes back costs no cell: it is waited for, and that is said") {
    const temporary_folder folder;
    const auto profile = folder.write("quick.toml", quick);
    const int port = free_port();
    auto first = std::make_unique<server>(port);
    process sweep(host_program(), arguments(profile, folder.path(), {"--runs", "5", "--url", url_of(port)}));
    sweep.wait_for_error_text("[2/10]");
    first->kill();
    sweep.wait_for_error_text("cannot be reached");
    const std::size_t done = journal(folder / "quick").size();
    const outcome told = run_host({"sweep", "status", (folder / "quick").string(), "--json"});
    CHECK_MESSAGE(told.status == 0, told.err);
    CHECK(told.json()["running"] == true);
    std::this_thread::sleep_for(std::chrono::milliseconds(1500)); // in which all others would have failed
    const json waits = run_host({"sweep", "status", (folder / "quick").string(), "--json"}).json();
    CHECK(waits["now"]["awaited"] == url_of(port));
    CHECK(journal(folder / "quick").size() <= done + 1);
    const server second(port);
    sweep.wait_for_error_text("is back after");
    const outcome o = sweep.wait();
    CHECK_MESSAGE(o.status == 0, o.err);
    const auto cells = statuses(folder / "quick");
    CHECK(cells.size() == 10);
    CHECK(count(cells, "ok") == 10);
    for (const json& e : journal(folder / "quick"))
        if (e["status"] != "ok") CHECK_MESSAGE(e["status"] == "interrupted", e.dump());
    CHECK(run_host({"report", (folder / "quick").string()}).status == 0);
    CHECK_FALSE(fs::exists(folder / "quick/running.json"));
}

TEST_CASE("a cell that fails each time because its server goes away fails in the end, and its tries are kept") {
    const temporary_folder folder;
    // The server dies a moment after each cell has begun, and is there again before the next begins.
    const int port = free_port();
    const std::string start = simulator_program().string() + " --listen 127.0.0.1:" + std::to_string(port) +
                              " --load-ms=0 --decode-tokens-per-s=10 --reply-tokens-min=100 --reply-tokens-max=100";
    const auto profile = folder.write(
        "quick.toml", with_sweep_keys("before_cell = \"timeout 3 " + start + " >/dev/null 2>&1 & sleep 0.5\"\n"));
    const outcome o = run_host(arguments(profile, folder.path(),
                                         {"--runs", "1", "--only", "pool/*", "--url", url_of(port), "--no-preflight"}));
    CHECK(o.status == 4);
    const auto lines = journal(folder / "quick");
    REQUIRE_MESSAGE(lines.size() == 3, o.err);
    CHECK(lines[0]["status"] == "interrupted");
    CHECK(lines[1]["status"] == "interrupted");
    CHECK(lines[2]["status"] == "failed");
    CHECK(fs::exists(folder / "quick/pool/default/run_1.failed/metrics.json"));
    CHECK(fs::exists(folder / "quick/pool/default/run_1.failed-2/metrics.json"));
    CHECK(fs::exists(folder / "quick/pool/default/logs/run_1.failed.err"));
}

TEST_CASE("a server that stays away ends the sweep in order, and --resume goes on") {
    const temporary_folder folder;
    const auto profile = folder.write("quick.toml", quick);
    const int port = free_port();
    auto first = std::make_unique<server>(port);
    process sweep(host_program(),
                  arguments(profile, folder.path(),
                            {"--runs", "4", "--url", url_of(port), "--set", "sweep.wait_for_server_s=1"}));
    sweep.wait_for_error_text("[2/8]");
    first->kill();
    const outcome o = sweep.wait();
    CHECK(o.status == 130);
    CHECK_MESSAGE(contains(o.err, "has been away for 1 s"), o.err);
    CHECK(contains(o.err, "--resume"));
    const server second(port);
    const outcome resumed =
        run_host(arguments(profile, folder.path(), {"--runs", "4", "--url", url_of(port), "--resume"}));
    CHECK_MESSAGE(resumed.status == 0, resumed.err);
    CHECK(count(statuses(folder / "quick"), "ok") == 8);
}

TEST_CASE("the preflight ends a sweep before its first cell where a server or a model is not there") {
    const temporary_folder folder;
    const auto profile = folder.write("quick.toml", quick);
    const int port = free_port();
    const std::vector<std::string> to_port{"--url", url_of(port)};
    outcome o = run_host(arguments(profile, folder.path(), to_port));
    CHECK(o.status == 3);
    CHECK_MESSAGE(contains(o.err, url_of(port) + ": cannot be reached: Connection refused"), o.err);
    CHECK(contains(o.err, "--no-preflight"));
    CHECK_FALSE(fs::exists(folder / "quick"));

    const server there(port, {"--model=gemma3:latest"});
    o = run_host(arguments(profile, folder.path(), {"--url", url_of(port), "--model", "gema3:latest"}));
    CHECK(o.status == 3);
    CHECK_MESSAGE(contains(o.err, "has no model \"gema3:latest\"; did you mean \"gemma3:latest\"?"), o.err);
    CHECK_FALSE(fs::exists(folder / "quick"));
    o = run_host(arguments(profile, folder.path(), {"--url", url_of(port), "--model", "gemma3", "--runs", "1"}));
    CHECK_MESSAGE(o.status == 0, o.err);
    CHECK_MESSAGE(contains(o.err, "preflight: " + url_of(port) + ": chimera-sim"), o.err);
    // A warning where before_cell may bring it. The cells fail for it.
    o = run_host(arguments(
        profile, folder / "other",
        {"--url", url_of(port), "--model", "gema3:latest", "--runs", "1", "--set", "sweep.before_cell=true"}));
    CHECK(o.status == 4);
    CHECK_MESSAGE(contains(o.err, "has no model \"gema3:latest\""), o.err);
    CHECK(contains(o.err, "before_cell has to bring it"));
}

TEST_CASE("Ctrl-C ends the preflight while it waits for a server that does not answer, and no cell begins") {
    const temporary_folder folder;
    silent_server silent;
    process sweep(host_program(),
                  arguments(folder.write("quick.toml", quick), folder.path(), {"--url", url_of(silent.port())}));
    silent.take(); // the preflight looks whether it can be reached
    silent.take(); // and asks it
    sweep.signal(SIGINT);
    const outcome o = sweep.wait();
    CHECK_MESSAGE(o.status == 130, o.err);
    CHECK(contains(o.err, "interrupted before the first cell"));
    CHECK_FALSE(fs::exists(folder / "quick"));
}

TEST_CASE("a server that takes connections and does not answer was not away: its cell fails at the first try") {
    const temporary_folder folder;
    const silent_server silent;
    const outcome o = run_host(arguments(folder.write("quick.toml", quick), folder.path(),
                                         {"--url", url_of(silent.port()), "--runs", "1", "--only", "pool/*", "--set",
                                          "transport.options.first_byte_timeout_ms=100", "--no-preflight"}));
    CHECK_MESSAGE(o.status == 4, o.err);
    const auto lines = journal(folder / "quick");
    REQUIRE(lines.size() == 1);
    CHECK(lines[0]["status"] == "failed");
    std::ifstream requests(folder / "quick/pool/default/run_1/requests.jsonl");
    json first;
    requests >> first;
    CHECK(first["connected_ns"].is_number());
    CHECK(first["sent_ns"].is_number());
}

TEST_CASE("--retry-failed runs failed cells again; what is left of them is kept, and the last line counts") {
    const temporary_folder folder;
    const fs::path mark = folder / "fail";
    const auto profile = folder.write(
        "quick.toml", with_sweep_keys("before_cell = \"echo looking; test ! -e " + mark.string() + "\"\n"));
    folder.write("fail", "");
    const std::vector<std::string> all{"--runs", "1"}, resume{"--runs", "1", "--resume"},
        retry{"--runs", "1", "--resume", "--retry-failed"};
    outcome o = run_host(arguments(profile, folder.path(), all));
    CHECK(o.status == 4);
    for (const json& e : journal(folder / "quick")) {
        CHECK(e["status"] == "failed");
        CHECK_MESSAGE(contains(e["message"], "before_cell ended with status 1: looking; see "), e.dump());
    }
    o = run_host({"sweep", "status", (folder / "quick").string()});
    CHECK(o.status == 0);
    CHECK_MESSAGE(contains(o.out, "2 of 2 done, 2 failed"), o.out);
    CHECK(contains(o.out, "pool/default run 1: failed: before_cell ended"));
    CHECK(contains(o.out, "no sweep runs here"));

    fs::remove(mark);
    CHECK(run_host(arguments(profile, folder.path(), resume)).status == 4); // they count as done
    CHECK(journal(folder / "quick").size() == 2);
    std::vector<std::string> dry = retry;
    dry.emplace_back("--dry-run");
    o = run_host(arguments(profile, folder.path(), dry));
    CHECK(o.status == 0);
    CHECK_MESSAGE(contains(o.out, "0 of 2 cells are done; 2 are left"), o.out);
    o = run_host(arguments(profile, folder.path(), retry));
    CHECK_MESSAGE(o.status == 0, o.err);
    CHECK_MESSAGE(contains(o.err, "pool/default/run_1 is run again"), o.err);
    CHECK(journal(folder / "quick").size() == 4);
    CHECK(count(statuses(folder / "quick"), "ok") == 2);
    CHECK(fs::exists(folder / "quick/pool/default/logs/run_1.failed.before_cell.log"));
    check_refused(run_host(arguments(profile, folder.path(), {"--retry-failed"})), 2, "needs --resume");
}

TEST_CASE("--resume --dry-run lists what is left, with the time that it is expected to take") {
    const temporary_folder folder;
    const auto profile = folder.write("quick.toml", quick);
    outcome o = run_host(arguments(profile, folder.path(), {"--resume", "--dry-run"}));
    CHECK(o.status == 0);
    CHECK_MESSAGE(contains(o.out, "0 of 4 cells are done; 4 are left, for how long is not known"), o.out);
    REQUIRE(run_host(arguments(profile, folder.path(), {"--only", "pool/*"})).status == 0);
    o = run_host(arguments(profile, folder.path(), {"--resume", "--dry-run"}));
    CHECK(o.status == 0);
    CHECK_MESSAGE(contains(o.out, "2 of 4 cells are done; 2 are left, which takes about "), o.out);
    CHECK(contains(o.out, "fiber/default/run_2"));
    CHECK_FALSE(contains(o.out, "pool/default/run_2"));
    REQUIRE(run_host(arguments(profile, folder.path(), {"--resume"})).status == 0);
    CHECK(
        contains(run_host(arguments(profile, folder.path(), {"--resume", "--dry-run"})).out, "nothing is left to run"));
}

TEST_CASE("--only is a part of the sweep's own command only if it chose every cell of the folder") {
    const temporary_folder folder;
    const auto profile = folder.write("quick.toml", quick);
    const auto options_after = [&](std::vector<std::string> more) {
        more.insert(more.end(), {"--runs", "1"});
        const outcome o = run_host(arguments(profile, folder.path(), more));
        CHECK_MESSAGE(o.status == 0, o.err);
        return json::parse(content_of(folder / "quick/sweep.json"))["options"].dump();
    };
    CHECK(contains(options_after({"--only", "pool/*"}), "\"--only\",\"pool/*\""));
    CHECK(contains(options_after({"--only", "pool/*", "--resume"}), "\"--only\",\"pool/*\""));
    CHECK_FALSE(contains(options_after({"--only", "fiber/*", "--resume"}), "--only"));
    CHECK_FALSE(contains(options_after({"--only", "pool/*", "--resume"}), "--only"));
    CHECK(contains(options_after({"--resume"}), "--runs")); // the others stay
}

TEST_CASE("hooks are told about their cell, pauses lie between cells, and a hook that hangs is ended") {
    const temporary_folder folder;
    const std::string log = (folder / "log").string();
    const auto profile = folder.write(
        "quick.toml",
        with_sweep_keys("pause_s = 0.4\nbefore_cell = \"date +%s%N >> " + log +
                        ".times; echo before $CHIMERA_RUNTIME/$CHIMERA_CONFIG/$CHIMERA_RUN >> " + log +
                        "\"\nafter_cell = \"echo after $CHIMERA_STATUS, $(test -e $CHIMERA_CELL_DIR/metrics.json "
                        "&& echo written) >> " +
                        log + "; date +%s%N >> " + log + ".times\"\n"));
    outcome o = run_host(arguments(profile, folder.path(), {"--runs", "2", "--only", "pool/*"}));
    CHECK_MESSAGE(o.status == 0, o.err);
    CHECK(content_of(folder / "log") == "before pool/default/1\nafter ok, written\nbefore pool/default/2\n"
                                        "after ok, written\n");
    std::ifstream times(folder / "log.times");
    std::int64_t before_1 = 0, after_1 = 0, before_2 = 0;
    REQUIRE((times >> before_1 >> after_1 >> before_2).good());
    CHECK(before_2 - after_1 >= 400'000'000);
    const json plan = json::parse(content_of(folder / "quick/sweep.json"));
    CHECK(plan["pause_s"] == 0.4);

    const std::vector<std::string> hanging{
        "--only", "fiber/default/run_1",       "--resume", "--set", "sweep.hook_limit_s=0.3",
        "--set",  "sweep.after_cell=sleep 100"};
    o = run_host(arguments(profile, folder.path(), hanging));
    CHECK(o.status == 4);
    CHECK_MESSAGE(contains(o.err, "after_cell did not end within 0.3 s"), o.err);
    process interrupted(host_program(), arguments(profile, folder.path(),
                                                  {"--only", "fiber/default/run_2", "--resume", "--set",
                                                   "sweep.before_cell=sleep 100"}));
    for (int i = 0; i < 500 && !contains(content_of(folder / "quick/running.json"), "before_cell"); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    interrupted.signal(SIGINT);
    o = interrupted.wait();
    CHECK(o.status == 130);
    CHECK(o.took < std::chrono::seconds(30));
}

TEST_CASE("keys of [sweep] are set on the command line, and a wrong one is refused with its place") {
    const temporary_folder folder;
    const auto profile = folder.write("quick.toml", with_sweep_keys("pause_s = \"long\"\nafter_sell = \"true\"\n"));
    outcome o = run_host(arguments(profile, folder.path(), {"--dry-run"}));
    CHECK(o.status == 2);
    CHECK_MESSAGE(contains(o.err, "sweep.after_sell: unknown key; did you mean \"after_cell\"?"), o.err);
    o = run_host(
        arguments(folder.write("quick.toml", with_sweep_keys("pause_s = \"long\"\n")), folder.path(), {"--dry-run"}));
    CHECK(o.status == 2);
    CHECK_MESSAGE(contains(o.err, "sweep.pause_s: is a string; give a number from 0 to 86400"), o.err);
    CHECK(contains(o.err, "quick.toml:"));
    const auto good = folder.write("quick.toml", quick);
    o = run_host(arguments(good, folder.path(), {"--dry-run", "--set", "sweep.pause_s=-1"}));
    CHECK(o.status == 2);
    CHECK_MESSAGE(contains(o.err, "--set sweep.pause_s=-1"), o.err);
    o = run_host(arguments(good, folder.path(),
                           {"--dry-run", "--set", "sweep.runtimes.fiber.name=other", "--set", "sweep.pause_s=3",
                            "--set", "sweep.grid={\"workload.permits\"=[1,2,3]}"}));
    CHECK_MESSAGE(o.status == 0, o.err);
    CHECK(contains(o.out, "2 runtimes x 3 configurations"));
    CHECK(contains(o.out, "other/permits3/run_1"));
    CHECK(contains(o.out, "pause between cells: 3 s"));
}

TEST_CASE("an alert that trips in a cell is seen in its line, the journal, the report and the exit status") {
    const temporary_folder folder;
    const auto profile =
        folder.write("quick.toml", quick + "[alerts]\npeak_memory_max_mib = 1\nthroughput_min_tok_s = 1\n");
    outcome o = run_host(arguments(profile, folder.path(), {"--runs", "1"}));
    CHECK_MESSAGE(o.status == 0, o.err);
    CHECK_MESSAGE(contains(o.err, "ALERT peak_memory_max_mib: "), o.err);
    CHECK(contains(o.err, "alerts tripped: peak_memory_max_mib in 2 cells"));
    for (const json& e : journal(folder / "quick")) {
        CHECK(e["status"] == "ok");
        REQUIRE(e["alerts"].size() == 1);
        CHECK(e["alerts"][0]["alert"] == "peak_memory_max_mib");
        CHECK(e["efficiency_pct"].get<double>() > 0);
    }
    const json report = run_host({"report", (folder / "quick").string(), "--format", "json"}).json();
    CHECK(report["alerts"].size() == 2);
    CHECK(report["cells"]["ok"] == 2);
    CHECK(contains(run_host({"report", (folder / "quick").string()}).out, "Alerts that tripped"));
    CHECK(run_host({"sweep", "status", (folder / "quick").string(), "--json"}).json()["alerts"].size() == 2);
    o = run_host(arguments(profile, folder.path(), {"--runs", "2", "--resume", "--set", "alerts.fail=true"}));
    CHECK(o.status == 1);
    CHECK_MESSAGE(contains(o.err, "alerts.fail is set, so the exit status is 1"), o.err);
}

TEST_CASE("a sweep that runs serves its metrics, and a live page with its report and status") {
    const temporary_folder folder;
    const fs::path page = folder.write("page.html", "<html><head>{{policy}}</head><body>{{report}}</body></html>");
    setenv("CHIMERA_REPORT_PAGE", page.c_str(), 1);
    const auto profile = folder.write("quick.toml", with_sweep_keys("pause_s = 60\n")); // SIGINT ends it
    process sweep(host_program(),
                  arguments(profile, folder.path(),
                            {"--runs", "2", "--metrics-port", "0", "--live-page", "0", "--no-preflight"}));
    sweep.wait_for_error_text("[1/4]");
    const auto url_after = [&sweep](const std::string& words) {
        const std::string& text = sweep.error_text();
        const std::size_t at = text.find(words) + words.size();
        return text.substr(at, text.find('\n', at) - at);
    };
    const prometheus_page metrics = parse_page(fetch(url_after("metrics: ")).value_or(""));
    CHECK(metrics.at("chimera_sweep_cells_planned") == 4);
    CHECK(metrics.at("chimera_sweep_cells_done") == 1);
    CHECK(metrics.at("chimera_sweep_cells_left") == 3);
    CHECK(metrics.at(R"(chimera_sweep_cells_total{status="ok"})") == 1);
    const std::string live = url_after("live page: ");
    CHECK(live.starts_with("http://127.0.0.1:"));
    const std::string html = fetch(live).value_or("");
    CHECK(contains(html, "connect-src 'self'")); // it asks for newer figures itself
    CHECK(contains(html, "\"schema_version\""));
    const json report = json::parse(fetch(live + "report.json").value_or("{}"));
    CHECK(report["kind"] == "report");
    CHECK(report["cells"]["ok"] == 1);
    CHECK(report["live"]["running"] == true);
    const json status = json::parse(fetch(live + "status.json").value_or("{}"));
    CHECK(status["kind"] == "sweep_status");
    CHECK(status["left"] == 3);
    sweep.signal(SIGINT);
    CHECK(sweep.wait().status == 130);
    unsetenv("CHIMERA_REPORT_PAGE");
}

TEST_CASE("a run that lasts is cut into slices, and growth of memory and latency is tested") {
    const temporary_folder folder;
    std::string text = quick_profile;
    text.insert(text.find("[measure]"), "duration_s = 4\n");
    text.insert(text.find("runs = 2"), "baseline = false\n");
    const auto profile = folder.write("soak.toml", text);
    const outcome o = run_profile(folder, profile, {"--runs", "1", "--set", "alerts.memory_growth_max_mib_per_h=1e9"});
    REQUIRE_MESSAGE(o.status == 0, o.err);
    const json summary = o.json();
    REQUIRE(summary["over_time"].size() == 1);
    const json run = json::parse(content_of(fs::path(summary["files"].get<std::string>()) / "run_1/metrics.json"));
    const json& over_time = run["over_time"];
    CHECK(over_time["slice_s"].get<double>() == doctest::Approx(0.2));
    REQUIRE(over_time["slices"].size() >= 20);
    std::size_t requests = 0;
    for (const json& slice : over_time["slices"]) requests += slice["requests"].get<std::size_t>();
    CHECK(requests == summary["requests"].get<std::size_t>());
    CHECK(over_time["slices"][5]["resident_mib"].get<double>() > 1);
    CHECK(over_time["slices"][5]["e2e_p50_ms"].get<double>() > 1);
    for (const char* trend : {"memory_mib", "ttft_ms", "e2e_ms"})
        CHECK_MESSAGE(over_time["growth"][trend]["p"].get<double>() <= 1, trend);
    const outcome report = run_host({"report", summary["files"].get<std::string>()});
    CHECK_MESSAGE(contains(report.out, "### Over time"), report.out);
    check_refused(run_profile(folder, profile,
                              {"--set", "workload.duration_s=0", "--set", "alerts.memory_growth_max_mib_per_h=1"}),
                  2, "needs a run that lasts");
}
