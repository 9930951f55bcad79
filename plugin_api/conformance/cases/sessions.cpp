// Many sessions, and sessions that end in the middle.
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>

#include "../case.hpp"
#include "../kit/client.hpp"
#include "../kit/scale.hpp"
#include "../scripted_server/scripted_server.hpp"
#include "chimera/sdk/text.hpp"

namespace chimera::conformance {

namespace {

constexpr const char* streamed =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";

/// Answers every request in small pieces.
void stream(peer& p) {
    while (p.request() && p.send(streamed, 9)) {
    }
}

sdk::task<void> ask(sdk::session& s) {
    auto fetching = client::fetch(s, {"POST", "/", {}, "a question"});
    const reply r = co_await fetching;
    expect_equal(r.body, "hello world", "the body");
}
sdk::task<void> ask(const client& c, std::string url, unsigned times) {
    sdk::session s = c.open(url);
    for (unsigned i = 0; i < times; ++i) {
        auto one = ask(s);
        co_await one;
    }
}

void hundred(environment& env) {
    case_server server(env, stream);
    const client c(env);
    for (unsigned i = 0; i < 100; ++i) c.on().spawn(ask(c, server.url(), scaled(20)));
    c.on().run_until_idle();
    if (!shares_connections(env))
        expect_equal(server.connections(), 100U, "the number of connections of a hundred sessions");
    else
        expect(server.connections() <= 100, "sessions must not have more than a connection each");
}

void two_in_one_task(environment& env) {
    case_server server(env, stream);
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        sdk::session one = c.open(server.url()), two = c.open(server.url());
        sdk::exchange x = client::start(one, {}), y = client::start(two, {});
        auto second = client::finish(std::move(y));
        const reply b = co_await second;
        auto first = client::finish(std::move(x));
        const reply a = co_await first;
        expect_equal(a.body, b.body, "the bodies of two exchanges beside each other");
    };
    c.run(body());
}

void thousand(environment& env) {
    const unsigned n = scaled(1000);
    const rlim_t needed = 4 * n + 200; // both ends are in this process, and the server may stand behind TLS
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < needed) throw skipped("this user may not open " + std::to_string(needed) + " descriptors");
    limit.rlim_cur = std::max(limit.rlim_cur, needed);
    ::setrlimit(RLIMIT_NOFILE, &limit);
    std::mutex mutex;
    std::condition_variable all_there;
    unsigned there = 0;
    case_server server(env, [&](peer& p) { // answers when all are open
        p.request();
        {
            std::unique_lock lock(mutex);
            if (++there == n) all_there.notify_all();
            all_there.wait_for(lock, std::chrono::seconds(10), [&] { return there >= n; });
        }
        p.send(streamed);
        p.wait_for_close();
    });
    const client c(env);
    for (unsigned i = 0; i < n; ++i) c.on().spawn(ask(c, server.url(), 1));
    c.on().run_until_idle();
    if (!shares_connections(env)) expect_equal(server.connections(), n, "the number of connections");
}

void views_stay(environment& env) {
    case_server server(env, [](peer& p) {
        while (const auto r = p.request()) { // answers with the letter that it is asked for
            p.send("HTTP/1.1 200 OK\r\nX-Letter: " + r->body + "\r\nContent-Length: 2000\r\n\r\n" +
                   std::string(1000, r->body[0]));
            sleep_ms(2);
            p.send(std::string(1000, r->body[0]));
        }
    });
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        sdk::session one = c.open(server.url()), two = c.open(server.url());
        for (unsigned i = 0; i < 5; ++i) {
            sdk::exchange a = client::start(one, {"POST", "/", {}, "a"});
            sdk::exchange b = client::start(two, {"POST", "/", {}, "b"});
            const chm_head head = co_await a.head();
            co_await b.head();
            bool named = false;
            for (std::size_t h = 0; h < head.n_headers; ++h) named |= sdk::view(head.headers[h].value) == "a";
            expect(named, "a head must stay as it is until the next call on its exchange");
            const auto piece = co_await a.chunk();
            expect(piece.has_value(), "there must be a body");
            while (co_await b.chunk()) {
            }
            expect(piece->find_first_not_of('a') == std::string_view::npos,
                   "a piece must stay as it is until the next call on its exchange");
            while (co_await a.chunk()) {
            }
        }
    };
    c.run(body());
}

void transports_repeated(environment& env) {
    case_server server(env, stream);
    const auto round = [&] {
        const client c(env);
        c.run(ask(c, server.url(), 1));
    };
    for (unsigned i = 0; i < 10; ++i) round();
    const std::size_t before = heap_bytes();
    const unsigned rounds = scaled(100);
    for (unsigned i = 0; i < rounds; ++i) round();
    const std::size_t after = heap_bytes();
    expect(after < before + rounds * 2000, // the kit's own records of each round
           "the heap must not grow with transports that are gone: " + std::to_string(after - before) + " bytes after " +
               std::to_string(rounds) + " of them");
}

void memory_returned(environment& env) {
    case_server server(env, stream);
    const client c(env);
    std::size_t before = 0;
    const auto body = [&]() -> sdk::task<void> {
        for (unsigned i = 0; i < scaled(200); ++i) {
            if (i == 100) before = heap_bytes(); // each worker's arena has seen some
            auto one = ask(c, server.url(), 2);
            co_await one;
        }
        const std::size_t after = heap_bytes();
        if (sanitized) co_return; // its own leak checker looks
        expect(after < before + 150'000,
               "the heap must not grow with sessions that are gone: " + // the server's threads
                   std::to_string(after - before) + " bytes after a hundred of them");
    };
    c.run(body());
}

void exchanges_return_memory(environment& env) {
    case_server server(env, stream);
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        sdk::session s = c.open(server.url());
        std::size_t before = 0;
        for (unsigned i = 0; i < scaled(4500); ++i) {
            if (i == 500) before = heap_bytes();
            auto one = ask(s);
            co_await one;
        }
        const std::size_t after = heap_bytes();
        if (sanitized) co_return;
        expect(after < before + 40'000, "the heap must not grow with exchanges that are over: " +
                                            std::to_string(after - before) + " bytes after 4000 of them");
    };
    c.run(body());
}

void stopped_in_mid_exchange(environment& env) {
    std::atomic<unsigned> begun{0}, closed{0};
    case_server server(env, [&](peer& p) {
        p.request();
        p.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome");
        ++begun;
        p.wait_for_close();
        ++closed;
    });
    const client c(env);
    for (unsigned i = 0; i < 8; ++i) c.on().spawn(ask(c, server.url(), 1));
    const foreign_thread stopping(env.probes(), [&] {
        wait_until([&] { return begun == 8; }, "eight responses to begin");
        c.on().stop();
    });
    expect_code(c.on().run(CHM_RUN_UNTIL_IDLE), CHM_E_CANCELED, "run's result");
    wait_until([&] { return closed == 8; }, "the connections to be closed with their tasks");
}

/// As ask, until it is stopped: the executor may take nothing more by then, of a transport either.
sdk::task<void> ask_until_stopped(const client& c, std::string url) {
    try {
        auto whole = ask(c, std::move(url), 1'000'000);
        co_await whole;
    } catch (const sdk::error& e) {
        expect_code(e.code(), CHM_E_CANCELED,
                    "the code of an exchange that stop ended (" + std::string(e.what()) + ")");
    }
}

void stopped_while_connecting(environment& env) {
    for (unsigned round = 0; round < 10; ++round) {
        case_server server(env, stream);
        const client c(env);
        for (unsigned i = 0; i < 4; ++i) c.on().spawn(ask_until_stopped(c, server.url()));
        const std::string named = // a name, which is looked up, where there is one
            env.servers().over == wire::tcp ? "http://localhost:" + std::to_string(server.port()) : server.url();
        for (unsigned i = 0; i < 2; ++i) c.on().spawn(ask_until_stopped(c, named));
        const foreign_thread stopping(env.probes(), [&] {
            std::this_thread::sleep_for(std::chrono::microseconds(round * 300));
            c.on().stop();
        });
        expect_code(c.on().run(CHM_RUN_UNTIL_STOP), CHM_E_CANCELED, "run's result");
    }
}

constexpr test_case cases[] = {
    {"session.two_in_one_task", kind::transport, "One task may use two sessions at once", two_in_one_task},
    {"session.hundred", kind::transport, "A hundred sessions stream at once, each over one connection", hundred},
    {"session.thousand", kind::transport, "A thousand sessions are open at once", thousand},
    {"session.views_stay", kind::transport, "Head and piece of one exchange stay valid while another exchange goes on",
     views_stay},
    {"session.transports_repeated", kind::transport,
     "Transports made, used and destroyed many times leave no memory behind", transports_repeated},
    {"session.memory_returned", kind::transport, "A closed session leaves no memory behind", memory_returned},
    {"session.exchanges_return_memory", kind::transport, "The exchanges of an open session leave no memory behind",
     exchanges_return_memory},
    {"session.stopped_in_mid_exchange", kind::transport,
     "Tasks that are dropped inside a response close their connections", stopped_in_mid_exchange},
    {"session.stopped_while_connecting", kind::transport, "Tasks may be dropped at any moment, even while they connect",
     stopped_while_connecting},
};

} // namespace

std::span<const test_case> session_cases() { return cases; }

} // namespace chimera::conformance
