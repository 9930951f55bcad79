// What a session keeps in memory while it waits: there are thousands of them.
#include <doctest/doctest.h>

#include <string>

#include "client.hpp"
#include "counted_calls.hpp"

using namespace chimera::socket::test;

namespace {

constexpr std::int64_t little = 4096;
const std::string large(20'000, 'x'); // a request's body, and a field of each head

/// Sends a head with a large field, and the body when it is asked to.
class slow_server {
  public:
    void go_on() { bodies_.go_on(); }
    std::string url() const { return server_.url(); }

  private:
    steps bodies_;
    one_by_one_server server_{[this](peer& p) {
        while (!p.request_text().empty()) {
            p.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Large: " + large + "\r\n\r\n");
            bodies_.wait();
            p.send("ok");
        }
    }};
};

} // namespace

TEST_CASE("who waits for a body holds neither the request nor the head, and a closed exchange holds no more") {
    slow_server server;
    client c;
    REQUIRE(c.open(server.url()) == CHM_OK);
    const std::int64_t before = calls().held_bytes;
    for (int round = 0; round < 3; ++round) { // the later ones over the same connection
        CAPTURE(round);
        chm_exchange* x = c.start({.method = "POST", .body = large});
        chm_head head{};
        chm_str view{};
        REQUIRE(c.wait_head(x, head) == CHM_READY);
        CHECK(head.headers[1].value.len == large.size());
        REQUIRE(c.poll_chunk(x, view) == CHM_PENDING);
        CHECK(calls().held_bytes - before < little);
        server.go_on();
        while (c.wait_chunk(x, view) == CHM_READY) {
        }
        x->vt->close(x);
        CHECK(calls().held_bytes - before < little);
    }
}

TEST_CASE("sessions with the same URL share it") {
    client c;
    const auto opened = [&c](std::string_view url) {
        const std::int64_t before = calls().held_bytes;
        REQUIRE(c.open(url) == CHM_OK);
        const std::int64_t held = calls().held_bytes - before;
        c.close_session();
        return held;
    };
    const std::string url = "http://127.0.0.1:1/" + large;
    CHECK(opened(url) > std::int64_t(large.size()));
    CHECK(opened(url) < little);
}
