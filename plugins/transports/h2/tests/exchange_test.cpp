// One exchange, whatever the server does: what the agent is told.
#include "frame_server.hpp"
#include "running.hpp"
#include "stream_socket/testing/kernel_stamps.hpp"

using namespace chimera;
using namespace chimera::h2::test;

namespace {

/// A server whose every connection is greeted before the script goes on.
frame_server::script greeted(const frame_server::script& then) {
    return [then](peer& p, int number) {
        p.greet();
        then(p, number);
    };
}

void each_place(const std::function<void(const place&)>& test) {
    for (const place& p : places()) {
        CAPTURE(p.executor);
        CAPTURE(p.share);
        test(p);
    }
}

outcome fetch_one(const place& p, const std::string& url, const request& r = {}, const option_list& options = {}) {
    return fetch_all(p, url, 1, r, options).front();
}

bool says(const outcome& o, std::string_view words) { return o.error.find(words) != std::string::npos; }

} // namespace

TEST_CASE("a whole response, its moments in order") {
    const stream_socket::testing::kernel_stamps stamps;
    const leak_check leaks;
    const frame_server server(greeted([](peer& p, int) { p.serve("hello"); }));
    each_place([&](const place& p) {
        const outcome o = fetch_one(p, server.url());
        CHECK_MESSAGE(o.rc == CHM_END, o.error);
        CHECK(o.status == 200);
        CHECK(o.body == "hello");
        CHECK(o.head.reused == 0);
        CHECK(o.head.retries == 0);
        CHECK(o.head.connected_ns > 0);
        CHECK(o.head.sent_ns >= o.head.connected_ns);
        CHECK(o.head.first_byte_ns >= o.head.sent_ns);
        if (p.executor != "uring") CHECK(o.last.readable_ns >= o.head.first_byte_ns);
        CHECK(o.last.behind_others_ns == 0);
    });
}

TEST_CASE("interim responses, trailers and padding are not the agent's affair") {
    const leak_check leaks;
    const frame_server server(greeted([](peer& p, int) {
        const std::uint32_t id = p.request();
        std::string interim("\x08\x03", 2); // :status: 103, a literal with the name of entry 8
        interim += "103";
        p.send(framed(HEADERS, END_HEADERS, id, interim) + ok_head(id));
        p.send(framed(DATA, 8, id, std::string("\x03") + "body" + std::string(3, '\0'))); // padded
        std::string trailer("\x00\x01"
                            "x"
                            "\x01"
                            "y",
                            5);
        p.send(framed(HEADERS, END_HEADERS | END_STREAM, id, trailer));
        p.wait_for_close();
    }));
    each_place([&](const place& p) {
        const outcome o = fetch_one(p, server.url());
        CHECK_MESSAGE(o.rc == CHM_END, o.error);
        CHECK(o.status == 200);
        CHECK(o.headers.empty());
        CHECK(o.body == "body");
    });
}

TEST_CASE("a body goes up as far as the server's window allows, and further when it opens") {
    const leak_check leaks;
    static constexpr std::uint32_t window = 1000;
    constexpr std::size_t size = 5000;
    const frame_server server([](peer& p, int) {
        p.greet({{4, window}}); // SETTINGS_INITIAL_WINDOW_SIZE
        frame f = p.next(HEADERS);
        const std::uint32_t id = f.stream;
        std::size_t got = 0;
        while (!(f.flags & END_STREAM)) {
            f = p.next(DATA);
            if (f.closed()) return;
            got += f.payload.size();
            p.send(framed(WINDOW_UPDATE, 0, id, big_endian(static_cast<std::uint32_t>(f.payload.size()))));
        }
        p.answer(id, std::to_string(got));
        p.wait_for_close();
    });
    each_place([&](const place& p) {
        const outcome o = fetch_one(p, server.url(), {"POST", "/", {}, std::string(size, 'x')});
        CHECK_MESSAGE(o.rc == CHM_END, o.error);
        CHECK(o.body == std::to_string(size));
    });
}

TEST_CASE("a reset stream is IO, in the head and in the body; NO_ERROR before the end is CLOSED") {
    const leak_check leaks;
    const frame_server server(greeted([](peer& p, int) {
        while (const std::uint32_t id = p.request()) {
            if (id % 6 != 1) p.send(ok_head(id) + data(id, "some"));
            p.reset(id, id % 6 == 5 ? NO_ERROR : INTERNAL_ERROR);
        }
    }));
    each_place([&](const place& p) {
        transport t(with(p));
        executor on(p.executor, p.one_worker());
        std::deque<outcome> o(3);
        const auto three = [&]() -> sdk::task<void> {
            sdk::session s = t.open(on, server.url());
            for (outcome& one : o) {
                auto fetching = t.fetch(s, {}, one);
                co_await fetching;
            }
        };
        on.spawn(three());
        CHECK(on.run() == CHM_OK);
        CHECK(o[0].rc == CHM_E_IO);
        CHECK(says(o[0], "INTERNAL_ERROR"));
        CHECK(says(o[0], server.url()));
        CHECK(o[1].rc == CHM_E_IO);
        CHECK(o[1].body == "some");
        CHECK(says(o[1], "after 4 body bytes"));
        CHECK(o[2].rc == CHM_E_CLOSED);
        CHECK(o[2].last.reused == 1); // a stream was reset, not the connection
    });
}

TEST_CASE("a connection that closes in the middle is CLOSED; one reset by the peer is IO") {
    const leak_check leaks;
    const frame_server server(greeted([](peer& p, int) {
        const std::uint32_t id = p.request();
        p.send(ok_head(id) + data(id, "some"));
    }));
    each_place([&](const place& p) {
        const outcome o = fetch_one(p, server.url());
        CHECK(o.rc == CHM_E_CLOSED);
        CHECK(o.body == "some");
        CHECK(says(o, "closed the connection"));
        CHECK(says(o, server.url()));
    });
}

TEST_CASE("a fresh connection that closes without a byte is not retried") {
    const leak_check leaks;
    const frame_server server(greeted([](peer& p, int) { p.request(); }));
    each_place([&](const place& p) {
        const int before = server.connections();
        const outcome o = fetch_one(p, server.url());
        CHECK(o.rc == CHM_E_CLOSED);
        CHECK(o.head.retries == 0);
        CHECK(server.connections() == before + 1);
    });
}

TEST_CASE("a used connection that closes upon the next request is retried once, on another one") {
    const leak_check leaks;
    const frame_server server(greeted([](peer& p, int) {
        p.answer(p.request(), "first");
        p.request();
    }));
    each_place([&](const place& p) {
        transport t(with(p));
        executor on(p.executor, p.one_worker());
        outcome first, second;
        const auto two = [&]() -> sdk::task<void> {
            sdk::session s = t.open(on, server.url());
            auto fetching = t.fetch(s, {}, first);
            co_await fetching;
            auto again = t.fetch(s, {}, second);
            co_await again;
        };
        const int before = server.connections();
        on.spawn(two());
        CHECK(on.run() == CHM_OK);
        CHECK_MESSAGE(second.rc == CHM_END, second.error);
        CHECK(second.body == "first");
        CHECK(second.head.retries == 1);
        CHECK(second.head.reused == 0);
        CHECK(server.connections() == before + 2);
    });
}

TEST_CASE("GOAWAY: streams that the server has seen go on, those above are sent once more") {
    const leak_check leaks;
    const frame_server server(greeted([](peer& p, int number) {
        if (number % 2 == 1) return p.serve("later");
        const std::uint32_t first = p.request();
        p.send(ok_head(first) + data(first, "be"));
        p.request();
        p.go_away(first, NO_ERROR, "restart");
        p.send(data(first, "fore", true));
        p.wait_for_close();
    }));
    for (const place& p : places()) {
        if (!p.shared()) continue;
        CAPTURE(p.executor);
        const int before = server.connections();
        const std::deque<outcome> o = fetch_all(p, server.url(), 2);
        const std::size_t seen = o[0].body == "before" ? 0 : 1; // whose request came first is the executor's affair
        for (const outcome& one : o) CHECK_MESSAGE(one.rc == CHM_END, one.error);
        CHECK(o[seen].body == "before");
        CHECK(o[1 - seen].body == "later");
        CHECK(o[1 - seen].head.retries == 1);
        CHECK(server.connections() == before + 2);
    }
}

TEST_CASE("a refused stream is sent once more, and no more than once") {
    const leak_check leaks;
    std::atomic<int> refusals{0}, refuse{1};
    const frame_server server(greeted([&](peer& p, int) {
        while (const std::uint32_t id = p.request()) {
            if (refusals < refuse) {
                ++refusals;
                p.reset(id, REFUSED_STREAM);
            } else {
                p.answer(id, "hello");
            }
        }
    }));
    each_place([&](const place& p) {
        refusals = 0;
        refuse = 1;
        const outcome once = fetch_one(p, server.url());
        CHECK_MESSAGE(once.rc == CHM_END, once.error);
        CHECK(once.head.retries == 1);
        refusals = 0;
        refuse = 5;
        const outcome twice = fetch_one(p, server.url());
        CHECK(twice.rc == CHM_E_IO);
        CHECK(says(twice, "refused"));
        CHECK(refusals == 2);
    });
}

TEST_CASE("a server of HTTP/1.1 is told from one of HTTP/2, however its answer is cut") {
    const leak_check leaks;
    const frame_server server([](peer& p, int number) {
        const std::string answer = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
        if (number % 2 == 0) return p.send(answer);
        for (const char c : answer) p.send({&c, 1});
    });
    each_place([&](const place& p) {
        const outcome o = fetch_one(p, server.url());
        CHECK(o.rc == CHM_E_PROTO);
        CHECK(says(o, "answers HTTP/1.1: use the socket or curl transport"));
        CHECK(says(o, server.url()));
    });
}

TEST_CASE("nonsense instead of frames is PROTO") {
    const leak_check leaks;
    const frame_server server([](peer& p, int number) {
        if (number % 2 == 0) return p.send("SSH-2.0-OpenSSH_9.2p1 and more of the same, and more\r\n");
        p.greet();
        const std::uint32_t id = p.request();
        p.send(data(id, "a body without a head", true));
        p.wait_for_close();
    });
    each_place([&](const place& p) {
        for (int i = 0; i < 2; ++i) {
            const outcome o = fetch_one(p, server.url());
            CAPTURE(o.error);
            CHECK(o.rc == CHM_E_PROTO);
            CHECK(says(o, "HTTP/2"));
        }
    });
}

TEST_CASE("a head without an end is LIMIT") {
    const leak_check leaks;
    const frame_server server(greeted([](peer& p, int) {
        const std::uint32_t id = p.request();
        std::string field("\x00\x01"
                          "x"
                          "\x7f\xe9\x06",
                          6); // a value of 1000 bytes follows
        field += std::string(1000, 'v');
        p.send(framed(HEADERS, 0, id, std::string("\x88") + field));
        for (int i = 0; i < 5; ++i) p.send(framed(9, 0, id, field)); // CONTINUATION
        p.wait_for_close();
    }));
    each_place([&](const place& p) {
        const outcome o = fetch_one(p, server.url(), {}, {{"max_header_bytes", "3000"}});
        CHECK(o.rc == CHM_E_LIMIT);
        CHECK(says(o, "max_header_bytes"));
    });
}

TEST_CASE("limits of time: first byte, and a pause that every byte renews") {
    const leak_check leaks;
    std::atomic<bool> begin{false};
    const frame_server server(greeted([&](peer& p, int) {
        const std::uint32_t id = p.request();
        if (begin) p.send(ok_head(id));
        for (int i = 0; begin && i < 4; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(300)); // together longer than the limit
            p.send(data(id, "x"));
        }
        p.wait_for_close();
    }));
    each_place([&](const place& p) {
        begin = false;
        const outcome never = fetch_one(p, server.url(), {}, {{"first_byte_timeout_ms", "60"}});
        CAPTURE(never.error);
        CHECK(never.rc == CHM_E_TIMEOUT);
        CHECK(says(never, "first_byte_timeout_ms"));
        begin = true;
        const outcome stalls = fetch_one(p, server.url(), {}, {{"idle_timeout_ms", "1000"}});
        CHECK(stalls.rc == CHM_E_TIMEOUT);
        CHECK(stalls.body == "xxxx");
        CHECK(says(stalls, "idle_timeout_ms"));
    });
}

TEST_CASE("a reader that pauses for longer than the limit on the server's pauses still gets the whole body") {
    const leak_check leaks;
    constexpr std::size_t window = 2000, size = 8000;
    const frame_server server(greeted([](peer& p, int) {
        const std::uint32_t id = p.request();
        p.send(ok_head(id));
        std::size_t room = window;
        for (std::size_t sent = 0; sent < size;) {
            for (; room >= 500 && sent < size; room -= 500, sent += 500) p.send(data(id, std::string(500, 'x')));
            if (sent == size) break;
            const frame f = p.next(WINDOW_UPDATE);
            if (f.closed()) return;
            if (f.stream != id) continue;
            room += f.number();
            std::this_thread::sleep_for(std::chrono::milliseconds(20)); // the way there and back
        }
        p.send(data(id, {}, true));
        p.wait_for_close();
    }));
    each_place([&](const place& p) {
        transport t(with(p, {{"stream_window", std::to_string(window)}, {"idle_timeout_ms", "1000"}}));
        executor on(p.executor, p.one_worker());
        std::size_t got = 0;
        std::string error;
        const auto pauses_once = [&]() -> sdk::task<void> {
            try {
                sdk::session s = t.open(on, server.url());
                sdk::exchange x = t.start(s, {});
                auto arriving = x.head();
                co_await arriving;
                auto thinking = pause(on, 1300); // meanwhile the window fills
                co_await thinking;
                for (;;) {
                    auto coming = x.chunk();
                    const std::optional<std::string_view> piece = co_await coming;
                    if (!piece) break;
                    got += piece->size();
                }
            } catch (const sdk::error& e) {
                error = e.what();
            }
        };
        on.spawn(pauses_once());
        CHECK(on.run() == CHM_OK);
        CHECK(error == "");
        CHECK(got == size);
    });
}

TEST_CASE("a request's head may be longer than 64 KiB") {
    const leak_check leaks;
    const frame_server server(greeted([](peer& p, int) {
        frame f = p.next(HEADERS);
        const std::uint32_t id = f.stream;
        std::size_t size = f.payload.size();
        while (!f.closed() && !(f.flags & END_HEADERS)) {
            f = p.next();
            size += f.payload.size();
        }
        p.answer(id, size > 50'000 ? "long" : "short");
        p.wait_for_close();
    }));
    each_place([&](const place& p) {
        const outcome o = fetch_one(p, server.url(), {"GET", "/", {{"x-long", std::string(100'000, '~')}}, {}});
        CHECK_MESSAGE(o.rc == CHM_END, o.error);
        CHECK(o.body == "long");
        CHECK(o.head.retries == 0);
    });
}

TEST_CASE("nobody listens: CONNECT; no such name: RESOLVE") {
    const leak_check leaks;
    each_place([&](const place& p) {
        const outcome deaf = fetch_one(p, "http://127.0.0.1:" + std::to_string(free_port()));
        CHECK(deaf.rc == CHM_E_CONNECT);
        CHECK(says(deaf, "http://127.0.0.1"));
        const outcome unknown = fetch_one(p, "http://no-such-host.invalid");
        CHECK(unknown.rc == CHM_E_RESOLVE);
    });
}

TEST_CASE("one exchange at a time; the next one is over the same connection") {
    const leak_check leaks;
    const frame_server server(greeted([](peer& p, int) { p.serve("hello"); }));
    each_place([&](const place& p) {
        transport t(with(p));
        executor on(p.executor, p.one_worker());
        outcome second;
        chm_rc refused = CHM_OK;
        const auto both = [&]() -> sdk::task<void> {
            sdk::session s = t.open(on, server.url());
            {
                sdk::exchange x = t.start(s, {});
                try {
                    sdk::exchange beside = t.start(s, {});
                } catch (const sdk::error& e) {
                    refused = e.code();
                }
                auto arriving = x.head();
                co_await arriving;
            } // closed unfinished: its stream is reset, the connection stays
            auto fetching = t.fetch(s, {}, second);
            co_await fetching;
        };
        on.spawn(both());
        CHECK(on.run() == CHM_OK);
        CHECK(refused == CHM_E_STATE);
        CHECK_MESSAGE(second.rc == CHM_END, second.error);
        CHECK(second.head.reused == 1);
    });
}
