// Every failure has its code, and a message that names the URL and what was going on.
#include <doctest/doctest.h>

#include <chrono>

#include "client.hpp"

using namespace chimera::socket::test;

namespace {

bool says(const outcome& r, std::string_view what) { return r.error.find(what) != std::string::npos; }

/// What a client makes of a server that sends these bytes and then closes.
outcome answer(std::string_view bytes, option_list options = {}, bool then_reset = false) {
    one_by_one_server server([&](peer& p) {
        p.request_text();
        p.send(bytes);
        if (then_reset) {
            pause_ms(30);
            p.reset();
        }
    });
    client c(options);
    outcome r = c.fetch_from(server.url(), {.path = "/x"});
    if (r.rc < 0) CHECK(says(r, server.url() + "/x: "));
    return r;
}

class stopwatch {
  public:
    double ms() const {
        return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_).count();
    }

  private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

} // namespace

TEST_CASE("a port where nobody listens is CHM_E_CONNECT") {
    client c;
    const std::string port = std::to_string(closed_port());
    const outcome r = c.fetch_from("http://127.0.0.1:" + port);
    CHECK(r.rc == CHM_E_CONNECT);
    CHECK(r.error == "http://127.0.0.1:" + port + "/: connecting to 127.0.0.1 port " + port + ": Connection refused");
    CHECK(c.fetch().rc == CHM_E_CONNECT); // the session can go on
}

TEST_CASE("a name without an address is CHM_E_RESOLVE") {
    client c;
    const outcome r = c.fetch_from("http://no-such-host.invalid:1/p");
    CHECK(r.rc == CHM_E_RESOLVE);
    CHECK(says(r, "http://no-such-host.invalid:1/p/: resolving the host name 'no-such-host.invalid': "));
}

TEST_CASE("a name without an address that answers is CHM_E_CONNECT, and is asked again next time") {
    client c;
    REQUIRE(c.open("http://localhost:" + std::to_string(closed_port())) == CHM_OK);
    for (int i = 0; i < 2; ++i) {
        const outcome r = c.fetch();
        CHECK(r.rc == CHM_E_CONNECT);
        CHECK(says(r, "Connection refused"));
    }
}

TEST_CASE("a server that closes early is CHM_E_CLOSED") {
    const outcome silent = answer("");
    CHECK(silent.rc == CHM_E_CLOSED);
    CHECK(says(silent, "waiting for the first byte of the response: "));
    const outcome head = answer("HTTP/1.1 200 OK\r\nContent-Le");
    CHECK(head.rc == CHM_E_CLOSED);
    CHECK(says(head, "reading the head of the response: "));
    const outcome body = answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    CHECK(body.rc == CHM_E_CLOSED);
    CHECK(body.body() == "hello");
    CHECK(says(body, "after 5 body bytes: "));
    CHECK(answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel").rc == CHM_E_CLOSED);
    CHECK(answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n").rc == CHM_E_CLOSED);
    CHECK(answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n").rc == CHM_E_CLOSED);
}

TEST_CASE("a reset is CHM_E_IO, with the system's words") {
    const outcome r = answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", {}, true);
    CHECK(r.rc == CHM_E_IO);
    CHECK(r.body() == "hello");
    CHECK(says(r, "after 5 body bytes: Connection reset by peer"));
    const outcome early = answer("", {}, true);
    CHECK(early.rc == CHM_E_IO);
    CHECK(says(early, "waiting for the first byte of the response: Connection reset by peer"));
}

TEST_CASE("a head that is too long is CHM_E_LIMIT, in one piece or in many") {
    std::string flood = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; flood.size() < 5000; ++i) flood += "X-" + std::to_string(i) + ": y\r\n";
    const outcome many = answer(flood, {{"max_header_bytes", "4096"}});
    CHECK(many.rc == CHM_E_LIMIT);
    CHECK(says(many, "max_header_bytes"));
    CHECK(answer(flood + "\r\n", {{"max_header_bytes", "4096"}, {"read_size", "65536"}}).rc == CHM_E_LIMIT);
    CHECK(answer("HTTP/1.1 200 OK\r\nX: " + std::string(5000, 'y'), {{"max_header_bytes", "4096"}}).rc == CHM_E_LIMIT);
    CHECK(answer(std::string(5000, 'H'), {{"max_header_bytes", "4096"}}).rc != CHM_END);
    std::string endless;
    for (int i = 0; i < 300; ++i) endless += "HTTP/1.1 100 Continue\r\n\r\n";
    CHECK(answer(endless, {{"max_header_bytes", "4096"}}).rc == CHM_E_LIMIT);
    CHECK(answer(flood + "Content-Length: 0\r\n\r\n", {{"max_header_bytes", "8192"}, {"read_size", "64"}}).status ==
          200);
}

TEST_CASE("a chunk that declares too much is CHM_E_LIMIT") {
    const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const outcome r = answer(head + "FFFFFFFFFFFFFFFF\r\n");
    CHECK(r.rc == CHM_E_LIMIT);
    CHECK(says(r, "max_chunk_bytes"));
    CHECK(answer(head + "401\r\n", {{"max_chunk_bytes", "1024"}}).rc == CHM_E_LIMIT);
    CHECK(answer(head + "400\r\n", {{"max_chunk_bytes", "1024"}}).rc == CHM_E_CLOSED);
    CHECK(answer(head + "5;" + std::string(5000, 'e'), {{"max_header_bytes", "4096"}}).rc == CHM_E_LIMIT);
    CHECK(answer(head + "0\r\nT: " + std::string(5000, 't'), {{"max_header_bytes", "4096"}}).rc == CHM_E_LIMIT);
}

TEST_CASE("a connection that cannot be made in time is CHM_E_TIMEOUT") {
    const full_listener listener;
    client c({{"connect_timeout_ms", "100"}});
    const stopwatch watch;
    const outcome r = c.fetch_from(listener.url());
    CHECK(r.rc == CHM_E_TIMEOUT);
    CHECK(says(r, "connecting to 127.0.0.1 port "));
    CHECK(says(r, "connect_timeout_ms"));
    CHECK(watch.ms() >= 100);
    CHECK(r.timing.connected_ns == 0);
}

TEST_CASE("a server that never begins to answer is CHM_E_TIMEOUT") {
    one_by_one_server server([](peer& p) {
        p.request_text();
        p.send("HTTP/1.1 100 Continue\r\n\r\n"); // no answer yet
        p.rest();
    });
    client c({{"first_byte_timeout_ms", "100"}, {"idle_timeout_ms", "10"}});
    const stopwatch watch;
    const outcome r = c.fetch_from(server.url());
    CHECK(r.rc == CHM_E_TIMEOUT);
    CHECK(says(r, "waiting for the first byte of the response: nothing came for 100 ms (first_byte_timeout_ms)"));
    CHECK(watch.ms() >= 100);
}

TEST_CASE("a server that stalls in the head or in the body is CHM_E_TIMEOUT") {
    for (const std::string_view part : {"HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"}) {
        one_by_one_server server([part](peer& p) {
            p.request_text();
            p.send(part);
            p.rest();
        });
        client c({{"idle_timeout_ms", "100"}});
        const stopwatch watch;
        const outcome r = c.fetch_from(server.url());
        CHECK(r.rc == CHM_E_TIMEOUT);
        CHECK(says(r, "nothing came for 100 ms (idle_timeout_ms)"));
        CHECK(watch.ms() >= 100);
    }
}

TEST_CASE("a server that does not read the request is CHM_E_TIMEOUT") {
    one_by_one_server server([](peer&) { pause_ms(400); });
    client c({{"idle_timeout_ms", "100"}});
    const std::string body(32 << 20, 'x');
    const outcome r = c.fetch_from(server.url(), {.method = "POST", .body = body});
    CHECK(r.rc == CHM_E_TIMEOUT);
    CHECK(says(r, "sending the request: no progress for 100 ms (idle_timeout_ms)"));
}

TEST_CASE("a slow server that keeps going passes no limit, and 0 means no limit") {
    for (const std::string_view limit : {"120", "0"}) {
        one_by_one_server server([](peer& p) {
            p.request_text();
            p.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n");
            for (int i = 0; i < 8; ++i) {
                pause_ms(40);
                p.send("x");
            }
        });
        client c({{"idle_timeout_ms", limit}, {"first_byte_timeout_ms", limit}, {"connect_timeout_ms", limit}});
        CHECK(c.fetch_from(server.url()).rc == CHM_END);
    }
}

TEST_CASE("a time limit that passed while the task was not polled does not lose bytes that are there") {
    one_by_one_server server([](peer& p) {
        p.request_text();
        p.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
        pause_ms(30);
        p.send("half");
        p.rest();
    });
    client c({{"idle_timeout_ms", "50"}});
    REQUIRE(c.open(server.url()) == CHM_OK);
    chm_exchange* x = c.start();
    chm_head head{};
    chm_str view{};
    REQUIRE(c.wait_head(x, head) == CHM_READY);
    pause_ms(100); // a blocked worker: nobody turns the reactor
    CHECK(c.poll_chunk(x, view) == CHM_READY);
    CHECK(c.poll_chunk(x, view) == CHM_READY);
    CHECK(view.len == 4);
    CHECK(c.wait_chunk(x, view) == CHM_END);
    x->vt->close(x);
}
