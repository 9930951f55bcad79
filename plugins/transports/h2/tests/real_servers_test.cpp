// Servers that others wrote: nghttpd, nginx before a server that streams, and openssl without HTTP/2.
#include "frame_server.hpp"
#include "running.hpp"
#include "servers.hpp"

using namespace chimera;
using namespace chimera::h2::test;

namespace {

constexpr std::size_t large = 3'000'000;

std::string pattern(std::size_t size) {
    std::string bytes(size, ' ');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>('a' + i % 23);
    return bytes;
}

std::string url_of(const char* scheme, std::uint16_t port) {
    return std::string(scheme) + "://127.0.0.1:" + std::to_string(port);
}

/// GET, HEAD, POST and a missing file, as every server has them.
void check_answers(const place& p, const std::string& url, const option_list& options, bool echoes) {
    CAPTURE(p.executor);
    CAPTURE(p.share);
    for (const outcome& o : fetch_all(p, url, 20, {"GET", "/hello.txt"}, options)) {
        CHECK_MESSAGE(o.rc == CHM_END, o.error);
        CHECK(o.status == 200);
        CHECK(o.body == "hello\n");
        CHECK(o.header("content-length") == "6");
    }
    const outcome head = fetch_all(p, url, 1, {"HEAD", "/hello.txt"}, options).front();
    CHECK_MESSAGE(head.rc == CHM_END, head.error);
    CHECK(head.status == 200);
    CHECK(head.body.empty());
    const outcome missing = fetch_all(p, url, 1, {"GET", "/missing"}, options).front();
    CHECK(missing.rc == CHM_END);
    CHECK(missing.status == 404);
    for (const outcome& o : fetch_all(p, url, 3, {"GET", "/large"}, options)) {
        CHECK_MESSAGE(o.rc == CHM_END, o.error);
        CHECK(o.body == pattern(large));
    }
    if (!echoes) return;
    const request post{"POST", "/", {{"Connection", "close"}, {"Content-Type", "text/plain"}}, pattern(500'000)};
    for (const outcome& o : fetch_all(p, url, 3, post, options)) {
        CHECK_MESSAGE(o.rc == CHM_END, o.error);
        CHECK(o.body == post.body);
    }
}

} // namespace

TEST_CASE("nghttpd, in the clear and behind TLS") {
    const std::string nghttpd = program("nghttpd");
    if (nghttpd.empty()) return;
    const leak_check leaks;
    const folder f;
    f.write("hello.txt", "hello\n");
    f.write("large", pattern(large));
    f.make_certificate();
    const std::uint16_t plain = free_port(), secure = free_port();
    const running_program in_the_clear(
        {nghttpd, "--no-tls", "--echo-upload", "-a", "127.0.0.1", "-d", f / "", std::to_string(plain)},
        f / "plain.log");
    const running_program with_tls({nghttpd, "--echo-upload", "-a", "127.0.0.1", "-d", f / "", std::to_string(secure),
                                    f / "key.pem", f / "cert.pem"},
                                   f / "tls.log");
    in_the_clear.wait_for_port(plain);
    with_tls.wait_for_port(secure);
    for (const place& p : places()) {
        check_answers(p, url_of("http", plain), {}, true);
        check_answers(p, url_of("https", secure), {{"ca_file", f / "cert.pem"}}, true);
    }
    // What is wrong with a certificate, or with a server, is said.
    const place p{"uv_pinned", "worker"};
    const outcome unknown = fetch_all(p, url_of("https", secure), 1).front();
    CHECK(unknown.rc == CHM_E_TLS);
    CHECK(unknown.error.find("certificate") != std::string::npos);
    CHECK(fetch_all(p, url_of("https", secure), 1, {}, {{"tls_verify", "false"}}).front().status == 404);
    const outcome misnamed =
        fetch_all(p, "https://localhost:" + std::to_string(secure), 1, {}, {{"ca_file", f / "cert.pem"}}).front();
    CHECK(misnamed.rc == CHM_E_TLS);
    CHECK(fetch_all(p, url_of("https", plain), 1).front().rc == CHM_E_TLS);
}

TEST_CASE("a TLS server that knows nothing of HTTP/2 is named as one") {
    const std::string openssl = program("openssl");
    if (openssl.empty()) return;
    const leak_check leaks;
    const folder f;
    f.make_certificate();
    const std::uint16_t silent = free_port(), other = free_port();
    const running_program without({openssl, "s_server", "-www", "-accept", "127.0.0.1:" + std::to_string(silent),
                                   "-cert", f / "cert.pem", "-key", f / "key.pem"},
                                  f / "without.log");
    const running_program http1({openssl, "s_server", "-www", "-alpn", "http/1.1", "-accept",
                                 "127.0.0.1:" + std::to_string(other), "-cert", f / "cert.pem", "-key", f / "key.pem"},
                                f / "http1.log");
    without.wait_for_line("ACCEPT");
    http1.wait_for_line("ACCEPT");
    for (const std::uint16_t port : {silent, other})
        for (const char* share : {"worker", "session"}) {
            const outcome o =
                fetch_all({"uv_pinned", share}, url_of("https", port), 1, {}, {{"ca_file", f / "cert.pem"}}).front();
            CAPTURE(o.error);
            CHECK(o.rc == CHM_E_PROTO);
            CHECK(o.error.find("use the socket or curl transport") != std::string::npos);
        }
}

TEST_CASE("a certificate that nobody checks is not blamed for what else fails") {
    const std::string openssl = program("openssl");
    if (openssl.empty()) return;
    const leak_check leaks;
    const folder f;
    f.make_certificate();
    const std::uint16_t port = free_port();
    const running_program demands({openssl, "s_server", "-www", "-tls1_2", "-alpn", "h2", "-Verify", "1", "-accept",
                                   "127.0.0.1:" + std::to_string(port), "-cert", f / "cert.pem", "-key", f / "key.pem"},
                                  f / "demands.log");
    demands.wait_for_line("ACCEPT");
    for (const char* share : {"worker", "session"}) {
        const outcome o =
            fetch_all({"uv_pinned", share}, url_of("https", port), 1, {}, {{"tls_verify", "false"}}).front();
        CAPTURE(o.error);
        CHECK(o.rc == CHM_E_TLS);
        CHECK(o.error.find("handshake failure") != std::string::npos);
        CHECK(o.error.find("the server's certificate") == std::string::npos);
    }
}

TEST_CASE("nginx before a server that streams: many agents, few streams, connections that it ends") {
    const std::string nginx = program("nginx");
    if (nginx.empty()) return;
    const leak_check leaks;
    const folder f;
    f.write("hello.txt", "hello\n");
    f.write("large", pattern(large));
    f.make_certificate();
    const running_program upstream(
        {CHIMERA_BIN_DIR "/chimera-sim", "--reply-tokens-min", "20", "--reply-tokens-max", "20"}, f / "sim.log");
    const std::string sim = upstream.wait_for_line("listening").substr(10);
    const std::uint16_t plain = free_port(), secure = free_port(), tight = free_port();
    const std::string path = f / "nginx.sock";
    std::string locations = "    root " + (f / "") + ";\n    location /llm/ {\n      proxy_pass " + sim +
                            "/;\n      proxy_http_version 1.1;\n      proxy_buffering off;\n    }\n";
    const auto server = [&](const std::string& listen, const std::string& more) {
        return "  server {\n    listen " + listen + ";\n" + more + locations + "  }\n";
    };
    const auto at = [](std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); };
    std::string text = "daemon off;\nmaster_process off;\npid " + (f / "nginx.pid") + ";\nerror_log " +
                       (f / "error.log") + ";\nevents {}\nhttp {\n  access_log off;\n  keepalive_timeout 60;\n";
    for (const char* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
        text += std::string("  ") + kind + "_temp_path " + (f / kind) + ";\n";
    text += server(at(plain) + " http2", "") + server("unix:" + path + " http2", "") +
            server(at(secure) + " ssl http2", "    ssl_certificate " + (f / "cert.pem") +
                                                  ";\n    ssl_certificate_key " + (f / "key.pem") + ";\n") +
            server(at(tight) + " http2", "    http2_max_concurrent_streams 3;\n    keepalive_requests 7;\n") + "}\n";
    f.write("nginx.conf", text);
    const running_program proxy({nginx, "-c", f / "nginx.conf", "-e", f / "error.log"}, f / "nginx.log");
    for (const std::uint16_t port : {plain, secure, tight}) proxy.wait_for_port(port);

    const request ask_model{"POST",
                            "/llm/api/generate",
                            {{"Content-Type", "application/json"}},
                            R"({"model": "m", "prompt": "count", "stream": true})"};
    std::string unix_url = "http+unix://";
    for (const char c : path) unix_url += c == '/' ? std::string("%2F") : std::string(1, c);
    for (const place& p : places()) {
        const option_list trusted{{"ca_file", f / "cert.pem"}};
        check_answers(p, url_of("http", plain), {}, false);
        check_answers(p, url_of("https", secure), trusted, false);
        check_answers(p, unix_url, {}, false);
        for (const std::string& url : {url_of("http", plain), url_of("https", secure)})
            for (const outcome& o : fetch_all(p, url, 10, ask_model, trusted)) {
                CHECK_MESSAGE(o.rc == CHM_END, o.error);
                CHECK(o.status == 200);
                CHECK(o.pieces > 5);
                CHECK(o.body.find("\"done\":true") != std::string::npos);
            }
        // Three streams at a time, and a GOAWAY after every seventh request.
        for (const outcome& o : fetch_all(p, url_of("http", tight), 60, {"GET", "/hello.txt"})) {
            CHECK_MESSAGE(o.rc == CHM_END, o.error);
            CHECK(o.body == "hello\n");
        }
    }
}
