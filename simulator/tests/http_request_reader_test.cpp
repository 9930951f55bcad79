#include "http_request_reader.hpp"

#include <doctest/doctest.h>

using namespace chimera::sim;
using outcome = http_request_reader::outcome;

namespace {

const std::string post = "POST /api/generate?x=1 HTTP/1.1\r\nHost: a\r\nX-Chimera-Fault: reset,after=1\r\n"
                         "Content-Length: 11\r\n\r\nhello world";
const std::string chunked = "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                            "5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: x\r\n\r\n";

} // namespace

TEST_CASE("a request cut anywhere is read whole") {
    for (const auto& text : {post, chunked}) {
        for (std::size_t cut = 1; cut < text.size(); ++cut) {
            CAPTURE(cut);
            http_request_reader reader;
            REQUIRE(reader.feed(text.substr(0, cut)) == outcome::need_more);
            REQUIRE(reader.feed(text.substr(cut)) == outcome::complete);
            CHECK(reader.request().method == "POST");
            CHECK(reader.request().body == "hello world");
            CHECK_FALSE(reader.in_request());
        }
    }
}

TEST_CASE("a request that comes byte by byte is read whole") {
    http_request_reader reader;
    for (std::size_t i = 0; i + 1 < chunked.size(); ++i) {
        REQUIRE(reader.feed(chunked.substr(i, 1)) == outcome::need_more);
    }
    REQUIRE(reader.feed(chunked.substr(chunked.size() - 1)) == outcome::complete);
    CHECK(reader.request().path == "/v1/chat/completions");
    CHECK(reader.request().body == "hello world");
}

TEST_CASE("pipelined requests come one after another") {
    http_request_reader reader;
    REQUIRE(reader.feed(post + "\r\n" + chunked + post.substr(0, 10)) == outcome::complete);
    CHECK(reader.request().path == "/api/generate");
    CHECK(reader.request().fault == "reset,after=1");
    REQUIRE(reader.next() == outcome::complete);
    CHECK(reader.request().path == "/v1/chat/completions");
    CHECK(reader.request().fault.empty());
    REQUIRE(reader.next() == outcome::need_more);
    REQUIRE(reader.feed(post.substr(10)) == outcome::complete);
    CHECK(reader.next() == outcome::need_more);
}

TEST_CASE("a client that waits for 100 Continue is noticed once") {
    http_request_reader reader;
    REQUIRE(reader.feed("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n") ==
            outcome::need_more);
    CHECK(reader.take_continue());
    CHECK_FALSE(reader.take_continue());
    CHECK(reader.feed("x") == outcome::complete);
}

TEST_CASE("keep-alive follows version and header") {
    const auto keeps = [](const std::string& text) {
        http_request_reader reader;
        REQUIRE(reader.feed(text) == outcome::complete);
        return reader.request().keep_alive;
    };
    CHECK(keeps("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    CHECK_FALSE(keeps("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    CHECK_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
    CHECK(keeps("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST_CASE("malformed and oversized requests are refused with their status") {
    const auto status = [](const std::string& text) {
        http_request_reader reader;
        return reader.feed(text) == outcome::failed ? reader.error_status() : 0;
    };
    CHECK(status("NONSENSE\r\n\r\n") == 400);
    CHECK(status("GET / HTTP/9.9\r\n\r\n") == 400);
    CHECK(status("GET / HTTP/1.1\r\nHost: " + std::string(http_header_limit, 'a') + "\r\n\r\n") == 431);
    CHECK(status("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n") == 413);
    CHECK(status("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n") == 400);
}
