// Ends in every order: whoever goes first, nothing is left and nobody is touched afterwards.
#include "frame_server.hpp"
#include "running.hpp"

using namespace chimera;
using namespace chimera::h2::test;

namespace {

void endless(peer& p, int) {
    p.greet();
    while (const std::uint32_t id = p.request()) p.send(ok_head(id) + data(id, "on and on"));
}

/// Counts what it is given until it is dropped.
sdk::task<void> reads_on(transport& t, const executor& on, std::string url, std::atomic<int>& pieces) {
    sdk::session s = t.open(on, url);
    sdk::exchange x = t.start(s, {});
    auto arriving = x.head();
    co_await arriving;
    for (;;) {
        auto coming = x.chunk();
        co_await coming;
        ++pieces;
    }
}

} // namespace

TEST_CASE("a run that is stopped in mid-exchange closes its streams and its connections") {
    const leak_check leaks;
    for (const place& p : places()) {
        CAPTURE(p.executor);
        CAPTURE(p.share);
        const frame_server server(endless); // its end waits for the connections' ends
        transport t(with(p));
        executor on(p.executor, {{"workers", "2"}});
        std::atomic<int> pieces{0};
        for (std::uint32_t i = 0; i < 10; ++i) on.spawn(reads_on(t, on, server.url(), pieces), i);
        std::thread stops([&] {
            while (pieces < 10) std::this_thread::sleep_for(std::chrono::milliseconds(1));
            on.stop();
        });
        CHECK(on.run() == CHM_E_CANCELED);
        stops.join();
    }
}

TEST_CASE("a run that is stopped while it connects") {
    const leak_check leaks;
    for (const place& p : places()) {
        CAPTURE(p.executor);
        CAPTURE(p.share);
        const frame_server server([](peer& at, int) { at.wait_for_close(); }); // never says a word
        transport t(with(p));
        executor on(p.executor, p.one_worker());
        std::atomic<int> pieces{0};
        for (int i = 0; i < 3; ++i) on.spawn(reads_on(t, on, server.url(), pieces));
        std::thread stops([&] {
            while (server.connections() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
            on.stop();
        });
        CHECK(on.run() == CHM_E_CANCELED);
        stops.join();
    }
}

TEST_CASE("the transport goes before its executor, during and after the run") {
    const leak_check leaks;
    for (const place& p : places()) {
        CAPTURE(p.executor);
        CAPTURE(p.share);
        const frame_server server([](peer& at, int) {
            at.greet();
            at.serve("hello");
        });
        executor on(p.executor, p.one_worker());
        auto t = std::make_unique<transport>(with(p));
        outcome o;
        const auto outlives = [&]() -> sdk::task<void> {
            auto asking = ask(*t, on, server.url(), {}, o);
            co_await asking;
            t.reset(); // its service is alive
            auto going_on = pause(on, 20);
            co_await going_on;
        };
        on.spawn(outlives());
        CHECK(on.run() == CHM_OK);
        CHECK_MESSAGE(o.rc == CHM_END, o.error);
    }
}

TEST_CASE("two executors, one after the other, with one transport") {
    const leak_check leaks;
    for (const place& p : places()) {
        CAPTURE(p.executor);
        CAPTURE(p.share);
        const frame_server server([](peer& at, int) {
            at.greet();
            at.serve("hello");
        });
        transport t(with(p));
        for (int i = 0; i < 3; ++i) {
            executor on(p.executor, p.one_worker());
            outcome o;
            on.spawn(ask(t, on, server.url(), {}, o));
            CHECK(on.run() == CHM_OK);
            CHECK_MESSAGE(o.rc == CHM_END, o.error);
            CHECK(o.head.reused == 0);
        }
    }
}

TEST_CASE("a server that dies with a hundred streams fails them all, and the next exchange works") {
    const leak_check leaks;
    for (const place& p : places()) {
        CAPTURE(p.executor);
        CAPTURE(p.share);
        std::atomic<int> requests{0};
        constexpr int n = 40;
        const frame_server server([&](peer& at, int) {
            at.greet();
            while (const std::uint32_t id = at.request()) {
                if (requests++ >= n) {
                    at.answer(id, "hello");
                    continue;
                }
                at.send(ok_head(id));
                if (requests == n || !p.shared()) return;
            }
        });
        transport t(with(p));
        executor on(p.executor, p.one_worker());
        std::deque<outcome> o(n), then(n);
        const auto asks_twice = [&](outcome& first, outcome& second) -> sdk::task<void> {
            sdk::session s = t.open(on, server.url());
            auto fetching = t.fetch(s, {}, first);
            co_await fetching;
            while (requests < n) {
                auto waiting = pause(on, 5);
                co_await waiting;
            }
            auto again = t.fetch(s, {}, second);
            co_await again;
        };
        for (std::size_t i = 0; i < n; ++i) on.spawn(asks_twice(o[i], then[i]));
        CHECK(on.run() == CHM_OK);
        for (const outcome& one : o) CHECK(one.rc == CHM_E_CLOSED);
        for (const outcome& one : then) CHECK_MESSAGE(one.rc == CHM_END, one.error);
    }
}
