// One exchange: the request as it is sent, the response as it is given.
#include <cstring>

#include "../case.hpp"
#include "../kit/client.hpp"
#include "../scripted_server/scripted_server.hpp"
#include "chimera/sdk/text.hpp"

namespace chimera::conformance {

namespace {

constexpr const char* hello =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Odd: a: b \r\nContent-Length: 5\r\n\r\nhello";

/// Answers every request on every connection with the same bytes.
scripted_server::script always(std::string bytes) {
    return [bytes](peer& p) {
        while (p.request() && p.send(bytes)) {
        }
    };
}

void get(environment& env) {
    case_server server(env, always(hello));
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        sdk::session s = c.open(server.url());
        auto fetching = client::fetch(s, {});
        const reply r = co_await fetching;
        expect_equal(r.status, 200, "the status");
        expect_equal(r.body, "hello", "the body");
        expect_equal(r.header("content-type"), "text/plain", "a header");
        expect_equal(r.header("x-odd"), "a: b", "a header with a colon and a space at its end");
        expect_equal(r.header("content-length"), "5", "a header");
    };
    c.run(body());
}

void request_as_sent(environment& env) {
    std::optional<wire_request> seen;
    case_server server(env, [&](peer& p) {
        seen = p.request();
        p.send(hello);
    });
    std::string big(1 << 20, '\0');
    for (std::size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>(i * 31 + i / 251);
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        sdk::session s = c.open(server.url() + "/prefix/v1");
        wanted w;
        w.method = "POST";
        w.path = "/chat/completions?stream=true";
        w.headers = {{"Content-Type", "application/json"}, {"Authorization", "Bearer some-key"}, {"X-Empty", ""}};
        w.body = big;
        auto fetching = client::fetch(s, w);
        co_await fetching;
    };
    c.run(body());
    expect(seen.has_value(), "the server must have got a whole request");
    expect_equal(seen->line, "POST /prefix/v1/chat/completions?stream=true HTTP/1.1", "the request line");
    expect_equal(seen->header("host"), server.authority(), "the Host header");
    expect_equal(seen->header("content-type"), "application/json", "Content-Type");
    expect_equal(seen->header("authorization"), "Bearer some-key", "Authorization");
    expect_equal(seen->header("content-length"), std::to_string(big.size()), "Content-Length");
    expect(seen->header("transfer-encoding").empty(), "a body of known length must not be chunked");
    expect(seen->body == big, "the body must arrive byte for byte");
}

void arguments_are_copied(environment& env) {
    std::optional<wire_request> seen;
    case_server server(env, [&](peer& p) {
        seen = p.request();
        p.send(hello);
    });
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        auto url = std::make_unique<std::string>(server.url() + "/base");
        sdk::session s = c.open(*url);
        url->assign(url->size(), '#');
        wanted w{"POST", "/path", {{"X-Header", "value"}}, "a body"};
        sdk::exchange x = client::start(s, w);
        w.path.assign(w.path.size(), '#');
        w.body.assign(w.body.size(), '#');
        w.headers[0].first.assign(8, '#');
        w.headers[0].second.assign(5, '#');
        auto rest = client::finish(std::move(x));
        co_await rest;
    };
    c.run(body());
    expect(seen.has_value(), "the server must have got a whole request");
    expect_equal(seen->line, "POST /base/path HTTP/1.1", "the request line");
    expect_equal(seen->header("x-header"), "value", "the header");
    expect_equal(seen->body, "a body", "the body");
}

void empty_bodies(environment& env) {
    unsigned n = 0;
    case_server server(env, [&](peer& p) {
        while (p.request())
            p.send(n++ % 2 == 0 ? "HTTP/1.1 204 No Content\r\n\r\n" : "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        sdk::session s = c.open(server.url());
        for (const int status : {204, 200, 204}) {
            auto fetching = client::fetch(s, {"POST", "/", {}, ""});
            const reply r = co_await fetching;
            expect_equal(r.status, status, "the status");
            expect_equal(r.body, "", "the body");
        }
    };
    c.run(body());
    if (!shares_connections(env)) expect_equal(server.connections(), 1U, "the number of connections");
}

void error_statuses(environment& env) {
    unsigned n = 0;
    const int statuses[] = {400, 401, 404, 429, 500, 503, 302};
    case_server server(env, [&](peer& p) {
        while (p.request())
            p.send("HTTP/1.1 " + std::to_string(statuses[n++]) +
                   " Some Reason\r\nLocation: /other\r\nContent-Length: 3\r\n\r\nwhy");
    });
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        sdk::session s = c.open(server.url());
        for (const int status : statuses) {
            auto fetching = client::fetch(s, {});
            const reply r = co_await fetching;
            expect_equal(r.status, status, "the status");
            expect_equal(r.body, "why", "the body");
        }
    };
    c.run(body());
}

void one_at_a_time(environment& env) {
    case_server server(env, always(hello));
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        sdk::session s = c.open(server.url());
        sdk::exchange first = client::start(s, {});
        chm_rc rc = CHM_OK;
        try {
            client::start(s, {});
        } catch (const sdk::error& e) {
            rc = e.code();
        }
        expect_code(rc, CHM_E_STATE, "the result of a second start");
        auto rest = client::finish(std::move(first));
        const reply r = co_await rest;
        expect_equal(r.body, "hello", "the body of the first");
        auto again = client::fetch(s, {});
        co_await again;
    };
    c.run(body());
    if (!shares_connections(env)) expect_equal(server.connections(), 1U, "the number of connections");
}

void no_io_before_start(environment& env) {
    case_server server(env, always(hello));
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        const sdk::session unused = c.open(server.url());
        sdk::timer t(c.reactor());
        co_await t.after(20'000'000);
    };
    c.run(body());
    expect_equal(server.connections(), 0U, "the number of connections of a session that starts nothing");
}

void bad_url(environment& env) {
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        const auto code = [&](const std::string& url) -> chm_rc {
            try {
                c.open(url);
            } catch (const sdk::error& e) {
                expect(!std::string_view(e.what()).starts_with("error "), url + " must be refused with a message");
                return e.code();
            }
            return CHM_OK;
        };
        for (const char* url : {"", "nonsense"})
            expect_code(code(url), CHM_E_INVAL, "the result of opening '" + std::string(url) + "'");
        const std::string scheme = env.servers().over == wire::tls ? "https" : "http";
        if (env.servers().over == wire::unix_socket)
            expect_code(code("http+unix://"), CHM_E_INVAL, "the result of opening a Unix socket without a path");
        else
            for (const char* rest : {"://", "://host:port", "://127.0.0.1:99999/"})
                expect_code(code(scheme + rest), CHM_E_INVAL, "the result of opening '" + scheme + rest + "'");
        for (const char* url : {"ftp://127.0.0.1/", "gopher://127.0.0.1/"})
            expect_code(code(url), CHM_E_NOSYS, "the result of opening " + std::string(url));
        co_return;
    };
    c.run(body());
}

void no_reactor(environment& env) {
    const case_server server(env, always(hello));
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        chm_session_args args{};
        args.size = sizeof args;
        const std::string url = server.url();
        args.base_url = sdk::str(url);
        chm_session* made = nullptr;
        sdk::error_buffer err;
        const chm_rc rc = c.transport()->vt->open(c.transport(), &args, &made, err.abi());
        if (rc == CHM_OK) made->vt->close(made);
        if (rc == CHM_OK) throw skipped("it needs no reactor");
        expect_code(rc, CHM_E_NOSYS, "the result of opening a session without a reactor");
        expect(!err.text().empty(), "a session without a reactor must be refused with a message");
        co_return;
    };
    c.run(body());
}

void names_and_literals(environment& env) {
    needs_tcp(env);
    const client c(env);
    const auto ask = [&](std::string url) -> sdk::task<void> {
        sdk::session s = c.open(url);
        auto fetching = client::fetch(s, {});
        const reply r = co_await fetching;
        expect_equal(r.body, "hello", "the body from " + url);
    };
    case_server server(env, always(hello));
    c.on().spawn(ask("http://localhost:" + std::to_string(server.port())));
    c.on().spawn(ask("HTTP://127.0.0.1:" + std::to_string(server.port()) + "/"));
    c.on().run_until_idle();
}

void ipv6(environment& env) {
    needs_tcp(env);
    std::optional<wire_request> seen;
    served on_ipv6 = env.servers();
    on_ipv6.v6 = true;
    scripted_server server(
        [&](peer& p) {
            seen = p.request();
            p.send(hello);
        },
        on_ipv6);
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        sdk::session s = c.open(server.url());
        auto fetching = client::fetch(s, {});
        co_await fetching;
    };
    c.run(body());
    expect_equal(seen->header("host"), server.authority(), "the Host header");
}

void timing(environment& env) {
    case_server server(env, [](peer& p) {
        while (p.request()) {
            sleep_ms(5);
            p.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nfour");
            sleep_ms(5);
            p.send("more");
        }
    });
    const client c(env);
    const auto* ext =
        static_cast<const chm_timing_ext*>(c.transport()->vt->get_extension(c.transport(), CHM_EXT_TIMING));
    if (!ext) throw skipped("it has no timing extension");
    const auto body = [&]() -> sdk::task<void> {
        sdk::session s = c.open(server.url());
        for (unsigned i = 0; i < 3; ++i) {
            const std::uint64_t start = sdk::now_ns();
            sdk::exchange x = client::start(s, {});
            co_await x.head();
            while (co_await x.chunk()) {
            }
            chm_exchange_timing t{};
            t.size = sizeof t;
            ext->read(x.get(), &t);
            const std::uint64_t end = sdk::now_ns();
            expect_equal(t.reused, i == 0 ? 0U : 1U, "reused in exchange " + std::to_string(i));
            expect_equal(t.retries, 0U, "retries");
            expect(t.connected_ns > 0 && t.sent_ns > 0 && t.first_byte_ns > 0, "all times must be known at the end");
            expect(i == 0 ? t.connected_ns >= start : t.connected_ns <= start,
                   "connected_ns must be of this connection");
            expect(t.connected_ns <= t.sent_ns && start <= t.sent_ns, "the request must be sent after the connection");
            expect(t.sent_ns <= t.first_byte_ns, "the first byte must come after the request was sent");
            expect(t.first_byte_ns <= end, "the first byte must not come from the future");
            if (t.readable_ns)
                expect(t.readable_ns >= t.first_byte_ns && t.readable_ns <= end,
                       "readable_ns is of the latest receive");
        }
    };
    c.run(body());
}

void larger_structs(environment& env) {
    case_server server(env, always(hello));
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        const std::string url = server.url();
        struct {
            chm_session_args known;
            unsigned char later[64];
        } args{};
        std::memset(args.later, 0xff, sizeof args.later);
        args.known.size = sizeof args;
        args.known.executor = c.on().raw();
        args.known.reactor = c.reactor();
        args.known.base_url = sdk::str(url);
        sdk::session s(c.transport(), args.known);
        struct {
            chm_request known;
            unsigned char later[64];
        } request{};
        std::memset(request.later, 0xff, sizeof request.later);
        request.known.size = sizeof request;
        request.known.method = {"GET", 3};
        request.known.path = {"/", 1};
        auto fetching = client::finish(s.start(request.known));
        const reply r = co_await fetching;
        expect_equal(r.body, "hello", "the body");
    };
    c.run(body());
}

void unknown_extension(environment& env) {
    const client c(env);
    const auto extension = c.transport()->vt->get_extension;
    for (const char* id : {"", "chimera.transport.timing", "chimera.transport.timing/999", "\xff", "%s%n"})
        expect(extension(c.transport(), id) == nullptr, "an unknown extension id must give NULL");
}

constexpr test_case cases[] = {
    {"exchange.unknown_extension", kind::transport, "An unknown extension id gives NULL", unknown_extension},
    {"exchange.get", kind::transport, "Status, headers and body are given as they were sent", get},
    {"exchange.request_as_sent", kind::transport, "Request line, Host, headers and a body of 1 MiB arrive unchanged",
     request_as_sent},
    {"exchange.arguments_copied", kind::transport, "URL and request may change as soon as open and start have returned",
     arguments_are_copied},
    {"exchange.empty_bodies", kind::transport, "Empty bodies of requests and responses are complete at once",
     empty_bodies},
    {"exchange.error_statuses", kind::transport,
     "An error status is a result, not a failure, and redirects are not followed", error_statuses},
    {"exchange.one_at_a_time", kind::transport, "Starting an exchange beside an unfinished one is CHM_E_STATE",
     one_at_a_time},
    {"exchange.no_io_before_start", kind::transport, "A session does no I/O before its first exchange",
     no_io_before_start},
    {"exchange.bad_url", kind::transport, "A bad URL is CHM_E_INVAL and an unknown scheme CHM_E_NOSYS", bad_url},
    {"exchange.no_reactor", kind::transport, "A session that needs a reactor is refused without one", no_reactor},
    {"exchange.names", kind::transport, "Host names and IPv4 literals are reached", names_and_literals},
    {"exchange.ipv6", kind::transport, "An IPv6 literal is reached", ipv6},
    {"exchange.larger_structs", kind::transport, "Arguments of a later minor, with more members, are accepted",
     larger_structs},
    {"exchange.timing", kind::transport, "The timings of an exchange are in order and are its own", timing},
};

} // namespace

std::span<const test_case> exchange_cases() { return cases; }

} // namespace chimera::conformance
