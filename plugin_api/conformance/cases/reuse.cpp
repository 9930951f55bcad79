// When a connection serves another exchange, when it does not, and the one retry that nobody has to know of.
#include <atomic>

#include "../case.hpp"
#include "../kit/client.hpp"
#include "../kit/counting_waker.hpp"
#include "../kit/on_reactor.hpp"
#include "../scripted_server/scripted_server.hpp"

namespace chimera::conformance {

namespace {

constexpr const char* hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/// Fetches `times` times in one session; every body must be "hello".
sdk::task<void> fetch_hello(const client& c, std::string url, unsigned times, unsigned pause_ms = 0) {
    sdk::session s = c.open(url);
    sdk::timer t(c.reactor());
    for (unsigned i = 0; i < times; ++i) {
        auto fetching = client::fetch(s, {"POST", "/", {}, "body"});
        const reply r = co_await fetching;
        expect_equal(r.body, "hello", "the body of exchange " + std::to_string(i));
        if (pause_ms) co_await t.after(pause_ms * 1'000'000ULL);
    }
}

void keep_alive(environment& env) {
    case_server server(env, [](peer& p) {
        while (p.request() && p.send(hello)) {
        }
    });
    const client c(env);
    c.run(fetch_hello(c, server.url(), 20));
    expect_equal(server.connections(), 1U, "the number of connections for twenty exchanges");
}

void says_close(environment& env) {
    needs_http1(env);
    case_server server(env, [](peer& p) {
        p.request();
        p.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello");
        p.wait_for_close(); // it is the client that has to go
    });
    const client c(env);
    c.run(fetch_hello(c, server.url(), 3));
    expect_equal(server.connections(), 3U, "the number of connections for three exchanges");
}

void old_version(environment& env) {
    needs_http1(env);
    case_server server(env, [](peer& p) {
        p.request();
        p.send("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        p.wait_for_close();
    });
    const client c(env);
    c.run(fetch_hello(c, server.url(), 2));
    expect_equal(server.connections(), 2U, "the number of connections for two exchanges");
}

void closed_while_idle(environment& env) {
    needs_http1(env);
    case_server server(env, [](peer& p) {
        if (p.request()) p.send(hello);
    });
    const client c(env);
    c.run(fetch_hello(c, server.url(), 4, 10));
    expect_equal(server.connections(), 4U, "the number of connections for four exchanges");
}

void reset_while_idle(environment& env) {
    needs_http1(env);
    needs_resets(env);
    case_server server(env, [](peer& p) {
        if (p.request()) p.send(hello);
        sleep_ms(5);
        p.reset();
    });
    const client c(env);
    c.run(fetch_hello(c, server.url(), 4, 20));
    expect_equal(server.connections(), 4U, "the number of connections for four exchanges");
}

/// A server that says more than it was asked for, with the response or after it.
void leftover_bytes(environment& env) {
    needs_http1(env);
    const std::string stale = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstale";
    for (const bool at_once : {true, false}) {
        std::atomic<unsigned> taken{0}, said{0};
        case_server server(env, [&](peer& p) {
            while (p.request()) {
                p.send(at_once ? hello + stale : hello);
                if (!at_once) {
                    wait_until([&] { return taken > said; }, "the response to be taken");
                    p.send(stale);
                    if (env.servers().over == wire::tls) sleep_ms(50); // it passes through another thread
                }
                ++said;
            }
        });
        const client c(env);
        const auto body = [&]() -> sdk::task<void> {
            sdk::session s = c.open(server.url());
            for (unsigned i = 1; i <= 3; ++i) {
                auto fetching = client::fetch(s, {});
                const reply r = co_await fetching;
                expect_equal(r.body, "hello", "the body of exchange " + std::to_string(i));
                taken = i;
                auto more = yield_until([&] { return said == i; }, "the server to say more");
                co_await more;
            }
        };
        c.run(body());
    }
}

void one_retry(environment& env) {
    needs_http1(env);
    case_server server(env, [](peer& p) {
        if (p.request()) p.send(hello);
        p.request(); // taken, and never answered
    });
    const client c(env);
    c.run(fetch_hello(c, server.url(), 3));
    expect_equal(server.connections(), 3U, "the number of connections for three exchanges");
}

void one_retry_only(environment& env) {
    needs_http1(env);
    case_server server(env, [](peer& p) {
        const auto r = p.request();
        if (r && p.number() == 0) p.send(hello);
        if (p.number() == 0) p.request();
    });
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        sdk::session s = c.open(server.url());
        auto fetching = client::fetch(s, {});
        co_await fetching;
        auto failing = client::fetch_failing(s, {}, CHM_E_CLOSED, server.url());
        co_await failing;
    };
    c.run(body());
    expect_equal(server.connections(), 2U, "the number of connections: the first, and one retry");
}

void no_retry_when_fresh(environment& env) {
    needs_http1(env);
    case_server server(env, [](peer& p) { p.request(); });
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        sdk::session s = c.open(server.url());
        auto failing = client::fetch_failing(s, {}, CHM_E_CLOSED, server.url());
        co_await failing;
    };
    c.run(body());
    expect_equal(server.connections(), 1U, "the number of connections: a new one is not tried again");
}

void no_retry_after_bytes(environment& env) {
    needs_http1(env);
    case_server server(env, [](peer& p) {
        if (p.request()) p.send(hello);
        if (p.request()) p.send("HTTP/1.1 2");
    });
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        sdk::session s = c.open(server.url());
        auto fetching = client::fetch(s, {});
        co_await fetching;
        auto failing = client::fetch_failing(s, {}, CHM_E_CLOSED, server.url());
        co_await failing;
    };
    c.run(body());
    expect_equal(server.connections(), 1U,
                 "the number of connections: a response that has begun is not asked for again");
}

/// Closes an exchange early, at each of several points; the next exchange must work and the old connection be gone.
void abandoned(environment& env) {
    std::atomic<unsigned> closed{0};
    case_server server(env, [&](peer& p) {
        const auto r = p.request();
        if (!r) {
            // closed before it asked for anything
        } else if (r->line.starts_with("GET /hello")) {
            p.send(hello);
        } else if (r->line.starts_with("GET /body")) {
            p.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nsome");
        } else if (r->line.starts_with("GET /head")) {
            p.send("HTTP/1.1 200 OK\r\nContent-Le");
        }
        p.wait_for_close();
        ++closed;
    });
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        sdk::timer t(c.reactor());
        for (const std::string path : {"/body", "/head", "/nothing", "/at-once"}) {
            sdk::session s = c.open(server.url());
            {
                sdk::exchange x = client::start(s, {"GET", path, {}, ""});
                if (path == "/body") {
                    co_await x.head();
                    co_await x.chunk();
                } else if (path != "/at-once") {
                    auto begun = x.head();
                    current_waker get;
                    const sdk::waker mine = co_await get;
                    expect(!begun.poll(mine.get()), "there must be no head yet");
                    co_await t.after(5'000'000); // wakes of the exchange are spurious polls here
                }
            }
            auto fetching = client::fetch(s, {"GET", "/hello", {}, ""});
            const reply r = co_await fetching;
            expect_equal(r.body, "hello", "the body after an exchange abandoned at " + path);
        }
    };
    c.run(body());
    // Where each session has its own connection, an exchange may be closed before there is one to have a stream on.
    if (env.servers().http2 && !shares_connections(env)) return;
    wait_until([&] { return closed >= 7; }, "all connections, or streams, to be closed by the client");
    if (env.servers().http2) return; // its stream went, and not its connection
    wait_until([&] { return closed == server.connections(); }, "all connections to be closed by the client");
    expect(server.connections() >= 7, "an abandoned exchange must take its connection with it");
}

void closed_with_session(environment& env) {
    needs_http1(env);
    if (shares_connections(env)) throw skipped("its sessions share connections");
    std::atomic<unsigned> closed{0};
    case_server server(env, [&](peer& p) {
        while (p.request()) p.send(hello);
        ++closed;
    });
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        {
            auto fetching = fetch_hello(c, server.url(), 2);
            co_await fetching;
        }
        auto gone = yield_until([&] { return closed == 1; }, "the connection to be closed with its session");
        co_await gone;
    };
    c.run(body());
    expect_equal(server.connections(), 1U, "the number of connections");
}

constexpr test_case cases[] = {
    {"reuse.keep_alive", kind::transport, "A connection serves one exchange after another", keep_alive},
    {"reuse.says_close", kind::transport, "A connection is not used again after Connection: close", says_close},
    {"reuse.old_version", kind::transport, "An HTTP/1.0 connection without keep-alive is not used again", old_version},
    {"reuse.closed_while_idle", kind::transport, "A connection that was closed while idle is replaced",
     closed_while_idle},
    {"reuse.reset_while_idle", kind::transport, "A connection that was reset while idle is replaced", reset_while_idle},
    {"reuse.leftover_bytes", kind::transport, "Bytes after a response are not taken for the next response",
     leftover_bytes},
    {"reuse.one_retry", kind::transport, "A used connection that closes without a byte of response is retried once",
     one_retry},
    {"reuse.one_retry_only", kind::transport, "A retry is not retried", one_retry_only},
    {"reuse.no_retry_when_fresh", kind::transport, "A new connection that closes without an answer is not retried",
     no_retry_when_fresh},
    {"reuse.no_retry_after_bytes", kind::transport, "A response that has begun is not retried", no_retry_after_bytes},
    {"reuse.abandoned", kind::transport,
     "An exchange that is closed early closes its connection, and the next one works", abandoned},
    {"reuse.closed_with_session", kind::transport, "The connection is closed with its session", closed_with_session},
};

} // namespace

std::span<const test_case> reuse_cases() { return cases; }

} // namespace chimera::conformance
