// HTTP/2: what the streams of a connection have in common, and what they must not have.
#include <algorithm>
#include <atomic>

#include "../case.hpp"
#include "../kit/client.hpp"
#include "../kit/on_reactor.hpp"
#include "../scripted_server/scripted_server.hpp"

namespace chimera::conformance {

namespace {

constexpr const char* hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
constexpr const char* begun = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegu";

sdk::task<void> fetch_hello(const client& c, std::string url, std::string path = "/") {
    sdk::session s = c.open(url);
    auto fetching = client::fetch(s, {"GET", path, {}, ""});
    const reply r = co_await fetching;
    expect_equal(r.body, "hello", "the body from " + path);
}

/// An exchange up to the first piece of a body that has begun, and is still going on.
sdk::task<void> begin(sdk::exchange& x) {
    co_await x.head();
    const auto piece = co_await x.chunk();
    expect(piece.has_value(), "the body must have begun");
}

/// What is left of that body must be "n end".
sdk::task<void> end(sdk::exchange& x, std::string which) {
    std::string rest;
    while (const auto piece = co_await x.chunk()) rest += *piece;
    expect(rest == "n end" || rest == "un end", "the rest of the body of " + which + " must arrive, and is " + rest);
}

void many_at_once(environment& env) {
    needs_http2(env);
    const unsigned n = scaled(100);
    std::atomic<unsigned> there{0};
    case_server server(env, [&](peer& p) { // answers each with what it asked for, when all are open
        const auto r = p.request();
        if (!r) return;
        ++there;
        wait_until([&] { return there >= n; }, "all requests to be there at once");
        const std::string body(3000, r->body.back());
        p.send("HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n");
        p.send(body, 100);
    });
    const client c(env);
    const auto ask = [&](unsigned i) -> sdk::task<void> {
        sdk::session s = c.open(server.url());
        const char mine = static_cast<char>('A' + i % 50);
        auto fetching = client::fetch(s, {"POST", "/", {}, std::string(1, mine)});
        const reply r = co_await fetching;
        expect(r.body == std::string(3000, mine), "each exchange must get its own body");
    };
    for (unsigned i = 0; i < n; ++i) c.on().spawn(ask(i));
    c.on().run_until_idle();
    if (shares_connections(env))
        expect(server.connections() < n,
               "sessions that share connections must have fewer of them than there are sessions");
}

void unread_stream(environment& env) {
    needs_http2(env);
    constexpr std::size_t size = 1 << 20;
    case_server server(env, [&](peer& p) {
        const auto r = p.request();
        if (!r) return;
        if (r->line.starts_with("GET /hello")) {
            p.send(hello);
            return;
        }
        p.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n");
        p.send(std::string(size, 'x'));
    });
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        sdk::session s = c.open(server.url());
        sdk::exchange unread = client::start(s, {"GET", "/unread", {}, ""});
        co_await unread.head();
        sdk::timer pause(c.reactor());
        co_await pause.after(50'000'000); // the server sends as much as it may
        for (unsigned i = 0; i < 20; ++i) {
            auto one = fetch_hello(c, server.url(), "/hello");
            co_await one;
        }
        std::size_t got = 0;
        while (const auto piece = co_await unread.chunk()) got += piece->size();
        expect_equal(got, size, "the bytes of the stream that was not read for a while");
    };
    c.run(body());
}

/// A server that begins every answer at once, and ends it when the case says so.
struct held_server {
    std::atomic<unsigned> there{0};
    std::atomic<bool> go_on{false}, reset_odd{false};
    case_server server;

    explicit held_server(environment& env)
        : server(env, [this](peer& p) {
              const auto r = p.request();
              if (!r) return;
              if (r->line.starts_with("GET /hello")) {
                  p.send(hello);
                  return;
              }
              p.send(begun);
              ++there;
              const bool odd = r->line.starts_with("GET /odd");
              wait_until([&] { return go_on || (odd && reset_odd); }, "the case to go on");
              if (odd && reset_odd) return p.reset();
              p.send("n end");
              p.wait_for_close();
          }) {}
    ~held_server() { go_on = true; }
};

void one_reset(environment& env) {
    needs_http2(env);
    held_server held(env);
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        sdk::session one = c.open(held.server.url()), two = c.open(held.server.url());
        sdk::exchange even = client::start(one, {"GET", "/even", {}, ""});
        sdk::exchange odd = client::start(two, {"GET", "/odd", {}, ""});
        auto first = begin(even);
        co_await first;
        auto second = begin(odd);
        co_await second;
        held.reset_odd = true;
        chm_rc rc = CHM_OK;
        try {
            while (co_await odd.chunk()) {
            }
        } catch (const sdk::error& e) {
            rc = e.code();
        }
        expect_code(rc, CHM_E_IO, "the code of an exchange whose stream the server resets");
        held.go_on = true;
        auto rest = end(even, "the other exchange");
        co_await rest;
    };
    c.run(body());
}

void go_away(environment& env) {
    needs_http2(env);
    held_server held(env);
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        sdk::session s = c.open(held.server.url());
        sdk::exchange x = client::start(s, {"GET", "/held", {}, ""});
        auto first = begin(x);
        co_await first;
        held.server.go_away();
        sdk::timer pause(c.reactor());
        co_await pause.after(20'000'000); // it arrives; a request that is sent before that is not processed
        auto one = fetch_hello(c, held.server.url(), "/hello");
        co_await one;
        expect(held.server.connections() >= 2, "an exchange after a GOAWAY must use a new connection");
        held.go_on = true;
        auto rest = end(x, "an exchange that was going on when GOAWAY came");
        co_await rest;
    };
    c.run(body());
}

void connection_lost(environment& env) {
    needs_http2(env);
    held_server held(env);
    const client c(env);
    constexpr unsigned n = 5;
    std::atomic<unsigned> failed{0};
    const auto ask = [&]() -> sdk::task<void> {
        sdk::session s = c.open(held.server.url());
        auto failing = client::fetch_failing(s, {"GET", "/held", {}, ""}, CHM_E_CLOSED, held.server.url());
        co_await failing;
        ++failed;
        auto again = client::fetch(s, {"GET", "/hello", {}, ""});
        const reply r = co_await again;
        expect_equal(r.body, "hello", "the body of the exchange after the loss");
    };
    const auto cut = [&]() -> sdk::task<void> {
        auto all = yield_until([&] { return held.there == n; }, "all answers to begin");
        co_await all;
        held.server.drop_connections();
    };
    for (unsigned i = 0; i < n; ++i) c.on().spawn(ask());
    c.on().spawn(cut());
    c.on().run_until_idle();
    expect_equal(failed.load(), n, "the exchanges that failed with their connection");
}

void ping(environment& env) {
    needs_http2(env);
    case_server server(env, [](peer& p) {
        if (p.request()) p.send(hello);
    });
    const client c(env);
    if (!c.on().raw()->vt->get_extension(c.on().raw(), CHM_EXT_SERVICE))
        throw skipped("the executor below it has no services");
    if (!shares_connections(env)) throw skipped("its sessions have a connection each, which nobody else reads");
    const auto body = [&]() -> sdk::task<void> {
        sdk::session s = c.open(server.url());
        auto fetching = client::fetch(s, {});
        co_await fetching;
        server.ping();
        sdk::timer pause(c.reactor()); // nobody polls an exchange meanwhile
        for (unsigned i = 0; i < 200 && server.pings_answered() == 0; ++i) co_await pause.after(10'000'000);
        expect_equal(server.pings_answered(), 1U, "the PINGs answered while no exchange is open");
        auto again = client::fetch(s, {});
        co_await again;
    };
    c.run(body());
    expect_equal(server.connections(), 1U, "the number of connections");
}

void abandoned(environment& env) {
    needs_http2(env);
    held_server held(env);
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        sdk::session one = c.open(held.server.url()), two = c.open(held.server.url());
        sdk::exchange kept = client::start(one, {"GET", "/kept", {}, ""});
        auto first = begin(kept);
        co_await first;
        unsigned connections = 0;
        for (unsigned i = 1; i <= 3; ++i) {
            {
                sdk::exchange x = client::start(two, {"GET", "/left", {}, ""});
                auto second = begin(x);
                co_await second;
            }
            auto reset = yield_until([&] { return held.server.streams_reset() == i; },
                                     "the server to be told that the exchange was abandoned");
            co_await reset;
            // A task that moves may begin its second session on another worker, and another worker's connection.
            if (i == 1) connections = held.server.connections();
        }
        if (shares_connections(env))
            expect_equal(held.server.connections(), connections, "the connections after three abandoned exchanges");
        held.go_on = true;
        auto rest = end(kept, "the exchange beside it");
        co_await rest;
    };
    c.run(body());
}

void stream_limit(environment& env) {
    needs_http2(env);
    served few = env.servers();
    few.max_streams = 4;
    scripted_server server(
        [](peer& p) {
            if (!p.request()) return;
            sleep_ms(2);
            p.send(hello);
        },
        few);
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        auto first = fetch_hello(c, server.url()); // the limit is known then
        co_await first;
        for (unsigned i = 0; i < 40; ++i) c.on().spawn(fetch_hello(c, server.url()));
    };
    c.run(body());
}

constexpr test_case cases[] = {
    {"multiplex.many_at_once", kind::transport,
     "A hundred exchanges at once each get their own body; a transport that shares connections uses fewer than a "
     "hundred",
     many_at_once},
    {"multiplex.unread_stream", kind::transport, "A stream that nobody reads does not block others", unread_stream},
    {"multiplex.one_reset", kind::transport, "A stream that is reset is CHM_E_IO, and the others go on", one_reset},
    {"multiplex.go_away", kind::transport, "After a GOAWAY open exchanges finish, and new ones use another connection",
     go_away},
    {"multiplex.connection_lost", kind::transport, "When a connection closes, all its exchanges are CHM_E_CLOSED",
     connection_lost},
    {"multiplex.ping", kind::transport, "A PING is answered while no exchange is open", ping},
    {"multiplex.abandoned", kind::transport, "An abandoned exchange resets its stream, and the others go on",
     abandoned},
    {"multiplex.stream_limit", kind::transport, "More exchanges than the server allows streams all finish",
     stream_limit},
};

} // namespace

std::span<const test_case> multiplexing_cases() { return cases; }

} // namespace chimera::conformance
