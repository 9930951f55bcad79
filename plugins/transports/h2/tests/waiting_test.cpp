// Requests that wait because the server takes no more streams.
#include "frame_server.hpp"
#include "running.hpp"

using namespace chimera;
using namespace chimera::h2::test;

namespace {

constexpr std::uint16_t max_streams = 3; // SETTINGS_MAX_CONCURRENT_STREAMS

/// Three agents of one worker. The second and the third begin when the first has been served, so the server's limit is
/// known; `begun` counts them.
std::deque<outcome> one_then_two(const place& p, const std::string& url, std::atomic<int>& begun,
                                 const option_list& options = {}) {
    transport t(with(p, options));
    executor on(p.executor, p.one_worker());
    std::deque<outcome> outcomes(3);
    const auto later = [&](outcome& o) -> sdk::task<void> {
        while (outcomes[0].rc == CHM_PENDING) {
            auto waiting = pause(on, 2);
            co_await waiting;
        }
        sdk::session s = t.open(on, url);
        auto fetching = t.fetch(s, {}, o);
        ++begun; // and in this poll the request is sent, or begins to wait
        co_await fetching;
    };
    on.spawn(ask(t, on, url, {}, outcomes[0]));
    on.spawn(later(outcomes[1]));
    on.spawn(later(outcomes[2]));
    CHECK(on.run() == CHM_OK);
    return outcomes;
}

/// What becomes true, or not in 10 s.
bool comes(const std::function<bool()>& what) {
    for (int i = 0; i < 1000 && !what(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return what();
}

} // namespace

TEST_CASE("GOAWAY: who waits for a stream has another connection at once, while the others' streams go on") {
    const leak_check leaks;
    for (const place& p : places()) {
        if (!p.shared()) continue;
        CAPTURE(p.executor);
        std::atomic<int> begun{0};
        std::atomic<bool> served_elsewhere{false}, meanwhile{false};
        const frame_server server([&](peer& at, int number) {
            at.greet({{max_streams, 1}});
            if (number != 0) {
                const std::uint32_t id = at.request();
                served_elsewhere = true;
                at.answer(id, "later");
                return at.wait_for_close();
            }
            at.answer(at.request(), "first");
            const std::uint32_t id = at.request();
            at.send(ok_head(id) + data(id, "be"));
            comes([&] { return begun == 2; });
            std::this_thread::sleep_for(std::chrono::milliseconds(20)); // the rest of that poll
            at.go_away(id, NO_ERROR);
            meanwhile = comes([&] { return served_elsewhere.load(); });
            at.send(data(id, "fore", true));
            at.wait_for_close();
        });
        const std::deque<outcome> o = one_then_two(p, server.url(), begun);
        for (const outcome& one : o) CHECK_MESSAGE(one.rc == CHM_END, one.error);
        CHECK(meanwhile);
        const std::size_t waited = o[1].body == "later" ? 1 : 2;
        CHECK(o[waited].body == "later");
        CHECK(o[waited].head.retries == 0); // it was never sent before
        CHECK(o[3 - waited].body == "before");
    }
}

TEST_CASE("a server that has no stream and takes none: the limit on its pauses") {
    const leak_check leaks;
    const frame_server server([](peer& at, int) {
        at.greet({{max_streams, 0}});
        at.answer(at.request(), "sent before this was known");
        at.wait_for_close(); // or its own limit
    });
    for (const place& p : places()) {
        if (!p.shared()) continue;
        CAPTURE(p.executor);
        std::atomic<int> begun{0};
        const std::deque<outcome> o = one_then_two(p, server.url(), begun, {{"idle_timeout_ms", "500"}});
        CHECK_MESSAGE(o[0].rc == CHM_END, o[0].error);
        for (const std::size_t waits : {1, 2}) {
            CAPTURE(o[waits].error);
            CHECK(o[waits].rc == CHM_E_TIMEOUT);
            CHECK(o[waits].error.find("takes no stream") != std::string::npos);
            CHECK(o[waits].error.find("idle_timeout_ms") != std::string::npos);
        }
    }
}

TEST_CASE("who waits for another stream that goes on waits as long as that takes") {
    const leak_check leaks;
    const frame_server server([](peer& at, int) {
        at.greet({{max_streams, 1}});
        at.answer(at.request(), "first");
        const std::uint32_t slow = at.request();
        at.send(ok_head(slow));
        for (int i = 0; i < 5; ++i) { // together longer than the limit
            std::this_thread::sleep_for(std::chrono::milliseconds(400));
            at.send(data(slow, "x"));
        }
        at.send(data(slow, {}, true));
        at.serve("last");
    });
    for (const place& p : places()) {
        if (!p.shared()) continue;
        CAPTURE(p.executor);
        std::atomic<int> begun{0};
        const std::deque<outcome> o = one_then_two(p, server.url(), begun, {{"idle_timeout_ms", "1500"}});
        for (const outcome& one : o) CHECK_MESSAGE(one.rc == CHM_END, one.error);
        CHECK(o[1].body + o[2].body == (o[1].body == "last" ? "lastxxxxx" : "xxxxxlast"));
    }
}
