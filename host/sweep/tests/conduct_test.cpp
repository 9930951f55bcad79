// The parts of a sweep's conduct: keys, expected time, hooks, servers, the preflight's judgement, status.
#include "sweep/cell_course.hpp"
#include "sweep/cell_process.hpp"
#include "sweep/expected_time.hpp"
#include "sweep/hook.hpp"
#include "sweep/journal.hpp"
#include "sweep/preflight.hpp"
#include "sweep/resume.hpp"
#include "sweep/server_watch.hpp"
#include "sweep/status.hpp"

#include "known_sweep.hpp"

#include "profile/options.hpp"
#include "result/sealed_file.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using namespace chimera::test;
using namespace chimera::host;

namespace {

namespace fs = std::filesystem;

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string content_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

cell_result cell(const std::string& runtime, const std::string& config, int run, double wall_s,
                 cell_status status = cell_status::ok) {
    cell_result e;
    e.runtime = runtime;
    e.config = config;
    e.run = run;
    e.wall_s = wall_s;
    e.status = status;
    return e;
}

/// Whether what runs ended before its deadline.
template <class Running>
bool ends(const Running& r) {
    pollfd p{r.end_fd(), POLLIN, 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(r.deadline() - std::chrono::steady_clock::now());
    return poll(&p, 1, static_cast<int>(left.count())) != 0;
}

/// Runs a hook to its end.
std::string ended(hook h) {
    if (!ends(h)) h.time_out();
    return h.collect();
}

/// A cell in `group` whose program says a line of 300 000 letters and fails.
course_plan long_words(const temporary_folder& folder) {
    course_plan plan;
    plan.program = folder.write("program", "#!/bin/sh\nhead -c 300000 /dev/zero | tr '\\0' x >&2\nexit 1\n");
    fs::permissions(plan.program, fs::perms::owner_all);
    plan.group = folder.path();
    plan.run = 1;
    plan.time_limit_s = 30;
    return plan;
}

} // namespace

TEST_CASE("docs/sweep.md has a row for every key of [sweep]") {
    const std::string page = content_of(CHIMERA_SOURCE_DIR "/docs/sweep.md");
    for (const auto& key : sweep_keys()) {
        const std::string row = std::string("| `sweep.") + key.option.name + "` | " + key.option.help + " | " +
                                describe(key.option) + " |\n";
        CHECK_MESSAGE(has(page, row), "docs/sweep.md lacks: " << row);
    }
}

TEST_CASE("the time of a cell is expected from its own group, else from its configuration, else from all") {
    cell_times times;
    CHECK_FALSE(times.expected_s("a", "x"));
    times.add(cell("a", "x", 1, 10));
    times.add(cell("a", "x", 2, 20));
    times.add(cell("b", "y", 1, 90));
    CHECK(times.expected_s("a", "x") == 15);
    CHECK(times.expected_s("b", "x") == 15);
    CHECK(times.expected_s("a", "y") == 90);
    CHECK(times.expected_s("a", "z") == 40);
    CHECK(duration_in_words(45) == "45 s");
    CHECK(duration_in_words(600) == "10 min");
    CHECK(duration_in_words(3 * 3600 + 300) == "3 h 5 min");
}

TEST_CASE("a hook says how it failed, with its last line, and is killed with its children when its time is over") {
    const temporary_folder folder;
    const auto run = [&](const std::string& line, double limit_s = 10) {
        return ended(hook("before_cell", line, folder / "log", {"NAME=value of it"}, limit_s));
    };
    CHECK(run("echo \"$NAME\"").empty());
    CHECK(content_of(folder / "log") == "value of it\n");
    CHECK(run("echo one; echo two >&2; exit 3") ==
          "before_cell ended with status 3: two; see " + (folder / "log").string());
    CHECK(run("kill -9 $$") == "before_cell ended by signal 9 (Killed); see " + (folder / "log").string());
    CHECK(run("kill -PIPE $$") == "before_cell ended by signal 13 (Broken pipe); see " + (folder / "log").string());
    CHECK(run("sleep 60; true", 0.1) == "before_cell did not end within 0.1 s (sweep.hook_limit_s): killed");
}

TEST_CASE("a server is reached over TCP or a Unix socket, or it is said why not") {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    REQUIRE(bind(fd, reinterpret_cast<const sockaddr*>(&at), size) == 0);
    REQUIRE(getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) == 0);
    const std::string url = "http://127.0.0.1:" + std::to_string(ntohs(at.sin_port));
    CHECK(why_unreachable(url) == "Connection refused");
    REQUIRE(listen(fd, 5) == 0);
    CHECK(why_unreachable(url) == "");
    CHECK(why_unreachable("http://localhost:" + std::to_string(ntohs(at.sin_port)) + "/v1") == "");

    const temporary_folder folder;
    CHECK(why_unreachable("http+unix://" + (folder / "s").string()) == "No such file or directory");
    const int local = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    (folder / "s").string().copy(name.sun_path, sizeof name.sun_path - 1);
    REQUIRE(bind(local, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
    REQUIRE(listen(local, 5) == 0);
    CHECK(why_unreachable("http+unix://" + (folder / "s").string()) == "");
    close(local);

    std::vector<std::string> said;
    server_watch watch(std::chrono::duration<double>(0.001),
                       [&said](const std::string& text) { said.push_back(text); });
    profile p;
    p.workload.agents = {{.id = "a", .label = "", .model = "m", .url = url, .options = {}, .prompt_template = {}}};
    CHECK(watch.all_there(p));
    close(fd);
    CHECK_FALSE(watch.all_there(p));
    CHECK_FALSE(watch.all_there(p));
    REQUIRE(said.size() == 1); // once
    CHECK(has(said[0], url + " cannot be reached (Connection refused)"));
    CHECK(watch.awaited() == url);
    usleep(2000);
    CHECK(has(watch.given_up(p), url + " has been away for"));
    server_watch blind(std::chrono::duration<double>(0), {});
    CHECK(blind.all_there(p));
    p.transport.options = {{.key = "proxy", .value = "env"}};
    CHECK(watched_servers(p).empty());
}

TEST_CASE("the preflight judges disk and governor") {
    constexpr std::uint64_t mib = 1U << 20U;
    const auto judged = [](std::uint64_t free, std::optional<std::uint64_t> needed) {
        preflight out;
        judge_disk(free, needed, "results", out);
        return out;
    };
    CHECK(judged(mib, {}).errors.size() == 1);
    CHECK(judged(100 * mib, 200 * mib).warnings.size() == 1);
    CHECK(judged(10 * mib, {}).warnings.size() == 1);
    CHECK(judged(10 * mib, 5 * mib).warnings.empty());
    CHECK(judged(1000 * mib, {}).warnings.empty());
    CHECK(free_bytes("/nowhere/at/all").value_or(0) > 0);
    CHECK(governor_warning(std::nullopt).empty());
    CHECK(governor_warning("performance").empty());
    CHECK(has(governor_warning("powersave"), "governor is powersave"));
}

TEST_CASE("the status of a sweep counts its cells and expects their time, and says whether one runs") {
    const temporary_folder folder;
    sweep_definition sweep = sweep_of(two_by_two);
    sweep.conduct.pause_s = 3;
    CHECK_THROWS_AS(read_status(folder.path()), results_error);
    folder.write("sweep.json", sealed_document(result_of(sweep)));
    sweep_status s = read_status(folder.path());
    CHECK(s.planned == 8);
    CHECK(s.left == 8);
    CHECK_FALSE(s.expected_s);
    CHECK_FALSE(s.running);
    {
        sweep_journal journal(folder.path());
        cell_result failed = cell("b", "plain", 1, 2, cell_status::failed);
        failed.message = "no\nluck";
        journal.append(cell("a", "plain", 1, 4));
        journal.append(failed);
        journal.append(cell("a", "tuned", 1, 6, cell_status::not_needed));
        journal.append(cell("b", "tuned", 1, 6, cell_status::interrupted));
        s = read_status(folder.path());
        CHECK(s.running);
        CHECK_FALSE(s.now);
    }
    s = read_status(folder.path());
    CHECK_FALSE(s.running);
    CHECK(s.ok == 1);
    CHECK(s.failed == 1);
    CHECK(s.not_needed == 1);
    CHECK(s.left == 5);
    REQUIRE(s.groups.size() == 4);
    CHECK(s.groups[0].cell_s == 4);
    CHECK(s.expected_s == 5 * (4 + 3)); // with their pauses; cells that failed early or were not needed say nothing
    const std::string text = to_text(s);
    CHECK_MESSAGE(has(text, "3 of 8 done, 1 failed, 1 not needed, 5 left"), text);
    CHECK(has(text, "b/plain run 1: failed: no\\nluck"));
}

TEST_CASE("a cell that failed is done, unless failed cells are retried; an interrupted one never is") {
    const temporary_folder folder;
    const sweep_definition sweep = sweep_of(two_by_two);
    const auto entry = [&sweep](std::size_t r, std::size_t c, cell_status status) {
        cell_result e = cell(sweep.runtimes[r].name, sweep.configs[c].name, 1, 3, status);
        e.config_hash = config_hash(sweep.profiles[r][c]);
        return e;
    };
    const std::vector<cell_result> entries{entry(0, 0, cell_status::failed), entry(0, 1, cell_status::interrupted),
                                           entry(1, 0, cell_status::timed_out)};
    const auto plan = plan_cells(sweep);
    folder_state s = look_at_folder(sweep, folder.path(), plan, entries, false);
    CHECK(s.done.size() == 2);
    CHECK(s.todo.size() == 6);
    CHECK(s.expected_s(sweep, 2) == 9);
    s = look_at_folder(sweep, folder.path(), plan, entries, true);
    CHECK(s.done.empty());
    CHECK(s.todo.size() == 8);
    REQUIRE(s.repeated.size() == 2);
    CHECK(s.repeated[0].ending == "failed");
    CHECK_FALSE(s.repeated[0].lost);

    folder.write("a/plain/run_1/metrics.json", "{}");
    folder.write("a/plain/logs/run_1.err", "why");
    CHECK(set_aside(folder / "a/plain", 1, "failed") == "run_1.failed");
    folder.write("a/plain/logs/run_1.err", "why again");
    CHECK(set_aside(folder / "a/plain", 1, "failed") == "");
    CHECK(content_of(folder / "a/plain/logs/run_1.failed.err") == "why");
    CHECK(content_of(folder / "a/plain/logs/run_1.failed-2.err") == "why again");
    folder.write("b/plain/logs/run_1.before_cell.log", "why"); // of a cell that was not run
    CHECK(set_aside(folder / "b/plain", 1, "failed") == "");
    folder.write("b/plain/logs/run_1.before_cell.log", "why again");
    CHECK(set_aside(folder / "b/plain", 1, "failed") == "");
    CHECK(content_of(folder / "b/plain/logs/run_1.failed.before_cell.log") == "why");
    CHECK(content_of(folder / "b/plain/logs/run_1.failed-2.before_cell.log") == "why again");
}

TEST_CASE("between a cell and its after_cell its servers may be judged, and after_cell gets a message that fits") {
    const temporary_folder folder;
    course_plan plan = long_words(folder);
    SUBCASE("as it is") {
        plan.conduct.after_cell = "echo \"$CHIMERA_STATUS $CHIMERA_MESSAGE\"";
        cell_course course(plan);
        REQUIRE(course.at() == cell_course::stage::ready);
        course.measure();
        REQUIRE(ends(course));
        course.advance();
        CHECK(course.at() == cell_course::stage::measured);
        CHECK(course.end_fd() == -1);
        CHECK_FALSE(fs::exists(folder / "logs/run_1.after_cell.log"));
        CHECK(course.result().status == cell_status::failed);
        CHECK(course.result().message.starts_with("xxx"));
        CHECK(course.result().message.size() <= 4096 + 3); // "..."
        course.finish();
        CHECK(course.at() == cell_course::stage::after);
        REQUIRE(ends(course));
        course.advance();
        CHECK(course.at() == cell_course::stage::over);
        CHECK(content_of(folder / "logs/run_1.after_cell.log") == "failed " + course.result().message + "\n");
    }
    SUBCASE("an environment that the kernel refuses costs the cell, and does not end the sweep") {
        plan.conduct.after_cell = "true";
        plan.servers = {std::string(300'000, 'u')};
        cell_course course(plan);
        course.measure();
        REQUIRE(ends(course));
        course.advance();
        course.finish();
        CHECK(course.at() == cell_course::stage::over);
        CHECK(course.result().status == cell_status::failed);
    }
}

TEST_CASE("a server was away for a request without a connection, if the transport is known to say when it connects") {
    const temporary_folder folder;
    request_result connected, alone, answered;
    connected.connected_ns = connected.sent_ns = 5;
    connected.error = "nothing came for 100 ms";
    alone.error = "connection refused";
    answered.error = "HTTP status 500";
    answered.status = 500;
    const auto found = [&](const std::vector<request_result>& requests) {
        std::string lines;
        for (const request_result& r : requests) append_sealed_line(lines, r);
        folder.write("run_1/requests.jsonl", lines);
        return found_no_server(folder.path(), 1);
    };
    CHECK(found({connected, alone}));
    CHECK_FALSE(found({connected, connected}));
    CHECK_FALSE(found({connected, answered}));
    CHECK_FALSE(found({alone, alone})); // of a transport that does not say
    CHECK_FALSE(found_no_server(folder.path(), 2));
}
