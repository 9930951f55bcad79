// A real server behind a real reverse proxy: --url, twice, through nginx.
#include "host_process.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <fstream>
#include <string>

#include <unistd.h>

using namespace chimera::test;

namespace {

/// A simulator run by itself, as any server would be.
struct server {
    explicit server(const temporary_folder& f, const std::string& name)
        : file(f.path() / name),
          running("/bin/sh", {"-c", "exec " + simulator_program().string() +
                                        " --reply-tokens-min 20 --reply-tokens-max 20 > " + file.string()}) {
        for (int i = 0; i < 500 && url.empty(); ++i) {
            std::ifstream in(file);
            std::string word, rest;
            if (in >> word >> rest && !in.eof()) url = rest;
            if (url.empty()) usleep(10'000);
        }
        REQUIRE(url.starts_with("http://127.0.0.1:"));
    }
    std::filesystem::path file;
    process running;
    std::string url;
};

std::string nginx_configuration(const temporary_folder& f, const std::string& socket, const server& upstream,
                                const std::string& extra) {
    const std::string folder = f.path().string();
    return "daemon off;\npid " + folder + "/nginx.pid;\nerror_log " + folder +
           "/error.log;\nevents {}\nhttp {\n  access_log off;\n" + "  client_body_temp_path " + folder +
           "/body;\n  proxy_temp_path " + folder + "/proxy;\n  fastcgi_temp_path " + folder +
           "/fastcgi;\n  uwsgi_temp_path " + folder + "/uwsgi;\n  scgi_temp_path " + folder +
           "/scgi;\n  server {\n    listen " + socket + ";\n    location /llm/ {\n      proxy_pass " + upstream.url +
           "/;\n" + extra + "    }\n  }\n}\n";
}

/// A loopback address, as "127.0.0.1:PORT", that was free a moment ago.
std::string free_address(const temporary_folder& f) {
    server taken(f, "taken");
    taken.running.signal(SIGTERM);
    taken.running.wait();
    return taken.url.substr(7);
}

constexpr const char* for_streaming = "      proxy_http_version 1.1;\n      proxy_buffering off;\n";

} // namespace

TEST_CASE("two agents reach a server through nginx, under a path prefix, on both transports") {
    const temporary_folder f;
    const server upstream(f, "server");
    const std::string address = free_address(f);

    std::string extra;
    SUBCASE("as nginx comes: HTTP/1.0 and buffers") {}
    SUBCASE("as one sets it up for streaming") { extra = for_streaming; }
    f.write("nginx.conf", nginx_configuration(f, address, upstream, extra));
    process nginx("/usr/sbin/nginx",
                  {"-c", (f.path() / "nginx.conf").string(), "-e", (f.path() / "error.log").string()});
    usleep(300'000);

    const std::string url = "http://" + address + "/llm";
    for (const std::string transport : {"curl", "socket"})
        for (const std::string api : {"ollama", "openai"}) {
            CAPTURE(transport);
            CAPTURE(api);
            const temporary_folder results;
            const outcome o = run_profile(results, "smol1kb",
                                          {"--url", url, "--url", url, "--runs", "1", "--warmup", "0", "--set",
                                           "backend.api=" + api, "--set", "transport.plugin=" + transport});
            CHECK_MESSAGE(o.status == 0, o.err << o.out);
            CHECK(o.mean("tokens") == 20);
        }
    nginx.signal(SIGQUIT);
    CHECK(nginx.wait().status == 0);
}

TEST_CASE(
    "agents that share an HTTP/2 connection: head of line is a stage of theirs, and of nobody's who shares none") {
    const temporary_folder f;
    const server upstream(f, "server");
    const std::string address = free_address(f);
    f.write("nginx.conf", nginx_configuration(f, address + " http2", upstream, for_streaming));
    process nginx("/usr/sbin/nginx",
                  {"-c", (f.path() / "nginx.conf").string(), "-e", (f.path() / "error.log").string()});
    usleep(300'000);

    const std::string url = "http://" + address + "/llm";
    for (const std::string share : {"worker", "session"}) {
        CAPTURE(share);
        const temporary_folder results;
        const outcome o =
            run_profile(results, "h2",
                        {"--url", url, "--runs", "1", "--warmup", "0", "--set", "measure.baseline=true", "--set",
                         "workload.agents.count=4", "--set", "transport.options.share=" + share});
        REQUIRE_MESSAGE(o.status == 0, o.err << o.out);
        CHECK(o.mean("tokens") == 20);
        const auto metrics = o.json()["metrics"];
        const bool shared = share == "worker";
        for (const char* metric : {"inflation_head_of_line_pct", "head_of_line_us"})
            CHECK((metrics.contains(metric) && metrics[metric]["n"] > 0) == shared);
        double stages = 0; // all of them, and nothing else
        for (const char* stage : {"scheduling", "blocked", "transport", "head_of_line", "parsing", "work", "server"})
            if (const std::string name = std::string("inflation_") + stage + "_pct"; metrics[name]["n"] > 0)
                stages += metrics[name]["mean"].get<double>();
        CHECK(stages == doctest::Approx(o.mean("inflation_pct")).epsilon(1e-6));
    }
    // A server of the other version is named as one.
    const temporary_folder results;
    const outcome wrong = run_profile(
        results, "h2", {"--url", upstream.url, "--runs", "1", "--warmup", "0", "--set", "workload.agents.count=1"});
    CHECK(wrong.status != 0);
    CHECK((wrong.err + wrong.out).find("answers HTTP/1.1: use the socket or curl transport") != std::string::npos);
    nginx.signal(SIGQUIT);
    CHECK(nginx.wait().status == 0);
}
