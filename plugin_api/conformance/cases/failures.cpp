// How exchanges fail: the same code from every transport, a message that names the URL, and nothing left behind.
#include <atomic>

#include "../case.hpp"
#include "../kit/client.hpp"
#include "../scripted_server/scripted_server.hpp"

namespace chimera::conformance {

namespace {

constexpr const char* chunked_head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// The exchange must fail with `code`; the next one in the same session must then work.
void expect_failure(environment& env, chm_rc code, const scripted_server::script& misbehave,
                    const option_map& options = {}) {
    std::atomic<bool> healed{false};
    case_server server(env, [&](peer& p) {
        if (!healed) return misbehave(p);
        while (p.request() && p.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) {
        }
    });
    const client c(env, options);
    const auto body = [&]() -> sdk::task<void> {
        sdk::session s = c.open(server.url());
        auto failing = client::fetch_failing(s, {"GET", "/some/path", {}, ""}, code, server.url());
        co_await failing;
        healed = true;
        auto fetching = client::fetch(s, {});
        const reply r = co_await fetching;
        expect_equal(r.body, "ok", "the body of the exchange after the failure");
    };
    c.run(body());
    if (env.servers().http2) return; // a stream was broken, and not its connection
    expect_equal(server.connections(), 2U, "the number of connections: the broken one and a new one");
}

/// Sends and then ends the connection properly.
scripted_server::script answer(std::string bytes) {
    return [bytes](peer& p) {
        p.request();
        p.send(bytes);
    };
}
/// Sends, lets it arrive, and then resets the connection.
scripted_server::script answer_and_reset(std::string bytes) {
    return [bytes](peer& p) {
        p.request();
        p.send(bytes);
        sleep_ms(20);
        p.reset();
    };
}

void refused(environment& env) {
    served deaf = env.servers();
    deaf.listens = false;
    const scripted_server server(answer(""), deaf);
    const std::string url = server.url();
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        sdk::session s = c.open(url);
        for (unsigned i = 0; i < 2; ++i) {
            auto failing = client::fetch_failing(s, {}, CHM_E_CONNECT, url);
            co_await failing;
        }
    };
    c.run(body());
}

void unresolvable(environment& env) {
    if (env.servers().over == wire::unix_socket) throw skipped("a Unix socket has no host name");
    const std::string url =
        env.servers().over == wire::tls ? "https://no-such-host.invalid:8080" : "http://no-such-host.invalid:8080";
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        sdk::session s = c.open(url);
        auto failing = client::fetch_failing(s, {}, CHM_E_RESOLVE, "no-such-host.invalid");
        co_await failing;
    };
    c.run(body());
}

void closed_before_head(environment& env) { expect_failure(env, CHM_E_CLOSED, answer("")); }
void closed_in_head(environment& env) {
    needs_http1(env);
    expect_failure(env, CHM_E_CLOSED, answer("HTTP/1.1 200 OK\r\nContent-Type: te"));
    expect_failure(env, CHM_E_CLOSED, answer("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"));
    expect_failure(env, CHM_E_CLOSED, answer("HTTP/1.1 100 Continue\r\n\r\n"));
}
void truncated_length(environment& env) {
    expect_failure(env, CHM_E_CLOSED, answer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"));
    expect_failure(env, CHM_E_CLOSED, answer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"));
}
void truncated_chunks(environment& env) {
    needs_http1(env);
    for (const char* rest : {"", "5", "5\r\n", "5\r\nhel", "5\r\nhello", "5\r\nhello\r\n", "5\r\nhello\r\n0\r\n",
                             "5\r\nhello\r\n0\r\nT: "})
        expect_failure(env, CHM_E_CLOSED, answer(std::string(chunked_head) + rest));
}
void reset_before_head(environment& env) {
    needs_resets(env);
    expect_failure(env, CHM_E_IO, answer_and_reset(""));
}
void reset_in_request(environment& env) {
    needs_resets(env);
    const std::string big(8 << 20, 'x'); // more than the kernel takes
    case_server server(env, [](peer& p) {
        sleep_ms(20);
        p.reset(); // with the request on its way
    });
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        sdk::session s = c.open(server.url());
        auto failing = client::fetch_failing(s, {"POST", "/", {}, big}, CHM_E_IO, server.url());
        co_await failing;
    };
    c.run(body());
}
void reset_in_head(environment& env) {
    needs_http1(env);
    needs_resets(env);
    expect_failure(env, CHM_E_IO, answer_and_reset("HTTP/1.1 200 OK\r\nContent-Type: te"));
}
void reset_in_body(environment& env) {
    needs_resets(env);
    expect_failure(env, CHM_E_IO, answer_and_reset("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"));
}
void reset_between_chunks(environment& env) {
    needs_resets(env);
    expect_failure(env, CHM_E_IO, answer_and_reset(std::string(chunked_head) + "5\r\nhello\r\n"));
}
void garbage_head(environment& env) {
    needs_http1(env);
    expect_failure(env, CHM_E_PROTO, answer("this is no HTTP at all\r\n\r\n"));
    expect_failure(env, CHM_E_PROTO, answer(std::string("\x16\x03\x01\x02\x00", 5) + "binary\r\n\r\n"));
    expect_failure(env, CHM_E_PROTO, answer("HTTP/1.1 abc OK\r\n\r\n"));
}
void garbage_chunk(environment& env) {
    needs_http1(env);
    expect_failure(env, CHM_E_PROTO, answer(std::string(chunked_head) + "xyz\r\nhello\r\n0\r\n\r\n"));
    expect_failure(env, CHM_E_PROTO, answer(std::string(chunked_head) + "5\r\nhelloXX0\r\n\r\n"));
}
void endless_head(environment& env) {
    needs_http1(env);
    expect_failure(env, CHM_E_LIMIT, [](peer& p) {
        p.request();
        p.send("HTTP/1.1 200 OK\r\n");
        for (unsigned i = 0; i < 20'000; ++i)
            if (!p.send("X-Header-" + std::to_string(i) + ": " + std::string(400, 'x') + "\r\n")) return;
        p.wait_for_close();
    });
}

void time_limit(environment& env, const char* option, const std::string& bytes) {
    if (!client::has_option(env, option)) throw skipped(std::string("it has no option ") + option);
    expect_failure(env, CHM_E_TIMEOUT,
                   [&](peer& p) {
                       p.request();
                       p.send(bytes);
                       p.wait_for_close();
                   },
                   {{option, "150"}});
}
void first_byte_timeout(environment& env) { time_limit(env, "first_byte_timeout_ms", ""); }
void idle_timeout(environment& env) {
    time_limit(env, "idle_timeout_ms", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
    time_limit(env, "idle_timeout_ms", std::string(chunked_head) + "5\r\nhello\r\n");
}
void idle_timeout_is_renewed(environment& env) {
    if (!client::has_option(env, "idle_timeout_ms")) throw skipped("it has no option idle_timeout_ms");
    case_server server(env, [](peer& p) {
        p.request();
        p.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n");
        for (unsigned i = 0; i < 8; ++i) { // twice the limit in all
            sleep_ms(sanitized ? 500 : 100);
            p.send("x");
        }
    });
    const client c(env, {{"idle_timeout_ms", sanitized ? "2000" : "400"}});
    const auto body = [&]() -> sdk::task<void> {
        sdk::session s = c.open(server.url());
        auto fetching = client::fetch(s, {});
        const reply r = co_await fetching;
        expect_equal(r.body, "xxxxxxxx", "the body");
    };
    c.run(body());
}

constexpr test_case cases[] = {
    {"failure.refused", kind::transport, "A refused connection is CHM_E_CONNECT and names the URL", refused},
    {"failure.unresolvable", kind::transport, "A name without an address is CHM_E_RESOLVE", unresolvable},
    {"failure.closed_before_head", kind::transport, "A close instead of an answer is CHM_E_CLOSED", closed_before_head},
    {"failure.closed_in_head", kind::transport, "A close inside the head is CHM_E_CLOSED", closed_in_head},
    {"failure.truncated_length", kind::transport, "A body shorter than its length is CHM_E_CLOSED", truncated_length},
    {"failure.truncated_chunks", kind::transport, "A chunked body without its end is CHM_E_CLOSED", truncated_chunks},
    {"failure.reset_before_head", kind::transport, "A reset instead of an answer is CHM_E_IO", reset_before_head},
    {"failure.reset_in_request", kind::transport, "A reset while the request is being sent is CHM_E_IO",
     reset_in_request},
    {"failure.reset_in_head", kind::transport, "A reset inside the head is CHM_E_IO", reset_in_head},
    {"failure.reset_in_body", kind::transport, "A reset inside the body is CHM_E_IO", reset_in_body},
    {"failure.reset_between_chunks", kind::transport, "A reset between chunks is CHM_E_IO", reset_between_chunks},
    {"failure.garbage_head", kind::transport, "An answer that is not HTTP is CHM_E_PROTO", garbage_head},
    {"failure.garbage_chunk", kind::transport, "A malformed chunk is CHM_E_PROTO", garbage_chunk},
    {"failure.endless_head", kind::transport, "A head of several megabytes is CHM_E_LIMIT", endless_head},
    {"failure.first_byte_timeout", kind::transport, "A server that does not answer runs into first_byte_timeout_ms",
     first_byte_timeout},
    {"failure.idle_timeout", kind::transport, "A server that stalls inside the body runs into idle_timeout_ms",
     idle_timeout},
    {"failure.idle_timeout_renewed", kind::transport, "Every byte of the body renews the idle limit",
     idle_timeout_is_renewed},
};

} // namespace

std::span<const test_case> failure_cases() { return cases; }

} // namespace chimera::conformance
