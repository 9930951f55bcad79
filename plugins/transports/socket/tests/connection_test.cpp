// Which connection a request goes over, what goes over it, and when a request is sent a second time.
#include <doctest/doctest.h>

#include <sys/socket.h>

#include <atomic>

#include "client.hpp"

using namespace chimera::socket::test;

namespace {

constexpr std::string_view ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

} // namespace

TEST_CASE("a connection serves one request after another, and the timing says so") {
    std::atomic<int> connections{0};
    one_by_one_server server([&](peer& p) {
        ++connections;
        while (!p.request_text().empty()) p.send(ok);
    });
    client c;
    REQUIRE(c.open(server.url()) == CHM_OK);
    const outcome first = c.fetch();
    const outcome second = c.fetch();
    CHECK(connections == 1);
    CHECK(first.timing.reused == 0);
    CHECK(second.timing.reused == 1);
    CHECK(second.timing.retries == 0);
    CHECK(second.timing.connected_ns == first.timing.connected_ns);
    CHECK(first.timing.connected_ns > 0);
    CHECK(first.timing.sent_ns >= first.timing.connected_ns);
    CHECK(first.timing.first_byte_ns >= first.timing.sent_ns);
    CHECK((first.timing.readable_ns == 0 || first.timing.readable_ns >= first.timing.first_byte_ns));
    CHECK(second.timing.sent_ns >= first.timing.first_byte_ns);
}

TEST_CASE("a request is written in one piece, with the transport's own headers") {
    std::string seen[3];
    one_by_one_server server([&](peer& p) {
        for (std::string& request : seen) {
            request = p.request_text();
            p.send(ok);
        }
    });
    client c;
    REQUIRE(c.open(server.url() + "/v1/") == CHM_OK);
    CHECK(c.fetch({.method = "POST", .path = "/chat", .headers = {{"X-Key", "a b"}}, .body = "{}"}).rc == CHM_END);
    CHECK(c.fetch({.path = ""}).rc == CHM_END);
    CHECK(c.fetch({.path = "/q?a=b", .headers = {{"host", "other"}}}).rc == CHM_END);
    const std::string host = server.url().substr(7);
    CHECK(seen[0] == "POST /v1/chat HTTP/1.1\r\nX-Key: a b\r\nHost: " + host + "\r\nContent-Length: 2\r\n\r\n{}");
    CHECK(seen[1] == "GET /v1 HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
    CHECK(seen[2] == "GET /v1/q?a=b HTTP/1.1\r\nhost: other\r\n\r\n");
}

TEST_CASE("a request that would break the framing is refused") {
    client c;
    REQUIRE(c.open("http://127.0.0.1:1") == CHM_OK);
    for (const request& what :
         {request{.method = ""}, request{.method = "GE T"}, request{.path = "no-slash"}, request{.path = "/a b"},
          request{.path = "/a\r\nX: y"}, request{.headers = {{"A", "b\r\nC: d"}}}, request{.headers = {{"A b", "c"}}},
          request{.headers = {{"", "c"}}}, request{.headers = {{"content-LENGTH", "1"}}},
          request{.headers = {{"Transfer-Encoding", "chunked"}}}})
        CHECK(c.start(what) == nullptr);
}

TEST_CASE("Connection: close is honoured") {
    one_by_one_server server([](peer& p) {
        p.request_text();
        p.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
        CHECK(p.rest().empty()); // ends because the client closes, and nothing more is asked
    });
    client c;
    REQUIRE(c.open(server.url()) == CHM_OK);
    CHECK(c.fetch().rc == CHM_END);
    const outcome r = c.fetch();
    CHECK(r.rc == CHM_END);
    CHECK(r.timing.reused == 0);
    CHECK(r.timing.retries == 0);
}

TEST_CASE("a connection with bytes behind the response is not used again") {
    for (const bool late : {false, true}) {
        CAPTURE(late);
        one_by_one_server server([late](peer& p) {
            p.request_text();
            p.send(late ? std::string(ok) : std::string(ok) + "HTTP/1.1 500 Stale\r\n");
            if (late) pause_ms(30);
            if (late) p.send("HTTP/1.1 500 Stale\r\n");
            p.rest();
        });
        client c;
        REQUIRE(c.open(server.url()) == CHM_OK);
        CHECK(c.fetch().rc == CHM_END);
        c.turn_for(60);
        const outcome r = c.fetch();
        CHECK(r.rc == CHM_END);
        CHECK(r.status == 200);
        CHECK(r.timing.reused == 0);
    }
}

TEST_CASE("an idle connection that the server has closed is noticed before anything is sent") {
    std::atomic<int> requests{0};
    one_by_one_server server([&](peer& p) {
        p.request_text();
        ++requests;
        p.send(ok);
    });
    client c;
    REQUIRE(c.open(server.url()) == CHM_OK);
    CHECK(c.fetch().rc == CHM_END);
    pause_ms(30);
    const outcome r = c.fetch();
    CHECK(r.rc == CHM_END);
    CHECK(r.timing.reused == 0);
    CHECK(r.timing.retries == 0);
    CHECK(requests == 2);
}

TEST_CASE("a reused connection that closes before any byte of the response is retried once, on a fresh one") {
    for (const bool with_reset : {false, true}) {
        CAPTURE(with_reset);
        std::atomic<int> requests{0};
        one_by_one_server server([&](peer& p) {
            if (!p.request_text().empty()) ++requests;
            p.send(ok);
            if (p.number() > 0) return;
            if (!p.request_text().empty()) ++requests; // read, and not answered
            if (with_reset) p.reset();
        });
        client c;
        REQUIRE(c.open(server.url()) == CHM_OK);
        CHECK(c.fetch().rc == CHM_END);
        const outcome r = c.fetch({.method = "POST", .body = "again"});
        CHECK(r.rc == CHM_END);
        CHECK(r.body() == "ok");
        CHECK(r.timing.retries == 1);
        CHECK(r.timing.reused == 0);
        CHECK(requests == 3);
    }
}

TEST_CASE("a retry that fails as well is an error, and there is no third attempt") {
    std::atomic<int> requests{0};
    one_by_one_server server([&](peer& p) {
        if (!p.request_text().empty()) ++requests;
        if (p.number() > 0) return;
        p.send(ok);
        if (!p.request_text().empty()) ++requests;
    });
    client c;
    REQUIRE(c.open(server.url()) == CHM_OK);
    CHECK(c.fetch().rc == CHM_END);
    const outcome r = c.fetch();
    CHECK(r.rc == CHM_E_CLOSED);
    CHECK(r.timing.retries == 1);
    CHECK(requests == 3);
}

TEST_CASE("a fresh connection is never retried") {
    std::atomic<int> connections{0};
    one_by_one_server server([&](peer& p) {
        ++connections;
        p.request_text();
        if (p.number() == 1) p.reset();
    });
    client c;
    REQUIRE(c.open(server.url()) == CHM_OK);
    CHECK(c.fetch().rc == CHM_E_CLOSED);
    CHECK(c.fetch().rc == CHM_E_IO);
    CHECK(connections == 2);
}

TEST_CASE("a reused connection that closes after the first byte is not retried") {
    for (const std::string_view part : {"H", "HTTP/1.1 100 Continue\r\n\r\n"}) {
        one_by_one_server server([part](peer& p) {
            p.request_text();
            p.send(ok);
            p.request_text();
            p.send(part);
        });
        client c;
        REQUIRE(c.open(server.url()) == CHM_OK);
        CHECK(c.fetch().rc == CHM_END);
        const outcome r = c.fetch();
        CHECK(r.rc == CHM_E_CLOSED);
        CHECK(r.timing.retries == 0);
        CHECK(r.timing.reused == 1);
    }
}

TEST_CASE("a request larger than every buffer is sent whole") {
    std::string seen;
    one_by_one_server server([&](peer& p) {
        pause_ms(30);
        seen = p.request_text();
        p.send(ok);
    });
    client c;
    std::string body(16 << 20, '\0');
    for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 31 + i / 4096);
    const outcome r = c.fetch_from(server.url(), {.method = "POST", .body = body});
    CHECK(r.rc == CHM_END);
    CHECK(seen.ends_with(body));
}

TEST_CASE("a response that comes before the request was sent whole is the response") {
    one_by_one_server server([](peer& p) {
        char some[1000];
        CHECK(::recv(p.fd(), some, sizeof some, 0) > 0);
        p.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
        pause_ms(50);
    });
    client c;
    const std::string body(16 << 20, 'x');
    REQUIRE(c.open(server.url()) == CHM_OK);
    for (int i = 0; i < 2; ++i) {
        const outcome r = c.fetch({.method = "POST", .body = body});
        CHECK(r.rc == CHM_END);
        CHECK(r.status == 413);
        CHECK(r.body() == "no");
        CHECK(r.timing.reused == 0);
    }
}

TEST_CASE("an unfinished exchange takes its connection with it, and wakes nobody afterwards") {
    std::atomic<int> closed{0};
    one_by_one_server server([&](peer& p) {
        p.request_text();
        if (p.number() == 0) {
            p.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome");
            p.rest();
            ++closed;
        } else {
            p.send(ok);
        }
    });
    client c;
    REQUIRE(c.open(server.url()) == CHM_OK);
    chm_exchange* x = c.start();
    chm_head head{};
    chm_str view{};
    REQUIRE(c.wait_head(x, head) == CHM_READY);
    REQUIRE(c.wait_chunk(x, view) == CHM_READY);
    CHECK(c.poll_chunk(x, view) == CHM_PENDING);
    x->vt->close(x);
    c.waker().take();
    c.turn_for(30);
    CHECK_FALSE(c.waker().take());
    const outcome r = c.fetch();
    CHECK(r.rc == CHM_END);
    CHECK(r.timing.reused == 0);
    CHECK(closed == 1);
}

TEST_CASE("nothing wakes the task of a finished exchange") {
    one_by_one_server server([](peer& p) {
        p.request_text();
        p.send(ok);
        pause_ms(30);
    });
    client c({{"first_byte_timeout_ms", "40"}});
    REQUIRE(c.open(server.url()) == CHM_OK);
    REQUIRE(c.fetch().rc == CHM_END);
    c.turn_for(5);
    c.waker().take();
    c.turn_for(100); // the server closes, the timer goes off
    CHECK_FALSE(c.waker().take());
}

TEST_CASE("an exchange can be closed in every state") {
    one_by_one_server server([](peer& p) { p.rest(); });
    client c;
    REQUIRE(c.open(server.url()) == CHM_OK);
    chm_exchange* x = c.start();
    CHECK(c.start() == nullptr); // one at a time
    x->vt->close(x);
    chm_head head{};
    x = c.start();
    CHECK(c.poll_head(x, head) == CHM_PENDING); // connecting
    x->vt->close(x);
    x = c.start();
    CHECK(c.poll_head(x, head) == CHM_PENDING);
    c.wait();
    CHECK(c.poll_head(x, head) == CHM_PENDING); // sent
    x->vt->close(x);
    REQUIRE(c.open("http://localhost:1") == CHM_OK);
    x = c.start();
    c.poll_head(x, head); // resolving
    x->vt->close(x);
}

TEST_CASE("functions called out of order answer CHM_E_STATE") {
    one_by_one_server server([](peer& p) {
        p.request_text();
        p.send(ok);
        p.request_text();
        p.send("garbage garbage garbage\r\n\r\n");
    });
    client c;
    REQUIRE(c.open(server.url()) == CHM_OK);
    chm_head head{};
    chm_str view{};
    chm_exchange* x = c.start();
    CHECK(c.poll_chunk(x, view) == CHM_E_STATE);
    CHECK(c.wait_head(x, head) == CHM_READY);
    CHECK(c.poll_head(x, head) == CHM_E_STATE);
    CHECK(c.wait_chunk(x, view) == CHM_READY);
    CHECK(c.wait_chunk(x, view) == CHM_END);
    CHECK(c.wait_chunk(x, view) == CHM_END);
    x->vt->close(x);
    x = c.start();
    CHECK(c.wait_head(x, head) == CHM_E_PROTO);
    CHECK(c.poll_head(x, head) == CHM_E_STATE);
    CHECK(c.poll_chunk(x, view) == CHM_E_STATE);
    x->vt->close(x);
}

TEST_CASE("the waker of the latest poll is the one that is woken, for bytes and for time limits") {
    one_by_one_server server([](peer& p) {
        p.request_text();
        p.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
        pause_ms(40);
        p.send("some");
        p.rest();
    });
    client c({{"idle_timeout_ms", "150"}});
    REQUIRE(c.open(server.url()) == CHM_OK);
    chm_exchange* x = c.start();
    chm_head head{};
    chm_str view{};
    REQUIRE(c.wait_head(x, head) == CHM_READY);
    CHECK(c.poll_chunk(x, view) == CHM_PENDING);
    c.change_waker();
    CHECK(c.poll_chunk(x, view) == CHM_PENDING);
    c.other_waker().take();
    CHECK(c.wait_chunk(x, view) == CHM_READY);
    CHECK_FALSE(c.other_waker().take());
    CHECK(c.poll_chunk(x, view) == CHM_PENDING);
    c.change_waker();
    CHECK(c.wait_chunk(x, view) == CHM_E_TIMEOUT);
    x->vt->close(x);
}
