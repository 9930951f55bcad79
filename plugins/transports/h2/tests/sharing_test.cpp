// What sessions share, and what they must not.
#include "frame_server.hpp"
#include "running.hpp"

using namespace chimera;
using namespace chimera::h2::test;

namespace {

std::vector<place> shared_places() {
    std::vector<place> all;
    for (const place& p : places())
        if (p.shared()) all.push_back(p);
    return all;
}

void serve(peer& p, int) {
    p.greet();
    p.serve("hello");
}

} // namespace

TEST_CASE("the sessions of a worker are on one connection, or on one each") {
    const leak_check leaks;
    for (const place& p : places()) {
        CAPTURE(p.executor);
        CAPTURE(p.share);
        const frame_server server(serve);
        for (const outcome& o : fetch_all(p, server.url(), 50)) CHECK_MESSAGE(o.rc == CHM_END, o.error);
        CHECK(server.connections() == (p.shared() ? 1 : 50));
    }
}

TEST_CASE("four workers have at most four connections, whatever moves between them") {
    const leak_check leaks;
    for (const place& p : shared_places()) {
        CAPTURE(p.executor);
        const frame_server server(serve);
        transport t(with(p));
        executor on(p.executor, {{"workers", "4"}});
        std::deque<outcome> outcomes(200);
        std::uint32_t worker = 0;
        const auto often = [&t, &on, &server](outcome& to) -> sdk::task<void> {
            sdk::session s = t.open(on, server.url());
            for (int i = 0; i < 10; ++i) {
                to = {};
                auto fetching = t.fetch(s, {}, to);
                co_await fetching;
                if (to.rc != CHM_END) co_return;
            }
        };
        for (outcome& o : outcomes) on.spawn(often(o), worker++);
        CHECK(on.run() == CHM_OK);
        for (const outcome& o : outcomes) CHECK_MESSAGE(o.rc == CHM_END, o.error);
        CHECK(server.connections() <= 4);
    }
}

TEST_CASE("an executor without services is refused with the option that helps") {
    const leak_check leaks;
    transport t;
    executor on("thread_pool");
    const chm_session_args args{sizeof args, 0, nullptr, on.reactor(), sdk::str("http://127.0.0.1:1")};
    try {
        const sdk::session s(t.raw(), args);
        FAIL("it was opened");
    } catch (const sdk::error& e) {
        CHECK(e.code() == CHM_E_NOSYS);
        CHECK(std::string_view(e.what()).find("share = \"session\"") != std::string_view::npos);
    }
}

TEST_CASE("a reader that takes nothing holds back its own stream and no other, and no more than a window waits") {
    const leak_check leaks;
    constexpr std::uint32_t window = 20'000;
    constexpr std::size_t much = 3'000'000;
    for (const place& p : shared_places()) {
        CAPTURE(p.executor);
        std::atomic<std::size_t> sent_to_slow{0};
        std::atomic<bool> done{false};
        // As a server does: to each stream no more than its window.
        const frame_server server([&](peer& at, int) {
            at.greet();
            const std::uint32_t slow = at.request(), fast = at.request();
            at.send(ok_head(slow) + ok_head(fast));
            std::size_t slow_window = window, fast_window = window, sent = 0;
            for (; slow_window >= 1000; slow_window -= 1000) at.send(data(slow, std::string(1000, 's')));
            sent_to_slow = window;
            while (sent < much) {
                for (; fast_window >= 1000 && sent < much; fast_window -= 1000, sent += 1000)
                    at.send(data(fast, std::string(1000, 'f')));
                if (sent >= much) break;
                const frame f = at.next(WINDOW_UPDATE);
                if (f.closed()) return;
                if (f.stream == fast) fast_window += f.number();
                if (f.stream == slow) slow_window += f.number(), sent_to_slow += f.number();
            }
            at.send(data(fast, {}, true));
            at.wait_for_close();
        });
        transport t(with(p, {{"stream_window", std::to_string(window)}}));
        executor on(p.executor, p.one_worker());
        outcome fast;
        std::size_t slow_body = 0;
        const auto reads_nothing = [&]() -> sdk::task<void> {
            sdk::session s = t.open(on, server.url());
            sdk::exchange x = t.start(s, {});
            auto arriving = x.head();
            co_await arriving;
            while (!done) {
                auto waiting = pause(on, 5);
                co_await waiting;
            }
            auto piece = x.chunk();
            slow_body = (co_await piece).value_or("").size();
        };
        const auto reads_all = [&]() -> sdk::task<void> {
            auto later = pause(on, 50); // the other one's request is first
            co_await later;
            auto asking = ask(t, on, server.url(), {}, fast);
            co_await asking;
            done = true;
        };
        on.spawn(reads_nothing());
        on.spawn(reads_all());
        CHECK(on.run() == CHM_OK);
        CHECK_MESSAGE(fast.rc == CHM_END, fast.error);
        CHECK(fast.body.size() == much);
        CHECK(slow_body == window);
        CHECK(sent_to_slow == window);
    }
}

TEST_CASE("a server that takes one stream: the others wait, or have another connection") {
    const leak_check leaks;
    for (const place& p : shared_places())
        for (const int connections : {1, 3}) {
            CAPTURE(p.executor);
            std::atomic<int> at_once{0}, most{0};
            const frame_server server([&](peer& at, int) {
                at.greet({{3, 1}}); // SETTINGS_MAX_CONCURRENT_STREAMS
                while (const std::uint32_t id = at.request()) {
                    most = std::max(most.load(), ++at_once);
                    std::this_thread::sleep_for(std::chrono::milliseconds(20));
                    --at_once;
                    at.answer(id, "hello");
                }
            });
            transport t(with(p, {{"connections", std::to_string(connections)}}));
            executor on(p.executor, p.one_worker());
            std::deque<outcome> outcomes(7);
            const auto asks = [&](outcome& o, const outcome* after) -> sdk::task<void> {
                while (after && after->rc == CHM_PENDING) { // then the server's settings are known
                    auto later = pause(on, 5);
                    co_await later;
                }
                auto asking = ask(t, on, server.url(), {}, o);
                co_await asking;
            };
            on.spawn(asks(outcomes[0], nullptr));
            for (std::size_t i = 1; i < outcomes.size(); ++i) on.spawn(asks(outcomes[i], &outcomes[0]));
            CHECK(on.run() == CHM_OK);
            for (const outcome& o : outcomes) CHECK_MESSAGE(o.rc == CHM_END, o.error);
            CHECK(server.connections() == connections);
            CHECK(most <= connections);
        }
}

TEST_CASE("PING and SETTINGS are answered while no exchange is open") {
    const leak_check leaks;
    for (const place& p : shared_places()) {
        CAPTURE(p.executor);
        std::atomic<bool> pong{false}, settled{false};
        const frame_server server([&](peer& at, int) {
            at.greet();
            at.answer(at.request(), "hello");
            std::this_thread::sleep_for(std::chrono::milliseconds(30)); // the session is closed by now
            at.send(framed(PING, 0, 0, "12345678"));
            pong = at.next(PING).payload == "12345678";
            at.send(framed(SETTINGS, 0, 0, {}));
            settled = (at.next(SETTINGS).flags & ACK) != 0;
            at.wait_for_close();
        });
        transport t(with(p));
        executor on(p.executor, p.one_worker());
        outcome o;
        const auto asks_and_thinks = [&]() -> sdk::task<void> {
            auto asking = ask(t, on, server.url(), {}, o);
            co_await asking;
            for (int i = 0; i < 1000 && !settled; ++i) {
                auto thinking = pause(on, 10);
                co_await thinking;
            }
        };
        on.spawn(asks_and_thinks());
        CHECK(on.run() == CHM_OK);
        CHECK(o.rc == CHM_END);
        CHECK(pong);
        CHECK(settled);
    }
}

TEST_CASE("what stands before a piece in the same receive is the time behind others") {
    const leak_check leaks;
    for (const place& p : shared_places()) {
        CAPTURE(p.executor);
        std::atomic<std::uint32_t> first{0};
        const frame_server server([&](peer& at, int) {
            at.greet();
            const std::uint32_t a = at.request(), b = at.request();
            first = a;
            at.send(ok_head(a) + ok_head(b));
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
            std::string all;
            for (int i = 0; i < 20; ++i) all += data(a, std::string(1000, 'a'));
            at.send(all + data(b, "b", true) + data(a, {}, true));
            at.wait_for_close();
        });
        const std::deque<outcome> o = fetch_all(p, server.url(), 2);
        const std::size_t b = o[0].body == "b" ? 0 : 1;
        CHECK(o[b].body == "b");
        CHECK(o[b].last.behind_others_ns > 0);
        CHECK(o[b].last.behind_others_ns < 5'000'000'000);
        CHECK(o[1 - b].body.size() == 20'000);
    }
}
