// Every way in which HTTP/1.1 marks the end of a message, and every way in which TCP may cut it.
#include <doctest/doctest.h>

#include <random>

#include "client.hpp"
#include "parsed.hpp"

using namespace chimera::socket::test;

namespace {

const std::string chunked_head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Answers every request of every connection with the same bytes.
scripted_server::script always(std::string bytes) {
    return [bytes = std::move(bytes)](peer& p) {
        while (!p.request_text().empty()) p.send(bytes);
    };
}

const std::string typical =
    "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nServer: x\r\nTransfer-Encoding: chunked\r\n"
    "Content-Type: application/x-ndjson\r\n\r\n"
    "7\r\n{\"a\":1}\r\n1;ext=\"a;b\";flag\r\n\n\r\nA\r\n0123456789\r\n0;last\r\nX-Trailer: t\r\nY: z\r\n\r\n";
const std::string typical_body = "{\"a\":1}\n0123456789";

} // namespace

TEST_CASE("a body with Content-Length ends after that many bytes") {
    one_by_one_server server(always("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A:  b \r\n\r\nhello"));
    client c;
    const outcome r = c.fetch_from(server.url());
    CHECK(r.rc == CHM_END);
    CHECK(r.status == 200);
    CHECK(r.body() == "hello");
    CHECK(r.header("X-A") == "b");
}

TEST_CASE("chunks with extensions and trailers give their bytes and nothing else") {
    one_by_one_server server(always(typical));
    client c;
    const outcome r = c.fetch_from(server.url());
    CHECK(r.rc == CHM_END);
    CHECK(r.body() == typical_body);
    CHECK(r.headers.size() == 3); // neither those of the 103 nor the trailers
}

TEST_CASE("one receive gives one piece, whatever chunks it brings") {
    one_by_one_server server(always(chunked_head + "1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n"));
    client c;
    const outcome r = c.fetch_from(server.url());
    REQUIRE(r.pieces.size() == 1);
    CHECK(r.pieces[0] == "abcdef");
}

TEST_CASE("a body without length ends when the server closes, and the connection is not used again") {
    one_by_one_server server([](peer& p) {
        p.request_text();
        p.send("HTTP/1.1 200 OK\r\n\r\nall of");
        p.send(" it");
    });
    client c;
    REQUIRE(c.open(server.url()) == CHM_OK);
    for (int i = 0; i < 2; ++i) {
        const outcome r = c.fetch();
        CHECK(r.rc == CHM_END);
        CHECK(r.body() == "all of it");
        CHECK(r.timing.reused == 0);
    }
}

TEST_CASE("an empty body that ends when the server closes is complete") {
    one_by_one_server server([](peer& p) {
        p.request_text();
        p.send("HTTP/1.1 200 OK\r\n\r\n");
    });
    client c;
    const outcome r = c.fetch_from(server.url());
    CHECK(r.rc == CHM_END);
    CHECK(r.pieces.empty());
}

TEST_CASE("any number of 1xx responses before the final one is skipped") {
    one_by_one_server server([](peer& p) {
        while (!p.request_text().empty()) {
            p.send("HTTP/1.1 100 Continue\r\n\r\n");
            pause_ms(20);
            p.send("HTTP/1.1 102 Processing\r\nA: b\r\n\r\nHTTP/1.1 204 No Content\r\nC: d\r\n\r\n");
        }
    });
    client c;
    REQUIRE(c.open(server.url()) == CHM_OK);
    for (std::uint32_t i = 0; i < 2; ++i) {
        const outcome r = c.fetch();
        CHECK(r.rc == CHM_END);
        CHECK(r.status == 204);
        CHECK(r.header("A") == "(none)");
        CHECK(r.header("C") == "d");
        CHECK(r.timing.first_byte_ns - r.timing.sent_ns > 10'000'000);
        CHECK(r.timing.reused == i);
    }
}

TEST_CASE("HEAD, 204, 304 and Content-Length 0 have no body, and the connection goes on") {
    one_by_one_server server([](peer& p) {
        for (std::string r; !(r = p.request_text()).empty();) {
            if (r.starts_with("HEAD")) p.send("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n");
            if (r.starts_with("GET /204")) p.send("HTTP/1.1 204 No\r\nContent-Length: 7\r\n\r\n");
            if (r.starts_with("GET /304")) p.send("HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n");
            if (r.starts_with("GET /zero")) p.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
    });
    client c;
    REQUIRE(c.open(server.url()) == CHM_OK);
    bool first = true;
    for (const request& what : {request{.method = "HEAD"}, request{.path = "/204"}, request{.path = "/304"},
                                request{.path = "/zero"}, request{.method = "HEAD"}}) {
        const outcome r = c.fetch(what);
        CHECK(r.rc == CHM_END);
        CHECK(r.pieces.empty());
        CHECK(r.timing.reused == (first ? 0 : 1));
        first = false;
    }
}

TEST_CASE("bytes behind a response that has no body are not parsed, and cost the connection") {
    for (const std::string_view head :
         {"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"}) {
        for (const std::string_view delivery : {"immediate", "fill"}) {
            CAPTURE(head);
            one_by_one_server server(always(std::string(head) + "x"));
            client c({{"delivery", delivery}});
            REQUIRE(c.open(server.url()) == CHM_OK);
            for (int i = 0; i < 2; ++i) {
                const outcome r = c.fetch();
                CHECK(r.rc == CHM_END);
                CHECK(r.pieces.empty());
                CHECK(r.timing.reused == 0);
            }
        }
    }
    one_by_one_server server(always("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"));
    client c;
    CHECK(c.fetch_from(server.url(), {.method = "HEAD"}).rc == CHM_END);
}

TEST_CASE("a last chunk that comes in pieces ends the body, also an empty one") {
    for (const std::size_t first : {1, 2, 3, 4}) {
        one_by_one_server server([first](peer& p) {
            while (!p.request_text().empty()) {
                p.send(chunked_head);
                pause_ms(2);
                p.send(std::string_view("0\r\n\r\n").substr(0, first));
                p.send(std::string_view("0\r\n\r\n").substr(first), 1, 100);
            }
        });
        client c;
        REQUIRE(c.open(server.url()) == CHM_OK);
        for (std::uint32_t i = 0; i < 2; ++i) {
            const outcome r = c.fetch();
            CHECK(r.rc == CHM_END);
            CHECK(r.pieces.empty());
            CHECK(r.timing.reused == i);
        }
    }
}

TEST_CASE("a response that comes byte by byte is the same response") {
    one_by_one_server server([](peer& p) {
        while (!p.request_text().empty()) p.send(typical, 1, 100);
    });
    client c;
    REQUIRE(c.open(server.url()) == CHM_OK);
    for (std::uint32_t i = 0; i < 2; ++i) {
        const outcome r = c.fetch();
        CHECK(r.rc == CHM_END);
        CHECK(r.body() == typical_body);
        CHECK(r.timing.reused == i);
    }
}

TEST_CASE("a response cut at each byte is the same response") {
    const parsed r = parse_every_way(typical);
    CHECK(r.body == typical_body);
    CHECK(r.done);
    CHECK(r.left == 0);
}

TEST_CASE("a response cut at random places is the same response") {
    std::mt19937 random(115);
    std::string message = chunked_head, body;
    for (int i = 0; i < 200; ++i) {
        std::string data(1 + random() % 300, '\0');
        for (char& byte : data) byte = static_cast<char>("\r\n0a;"[random() % 5]);
        char size[16];
        std::snprintf(size, sizeof size, i % 3 ? "%zx" : "%zX;e=1", data.size());
        message.append(size).append("\r\n").append(data).append("\r\n");
        body += data;
    }
    message += "0\r\nT: u\r\n\r\n";
    for (std::uint32_t seed = 0; seed < 300; ++seed) {
        CAPTURE(seed);
        const parsed r = parse(message, random_cuts(message, seed));
        REQUIRE(r.body == body);
        REQUIRE(r.done);
        REQUIRE(r.left == 0);
    }
}

TEST_CASE("an HTTP/1.0 server is understood, with and without keep-alive") {
    one_by_one_server server([](peer& p) {
        while (!p.request_text().empty())
            p.send("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok");
    });
    client c;
    REQUIRE(c.open(server.url()) == CHM_OK);
    CHECK(c.fetch().body() == "ok");
    CHECK(c.fetch().timing.reused == 1);

    one_by_one_server old(always("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    REQUIRE(c.open(old.url()) == CHM_OK);
    CHECK(c.fetch().body() == "ok");
    const outcome again = c.fetch();
    CHECK(again.body() == "ok");
    CHECK(again.timing.reused == 0);
}
