// What goes wrong, and the code and message that say so.
#include "leak_check.hpp"

using namespace curl_test;

namespace {

const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// The failure of a whole exchange with a server that answers like this.
error failure_with(std::function<void(peer&)> script, option_list options = {}) {
    leak_check leaks;
    one_by_one_server server([&](peer& p) {
        p.request();
        script(p);
    });
    turned_reactor r;
    transport t(options);
    session s(r, t, server.url());
    exchange x = s.start({"POST", "/api/generate?key=secret", "{}"});
    const error e = failure_of([&] {
        x.head();
        x.rest();
    });
    CHECK(std::string_view(e.what()).starts_with("POST " + server.url() + "/api/generate: "));
    x.close();
    CHECK(r.wakers() == 0);
    return e;
}

error failure_at(const std::string& url, option_list options = {}) {
    leak_check leaks;
    turned_reactor r;
    transport t(options);
    const error e = failure_of([&] { session(r, t, url).start({}).head(); });
    CHECK(r.wakers() == 0);
    return e;
}

} // namespace

TEST_CASE("nobody listens: CONNECT") {
    const error e = failure_at("http://127.0.0.1:1");
    CHECK(e.code() == CHM_E_CONNECT);
    CHECK(std::string_view(e.what()).find("connecting") != std::string_view::npos);
}

TEST_CASE("a name without an address: RESOLVE") {
    CHECK(failure_at("http://nonexistent.invalid").code() == CHM_E_RESOLVE);
}

TEST_CASE("no answer to the connection: TIMEOUT") {
    leak_check leaks;
    const full_listener listener;
    CHECK(failure_at(listener.url(), {{"connect_timeout_ms", "100"}}).code() == CHM_E_TIMEOUT);
}

TEST_CASE("the request is read and nothing comes: TIMEOUT by first_byte_timeout_ms") {
    const error e = failure_with([](peer& p) { p.client_gone(10000); }, {{"first_byte_timeout_ms", "60"}});
    CHECK(e.code() == CHM_E_TIMEOUT);
    CHECK(std::string_view(e.what()).find("first_byte_timeout_ms") != std::string_view::npos);
}

TEST_CASE("an interim response is not the first byte of the response, for the limit and for the timestamp") {
    const auto late = [](peer& p) {
        p.send("HTTP/1.1 102 Processing\r\n\r\n");
        std::this_thread::sleep_for(std::chrono::milliseconds(150));
        p.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    };
    CHECK(failure_with(late, {{"first_byte_timeout_ms", "60"}}).code() == CHM_E_TIMEOUT);
    leak_check leaks;
    one_by_one_server server([&](peer& p) {
        p.request();
        late(p);
        p.request();
    });
    turned_reactor r;
    transport t({{"idle_timeout_ms", "60"}}); // which does not run before the response
    session s(r, t, server.url());
    exchange x = s.start({});
    CHECK(x.head() == 200);
    const chm_exchange_timing timing = x.timing();
    CHECK(timing.first_byte_ns > timing.sent_ns + 140'000'000);
}

TEST_CASE("a server that stops reading a large request: TIMEOUT by idle_timeout_ms") {
    leak_check leaks;
    std::atomic<bool> over{false};
    one_by_one_server server([&](peer&) {
        while (!over) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    });
    turned_reactor r;
    transport t({{"idle_timeout_ms", "60"}});
    session s(r, t, server.url());
    exchange x = s.start({"POST", "/", std::string(64 << 20, 'q')});
    const error e = failure_of([&] { x.head(); });
    CHECK(e.code() == CHM_E_TIMEOUT);
    CHECK(std::string_view(e.what()).find("sending the request: no progress for") != std::string_view::npos);
    over = true;
}

TEST_CASE("a response that stalls: TIMEOUT by idle_timeout_ms, after what came before") {
    leak_check leaks;
    one_by_one_server server([](peer& p) {
        p.request();
        p.send(chunked);
        p.chunk("token");
        p.client_gone(10000);
    });
    turned_reactor r;
    transport t({{"idle_timeout_ms", "60"}, {"first_byte_timeout_ms", "20000"}});
    session s(r, t, server.url());
    exchange x = s.start({});
    CHECK(x.head() == 200);
    CHECK(x.piece() == "token");
    const error e = failure_of([&] { x.piece(); });
    CHECK(e.code() == CHM_E_TIMEOUT);
    CHECK(std::string_view(e.what()).find("idle_timeout_ms") != std::string_view::npos);
    CHECK(failure_of([&] { x.piece(); }).code() == CHM_E_TIMEOUT); // and again
}

TEST_CASE("a response that trickles is not idle, and its deadline is not re-armed for every byte") {
    leak_check leaks;
    one_by_one_server server([](peer& p) {
        p.request();
        p.send(chunked);
        for (int i = 0; i < 40; ++i) {
            p.chunk("token");
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        p.chunk("");
        p.request();
    });
    turned_reactor r;
    transport t({{"idle_timeout_ms", "200"}, {"first_byte_timeout_ms", "20000"}});
    session s(r, t, server.url());
    exchange x = s.start({});
    CHECK(x.head() == 200);
    CHECK(x.rest().size() == 200);
}

TEST_CASE("time that the reader takes does not count as the server's idleness") {
    leak_check leaks;
    one_by_one_server server([](peer& p) {
        p.request();
        p.send(chunked);
        p.chunk("one");
        std::this_thread::sleep_for(std::chrono::milliseconds(400));
        p.chunk("two");
        p.chunk("");
        p.request();
    });
    turned_reactor r;
    transport t({{"idle_timeout_ms", "250"}});
    session s(r, t, server.url());
    exchange x = s.start({});
    CHECK(x.head() == 200);
    CHECK(x.piece() == "one");
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    CHECK(x.rest() == "two");
}

TEST_CASE("0 switches a limit off") {
    leak_check leaks;
    one_by_one_server server([](peer& p) {
        p.request();
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        p.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n");
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        p.send("x");
    });
    turned_reactor r;
    transport t({{"connect_timeout_ms", "0"}, {"first_byte_timeout_ms", "0"}, {"idle_timeout_ms", "0"}});
    session s(r, t, server.url());
    exchange x = s.start({});
    CHECK(x.head() == 200);
    CHECK(x.rest() == "x");
}

TEST_CASE("closed too early: CLOSED") {
    SUBCASE("before a byte") {
        CHECK(failure_with([](peer&) {}).code() == CHM_E_CLOSED);
    }
    SUBCASE("within the head") {
        CHECK(failure_with([](peer& p) { p.send("HTTP/1.1 200 OK\r\nX-"); }).code() == CHM_E_CLOSED);
    }
    SUBCASE("within a body of known length") {
        CHECK(failure_with([](peer& p) { p.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhell"); }).code() ==
              CHM_E_CLOSED);
    }
    SUBCASE("within a chunk") {
        CHECK(failure_with([](peer& p) { p.send(chunked + "9\r\nhell"); }).code() == CHM_E_CLOSED);
    }
    SUBCASE("between chunks") {
        CHECK(failure_with([](peer& p) { p.send(chunked + "4\r\nhell\r\n"); }).code() == CHM_E_CLOSED);
    }
}

TEST_CASE("reset: IO, after what came before") {
    leak_check leaks;
    one_by_one_server server([](peer& p) {
        p.request();
        p.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        p.reset();
    });
    turned_reactor r;
    transport t;
    session s(r, t, server.url());
    exchange x = s.start({});
    CHECK(x.head() == 200);
    CHECK(x.piece() == "half");
    const error e = failure_of([&] { x.piece(); });
    CHECK(e.code() == CHM_E_IO);
    CHECK(std::string_view(e.what()).find("receiving the body") != std::string_view::npos);
}

TEST_CASE("reset before an answer, on a connection of its own: IO, not retried") {
    CHECK(failure_with([](peer& p) { p.reset(); }).code() == CHM_E_IO);
}

TEST_CASE("not HTTP: PROTO") {
    SUBCASE("another protocol") {
        CHECK(failure_with([](peer& p) { p.send("SSH-2.0-x\r\n"); }).code() == CHM_E_PROTO);
    }
    SUBCASE("a version that does not exist") {
        CHECK(failure_with([](peer& p) { p.send("HTTP/7.3 200 OK\r\n\r\n"); }).code() == CHM_E_PROTO);
    }
    SUBCASE("a status that is not a number") {
        CHECK(failure_with([](peer& p) { p.send("HTTP/1.1 abc OK\r\n\r\n"); }).code() == CHM_E_PROTO);
    }
    SUBCASE("a header without a colon") {
        CHECK(failure_with([](peer& p) { p.send("HTTP/1.1 200 OK\r\nnonsense\r\n\r\n"); }).code() == CHM_E_PROTO);
    }
    SUBCASE("a switch of protocols that nobody asked for") {
        CHECK(failure_with([](peer& p) { p.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"); }).code() ==
              CHM_E_PROTO);
    }
    SUBCASE("a length that is not a number") {
        CHECK(failure_with([](peer& p) { p.send("HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"); }).code() ==
              CHM_E_PROTO);
    }
    SUBCASE("a chunk size that is not a number") {
        CHECK(failure_with([](peer& p) { p.send(chunked + "zz\r\nhello\r\n"); }).code() == CHM_E_PROTO);
    }
    SUBCASE("a chunk longer than its size") {
        CHECK(failure_with([](peer& p) { p.send(chunked + "3\r\nhello\r\n0\r\n\r\n"); }).code() == CHM_E_PROTO);
    }
}

TEST_CASE("a head without bounds: LIMIT") {
    SUBCASE("many lines") {
        CHECK(failure_with([](peer& p) {
                  p.send("HTTP/1.1 200 OK\r\n");
                  while (p.send("X-Filler: " + std::string(1000, 'x') + "\r\n")) {
                  }
              }).code() == CHM_E_LIMIT);
    }
    SUBCASE("one line") {
        CHECK(failure_with([](peer& p) {
                  p.send("HTTP/1.1 200 OK\r\nX-Filler: ");
                  while (p.send(std::string(1000, 'x'))) {
                  }
              }).code() == CHM_E_LIMIT);
    }
    SUBCASE("interim responses for ever") {
        CHECK(failure_with([](peer& p) {
                  while (p.send("HTTP/1.1 102 Processing\r\n\r\n")) {
                  }
              }).code() == CHM_E_LIMIT);
    }
    SUBCASE("trailers") {
        CHECK(failure_with([](peer& p) {
                  p.send(chunked + "0\r\n");
                  while (p.send("X-Filler: " + std::string(1000, 'x') + "\r\n")) {
                  }
              }).code() == CHM_E_LIMIT);
    }
}

TEST_CASE("a session works on after a failure") {
    leak_check leaks;
    one_by_one_server server([](peer& p) {
        if (p.request_text().empty()) return;
        if (p.number() == 0)
            p.reset();
        else
            p.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
    turned_reactor r;
    transport t;
    session s(r, t, server.url());
    CHECK(failure_of([&] { s.start({}).head(); }).code() == CHM_E_IO);
    exchange x = s.start({});
    CHECK(x.head() == 200);
    CHECK(x.rest() == "ok");
}

TEST_CASE("calls in the wrong order: STATE") {
    leak_check leaks;
    one_by_one_server server([](peer& p) {
        p.request();
        p.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        p.request();
    });
    turned_reactor r;
    transport t;
    session s(r, t, server.url());
    exchange x = s.start({});
    CHECK(failure_of([&] { x.piece(); }).code() == CHM_E_STATE);
    CHECK(failure_of([&] { s.start({}); }).code() == CHM_E_STATE);
    CHECK(x.head() == 200);
    CHECK(failure_of([&] { x.head(); }).code() == CHM_E_STATE);
    CHECK(x.rest() == "ok");
    CHECK(x.piece().empty()); // the end stays the end
}

TEST_CASE("URLs, requests and options that cannot be are refused with a reason") {
    leak_check leaks;
    turned_reactor r;
    transport t;
    const auto refused = [&](const char* url) { return failure_of([&] { session(r, t, url); }).code(); };
    CHECK(refused("ftp://127.0.0.1") == CHM_E_NOSYS);
    CHECK(refused("127.0.0.1:80") == CHM_E_INVAL);
    CHECK(refused("http://") == CHM_E_INVAL);
    CHECK(refused("http://127.0.0.1:99999") == CHM_E_INVAL);
    CHECK(refused("http://127.0.0.1:0") == CHM_E_INVAL);
    CHECK(refused("http://a b") == CHM_E_INVAL);
    CHECK(refused("http://127.0.0.1/?a=b") == CHM_E_INVAL);
    const error secret = failure_of([&] { session(r, t, "http://me:secret@127.0.0.1"); });
    CHECK(secret.code() == CHM_E_INVAL);
    CHECK(std::string_view(secret.what()).find("secret") == std::string_view::npos);

    session s(r, t, "http://127.0.0.1:1");
    const auto bad = [&](const request& q) { return failure_of([&] { s.start(q); }).code(); };
    CHECK(bad({"GE T", "/"}) == CHM_E_INVAL);
    CHECK(bad({"", "/"}) == CHM_E_INVAL);
    CHECK(bad({"GET", "x"}) == CHM_E_INVAL);
    CHECK(bad({"GET", "/a b"}) == CHM_E_INVAL);
    CHECK(bad({"GET", "/a#b"}) == CHM_E_INVAL);
    CHECK(bad({"GET", "/", "", {{"X", "a\r\nY: b"}}}) == CHM_E_INVAL);
    CHECK(bad({"GET", "/", "", {{"X Y", "a"}}}) == CHM_E_INVAL);
    CHECK(bad({"GET", "/", "", {{"content-length", "7"}}}) == CHM_E_INVAL);

    const auto option = [](option_list o) { return failure_of([&] { transport wrong(o); }).code(); };
    CHECK(option({{"buffer_size", "100"}}) == CHM_E_INVAL);
    CHECK(option({{"buffer_size", "100000"}}) == CHM_E_INVAL); // beyond high_water
    CHECK(option({{"ca_file", "/nonexistent.pem"}}) == CHM_E_INVAL);
    CHECK(option({{"bufer_size", "8192"}}) == CHM_E_INVAL);
}

TEST_CASE("without a reactor: NOSYS, and what to do") {
    transport t;
    chm_session_args args{};
    args.size = sizeof args;
    args.base_url = str("http://127.0.0.1:1");
    chm_session* s = nullptr;
    error_buffer err;
    CHECK(t.get()->vt->open(t.get(), &args, &s, err.abi()) == CHM_E_NOSYS);
    CHECK(err.text().find("reactor") != std::string_view::npos);
}

TEST_CASE("a reactor that refuses: its code, and the URL") {
    leak_check leaks;
    one_by_one_server server([](peer& p) { p.request(); });
    turned_reactor r;
    chm_reactor_vt foreign = *r.reactor()->vt; // answers as an affine reactor does on another thread
    foreign.io_register = [](chm_reactor*, int, chm_io**) noexcept -> chm_rc { return CHM_E_AFFINITY; };
    r.reactor()->vt = &foreign;
    transport t;
    session s(r, t, server.url());
    exchange x = s.start({});
    const error e = failure_of([&] { x.head(); });
    CHECK(e.code() == CHM_E_AFFINITY);
    CHECK(std::string_view(e.what()).find(server.url()) != std::string_view::npos);
}

TEST_CASE("a reactor whose timers and sockets fail for ever fails the exchange instead of spinning") {
    leak_check leaks;
    one_by_one_server server([](peer& p) { p.client_gone(10000); });
    turned_reactor r;
    chm_reactor_vt foreign = *r.reactor()->vt;
    transport t;
    session s(r, t, server.url());
    SUBCASE("sockets") {
        foreign.io_poll = [](chm_reactor*, chm_io*, std::uint32_t, chm_waker*) noexcept -> std::uint32_t {
            return CHM_IO_ERR;
        };
    }
    SUBCASE("timers") {
        foreign.timer_poll = [](chm_reactor*, chm_timer*, std::uint64_t, chm_waker*) noexcept -> chm_rc {
            return CHM_E_AFFINITY;
        };
    }
    r.reactor()->vt = &foreign;
    exchange x = s.start({});
    CHECK(failure_of([&] { x.head(); }).code() == CHM_E_AFFINITY);
}

TEST_CASE("any extension id is answered") {
    transport t;
    CHECK(t.get()->vt->get_extension(t.get(), "no.such/1") == nullptr);
    CHECK(t.get()->vt->get_extension(t.get(), "") == nullptr);
    CHECK(t.get()->vt->get_extension(t.get(), CHM_EXT_TIMING) != nullptr);
}
