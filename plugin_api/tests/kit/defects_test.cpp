// The kit is worth what it finds: each defect must fail the cases that are there for it, and a sound plugin none.
#include <doctest/doctest.h>

#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

namespace {

struct ran {
    int status;
    std::string output;
};

ran run(const std::string& plugin, const std::string& arguments) {
    const std::string command = CHIMERA_BIN_DIR "/chimera-conformance " + plugin + " " + arguments + " 2>&1";
    FILE* pipe = ::popen(command.c_str(), "r");
    REQUIRE(pipe);
    ran r;
    char buffer[4096];
    while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) r.output.append(buffer, n);
    const int status = ::pclose(pipe);
    r.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return r;
}

struct defect {
    const char* name;
    const char* glob;    // cases to run, of which at least one must fail
    const char* verdict; // how it must begin
    const char* says;    // what the line must contain
};

void expect_caught(const std::string& plugin, const std::string& arguments, const defect& d) {
    INFO(d.name);
    const ran r = run(plugin, arguments + " --timeout 2 --set defect=" + d.name + " --case '" + d.glob + "'");
    INFO(r.output);
    CHECK(r.status == 1);
    bool found = false;
    for (std::size_t at = 0; at < r.output.size();) {
        const std::string line = r.output.substr(at, r.output.find('\n', at) - at);
        found |= line.starts_with(d.verdict) && line.find(d.says) != std::string::npos;
        at += line.size() + 1;
    }
    CHECK(found);
}

const std::string executor = CHIMERA_TEST_PLUGIN_DIR "/defective_executor.so";
const std::string transport = CHIMERA_TEST_PLUGIN_DIR "/defective_transport.so";
const std::string sound_transport = CHIMERA_PLUGIN_DIR "/socket.so";

} // namespace

TEST_CASE("an executor without a defect passes") {
    const ran r = run(executor, "--case '[wst]*.[a-g]*'");
    INFO(r.output);
    CHECK(r.status == 0);
    CHECK(r.output.find(" 0 failed") != std::string::npos);
}

TEST_CASE("every defect of an executor is found, and said") {
    for (const defect& d : std::vector<defect>{
             {"loses_wake", "wake.handshake", "hung", "wake.handshake"},
             {"polls_again", "wake.during_poll", "failed", "number of polls after five wakes"},
             {"never_drops", "task.hints_and_names", "failed", "never dropped"},
             {"drops_twice", "task.ready_at_once", "failed", "dropped twice"},
             {"polls_in_spawn", "task.not_before_run", "failed", "polled before run"},
             {"takes_after_stop", "spawn.after_stop", "failed", "dropped twice"},
             {"ignores_stop", "stop.from_another_thread", "hung", "no end within its time limit"},
             {"ends_when_idle", "stop.stays_until_stop", "failed", "must not return before stop"},
             {"leaks_descriptor", "lifecycle.create_destroy", "failed", "left behind: fd"},
             {"leaks_thread", "lifecycle.create_destroy", "failed", "thread(s)"},
             {"crashes", "lifecycle.create_destroy", "crashed", "Aborted"},
             {"answers_any_extension", "entry.unknown_extension", "failed", "must give NULL"},
             {"clears_blindly", "io.stale_clear", "hung", "io.stale_clear"},
             {"never_rechecks", "io.recheck", "hung", "io.recheck"},
             {"fires_early", "timer.never_early", "failed", "must not be early"},
             {"keeps_timers", "timer.destroyed_while_armed", "failed", "wakes of destroyed timers"},
         })
        expect_caught(executor, "", d);
}

TEST_CASE("every defect of a transport is found, and said") {
    if (!std::filesystem::exists(sound_transport)) {
        MESSAGE("the socket transport is not built");
        return;
    }
    const std::string inner = "--set inner=" + sound_transport;
    const ran sound = run(transport, inner + " --case 'framing.c*'");
    INFO(sound.output);
    CHECK(sound.status == 0);
    for (const defect& d : std::vector<defect>{
             {"swallows_bytes", "framing.content_length", "failed", "the body is hello worl,"},
             {"gives_empty_pieces", "exchange.get", "failed", "at least one byte"},
             {"takes_close_for_end", "failure.truncated_length", "failed", "must fail with"},
             {"confuses_codes", "failure.reset_in_body", "failed", "the code of the failure"},
             {"says_nothing", "failure.refused", "failed", "the message must name"},
             {"never_reuses", "reuse.keep_alive", "failed", "the number of connections"},
             {"forgets_headers", "exchange.request_as_sent", "failed", "Content-Type is , expected"},
             {"leaks_exchanges", "reuse.keep_alive", "failed", "exchange"},
         })
        expect_caught(transport, inner, d);
}

TEST_CASE("the command says what is wrong with it") {
    CHECK(run("", "").status == 2);
    CHECK(run("/no/such/plugin.so", "").output.find("/no/such/plugin.so: cannot be loaded") != std::string::npos);
    CHECK(run("/no/such/plugin.so", "").status == 2);
    CHECK(run(executor, "--set wrong=1").output.find("no option 'wrong'") != std::string::npos);
    CHECK(run(executor, "--set wrong").status == 2);
    CHECK(run(executor, "--case nothing").output.find("no case matches nothing") != std::string::npos);
    CHECK(run(executor, "--timeout x").status == 2);
    CHECK(run("", "--list").output.find("wake.storm") != std::string::npos);
    CHECK(run("", "--list").status == 0);
}
