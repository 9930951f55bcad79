// Whatever is wrong with the input, the user is told where and what to do, and the exit status says which kind of
// failure it was.
#include "host_process.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <string>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace chimera::test;

namespace {

outcome run_set(const temporary_folder& f, const std::string& set) { return run_profile(f, "smol1kb", {"--set", set}); }

const std::vector<std::string> short_run{"--runs", "1", "--warmup", "0", "--set", "workload.kind=calls"};

std::vector<std::string> with(std::vector<std::string> more) {
    more.insert(more.end(), short_run.begin(), short_run.end());
    return more;
}

/// A port on which nobody listens.
int closed_port() {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    close(fd);
    return ntohs(address.sin_port);
}

} // namespace

TEST_CASE("a name that is not a profile's is answered with the nearest") {
    check_refused(run_host({"--profile", "smo1kb", "--dry-run"}), 2, "did you mean \"smol1kb\"?");
}

TEST_CASE("a profile's faults are named with file, line, column and the nearest key") {
    const temporary_folder f;
    const auto file = f.write(
        "bad.toml", "[executor]\nplugin = \"fiber\"\n\n[transport]\nplugin = \"socket\"\noptions = { read_sise = 1 "
                    "}\n\n[measure]\nruns = \"many\"\n");
    const outcome o = run_host({"--profile", file.string()});
    check_refused(o, 2, "bad.toml:6:");
    CHECK(contains(o.err, "read_size"));
    CHECK(contains(o.err, "bad.toml:9:"));
    f.write("bad.toml", "[executor\n");
    check_refused(run_host({"--profile", file.string()}), 2, "bad.toml:1:");
    check_refused(run_host({"--profile", (f.path() / "none.toml").string()}), 2, "none.toml");
    check_refused(run_host({}), 2, "--profile");
    check_refused(run_host({"--no-such-option"}), 2, "--no-such-option");
}

TEST_CASE("a --set that is wrong is refused with its own text") {
    const temporary_folder f;
    check_refused(run_set(f, "executor.plgin=fiber"), 2, "executor.plgin");
    check_refused(run_set(f, "transport.options.read_size=huge"), 2, "read_size");
    check_refused(run_set(f, "transport.options.buffer_size=4096"), 2, "buffer_size"); // curl's, not the socket's
    check_refused(run_set(f, "measure.runs=0"), 2, "runs");
    check_refused(run_set(f, "executor.plugin=fibre"), 2, "fiber");
    for (const std::string table : {"executor", "foreign", "transport"})
        check_refused(run_set(f, table + ".plugin="), 2, table + ".plugin=: is empty");
}

TEST_CASE("changing a plugin drops the options of the old one") {
    const temporary_folder f;
    const outcome o =
        run_host({"--profile", profile_path("smol1kb").string(), "--set", "transport.plugin=curl", "--dry-run"});
    CHECK_MESSAGE(o.status == 0, o.err);
    CHECK(contains(o.out, "buffer_size = 8192"));
    CHECK(!contains(o.out, "read_size"));
}

TEST_CASE("a plugin that cannot be used says why") {
    const temporary_folder f;
    const std::string bad = std::string(CHIMERA_BAD_PLUGIN_DIR) + "/";
    check_refused(run_set(f, "executor.plugin=" + bad + "wrong_major.so"), 2, "contract 2.2");
    check_refused(run_set(f, "executor.plugin=" + bad + "no_entry.so"), 2, "chimera_plugin_entry");
    check_refused(run_set(f, "executor.plugin=" + bad + "create_fails.so"), 3, "create_fails");
    check_refused(run_set(f, "executor.plugin=" + profile_path("smol1kb").string() + ".so"), 2, "smol1kb.toml.so");
    f.write("text.so", "this is no plugin");
    check_refused(run_set(f, "executor.plugin=" + (f.path() / "text.so").string()), 2, "text.so");
    check_refused(run_set(f, "executor.plugin=socket"), 2, "socket");
}

TEST_CASE("an executor without a reactor and without a foreign one is refused") {
    const temporary_folder f;
    check_refused(run_profile(f, "smol1kb", with({"--set", "executor.plugin=async_std_bridge"})), 3, "[foreign]");
    check_refused(run_profile(f, "async_std", with({"--set", "foreign.plugin=uv_pinned"})), 3, "uv_pinned");
}

TEST_CASE("an unreachable server is named and the status says that everything failed") {
    const temporary_folder f;
    const std::string url = "http://127.0.0.1:" + std::to_string(closed_port());
    for (const std::string transport : {"curl", "socket"}) {
        CAPTURE(transport);
        const outcome o = run_profile(f, "smol1kb", with({"--url", url, "--set", "transport.plugin=" + transport}));
        CHECK(o.status == 4);
        CHECK(contains(o.json()["errors"].dump(), url));
    }
}

TEST_CASE("https is refused by the socket transport, which names the one that offers it") {
    const temporary_folder f;
    const outcome o = run_profile(f, "smol1kb", with({"--url", "https://127.0.0.1:1"}));
    CHECK(o.status == 4);
    CHECK(contains(o.json()["errors"].dump(), "curl"));
}

TEST_CASE("every fault of a server is an error on both transports") {
    const temporary_folder f;
    for (const std::string fault :
         {"refuse", "reset,after=3", "garbage,after=3", "oversized,after=3", "error_record,after=3", "429", "500",
          "503", "truncated_chunk,after=3", "early_close,after=3", "bad_chunk,after=3"})
        for (const std::string transport : {"curl", "socket"}) {
            CAPTURE(fault);
            CAPTURE(transport);
            const outcome o = run_profile(
                f, "smol1kb",
                with({"--set", "backend.simulator.fault=\"" + fault + "\"", "--set", "transport.plugin=" + transport}));
            CHECK(o.status == 4);
            CHECK_MESSAGE(contains(o.json()["errors"].dump(), "http://127.0.0.1:"), o.out);
        }
}

TEST_CASE("a server that stalls is given up after the idle timeout") {
    const temporary_folder f;
    for (const std::string transport : {"curl", "socket"}) {
        CAPTURE(transport);
        const outcome o =
            run_profile(f, "smol1kb",
                        with({"--set", "backend.simulator.fault=\"stall,after=3\"", "--set",
                              "transport.plugin=" + transport, "--set", "transport.options.idle_timeout_ms=200"}));
        CHECK(o.status == 4);
        CHECK_MESSAGE(contains(o.json()["errors"].dump(), "200 ms"), o.out);
    }
}

TEST_CASE("a slow server that drips bytes is not an error") {
    const temporary_folder f;
    for (const std::string transport : {"curl", "socket"}) {
        CAPTURE(transport);
        const outcome o =
            run_profile(f, "smol1kb",
                        with({"--set", "backend.simulator.fault=\"slow_drip,ms=1,after=1\"", "--set",
                              "transport.plugin=" + transport, "--set", "backend.simulator.reply_tokens_min=5", "--set",
                              "backend.simulator.reply_tokens_max=5"}));
        CHECK_MESSAGE(o.status == 0, o.out);
    }
}

TEST_CASE("Ctrl-C ends within a second, keeps finished runs and leaves nothing running") {
    const temporary_folder f;
    process host(host_program(), {"--profile", profile_path("smol1kb").string(), "--ui", "plain", "--warmup", "0",
                                  "--output-dir", f.path().string(), "--set", "backend.simulator.reply_tokens_min=20",
                                  "--set", "backend.simulator.reply_tokens_max=20", "--runs", "100"});
    host.wait_for_error_text("run 1: ");
    host.wait_for_error_text("run 2 of 100, all together");
    const auto before = std::chrono::steady_clock::now();
    host.signal(SIGINT);
    const outcome o = host.wait();
    CHECK(o.status == 130);
    CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(1));
    int kept = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(f.path()))
        kept += entry.path().filename() == "metrics.json";
    CHECK(kept >= 1);
    CHECK(simulators_running() == 0);
}

TEST_CASE("simulators are gone when the host is killed") {
    const temporary_folder f;
    process host(host_program(),
                 {"--profile", profile_path("smol1kb").string(), "--ui", "plain", "--output-dir", f.path().string()});
    host.wait_for_error_text("warm-up");
    CHECK(simulators_running() == 2);
    host.signal(SIGKILL);
    host.wait();
    for (int i = 0; i < 100 && simulators_running() > 0; ++i) usleep(20'000);
    CHECK(simulators_running() == 0);
}

TEST_CASE("an API key reaches no file and no output, also when a server sends it back") {
    const temporary_folder f;
    const temporary_folder served;
    served.write("echo.py", R"(
import http.server, sys
class echo(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = ('{"error":"invalid key: ' + str(self.headers.get("Authorization")) + '"}').encode()
        self.send_response(401); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), echo)
print("port", server.server_port, file=sys.stderr, flush=True)
server.serve_forever()
)");
    process server("/usr/bin/python3", {(served.path() / "echo.py").string()});
    server.wait_for_error_text("\n");
    const std::string port = server.error_text().substr(5, server.error_text().find('\n') - 5);
    for (const std::string transport : {"curl", "socket"}) {
        const outcome o = run_profile(f, "openai",
                                      with({"--api-key", "sk-very-secret", "--url", "http://127.0.0.1:" + port, "--set",
                                            "transport.plugin=" + transport}));
        CHECK(o.status == 4);
        CHECK(contains(o.out, "invalid key: Bearer ***"));
        CHECK(!contains(o.out + o.err, "very-secret"));
    }
    const outcome grep = process("/bin/grep", {"-r", "very-secret", f.path().string()}).wait();
    CHECK(grep.status == 1);
}

TEST_CASE("simulator options that contradict each other are bad input") {
    const temporary_folder f;
    check_refused(run_profile(f, "smol1kb", with({"--set", "backend.simulator.fault=bogus"})), 2, "bogus");
    check_refused(run_profile(f, "smol1kb", with({"--set", "backend.simulator.reply_tokens_min=500"})), 2,
                  "reply-tokens");
}

TEST_CASE("an option that would be ignored is refused") { check_refused(run_host({"--json", "plugins"}), 2, "--json"); }
