// Responses that are understood, however they are cut: what RFC 9112 allows, and what servers send all the same.
#include <doctest/doctest.h>

#include "parsed.hpp"

using namespace chimera::socket::test;

namespace {

const std::string ok = "HTTP/1.1 200 OK\r\n";
const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";

/// A complete response and nothing behind it.
parsed whole(std::string_view message, const parse_options& how = {}) {
    parsed r = parse_every_way(message, how);
    CAPTURE(message);
    CHECK(r.error == "");
    CHECK(r.done);
    CHECK(r.left == 0);
    return r;
}

} // namespace

TEST_CASE("a status line needs neither reason nor the blank before it, and any HTTP/1.x is one") {
    for (const std::string_view line : {"HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.1 200 OK", "HTTP/1.2 200 OK",
                                        "HTTP/1.9 200", "HTTP/1.1 200 \t\xc3\xa9t\xc3\xa9", "HTTP/1.1 200 200 200"}) {
        const parsed r = whole(std::string(line) + "\r\nContent-Length: 2\r\n\r\nok");
        CHECK(r.status == 200);
        CHECK(r.body == "ok");
        CHECK(r.keep_alive);
    }
    CHECK(whole("HTTP/1.1 999 Beyond\r\nContent-Length: 0\r\n\r\n").status == 999);
}

TEST_CASE("HTTP/1.0 keeps its connection only if it says so") {
    CHECK_FALSE(whole("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok").keep_alive);
    CHECK(whole("HTTP/1.0 200 OK\r\nConnection: x, Keep-Alive\r\nContent-Length: 2\r\n\r\nok").keep_alive);
    CHECK_FALSE(
        whole("HTTP/1.1 200 OK\r\nConnection: x\r\nConnection: CLOSE\r\nContent-Length: 2\r\n\r\nok").keep_alive);
}

TEST_CASE("empty lines before the status line are skipped") {
    CHECK(whole("\r\n\r\n\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").body == "ok");
    CHECK(whole("HTTP/1.1 100 Go\r\n\r\n\r\nHTTP/1.1 204 No\r\n\r\n").status == 204);
}

TEST_CASE("lines of a head may end with a line feed alone") {
    const parsed r = whole("HTTP/1.1 200 OK\nA: b\nContent-Length: 2\n\nok");
    CHECK(r.body == "ok");
    CHECK(r.header("A") == "b");
    CHECK(whole("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\n\r\n2\r\nok\r\n0\r\nT: u\n\n").body == "ok");
}

TEST_CASE("a header's value is given without the blanks around it, and a folded one as one line") {
    const parsed r =
        whole(ok + "A: \t b c \t\r\nB:\r\n c\r\n\td  \r\n  \r\nC:\r\nD: \xff\r\nContent-Length:\r\n 2\r\n\r\nok");
    CHECK(r.header("A") == "b c");
    CHECK(r.header("B") == "c d");
    CHECK(r.header("C") == "");
    CHECK(r.header("D") == "\xff");
    CHECK(r.body == "ok");
    CHECK(whole(ok + "Transfer-Encoding:\r\n chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n").body == "ok");
}

TEST_CASE("a Content-Length that is repeated is one") {
    for (const std::string_view fields :
         {"Content-Length: 5, 5", "Content-Length: 5\r\ncontent-length: 5", "Content-Length: 5,5 , 05",
          "Content-Length: 0005", "Content-Length: 5,\r\n 5", "Transfer-Encoding: identity\r\nContent-Length: 5",
          "Content-Length: 5\r\nTransfer-Encoding: Identity"}) {
        const parsed r = whole(ok + std::string(fields) + "\r\n\r\nhello");
        CHECK(r.body == "hello");
        CHECK(r.keep_alive);
    }
}

TEST_CASE("chunked wins over Content-Length, and the connection is not used again") {
    for (const std::string_view fields :
         {"Content-Length: 3\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 3",
          "Transfer-Encoding: chunked\r\nContent-Length: five", "Transfer-Encoding: chunked\r\nContent-Length: 0"}) {
        const parsed r = whole(ok + std::string(fields) + "\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
        CHECK(r.body == "hello");
        CHECK_FALSE(r.keep_alive);
        CHECK(r.headers.size() == 2); // the agent sees both
    }
    CHECK_FALSE(
        whole("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").keep_alive);
}

TEST_CASE("chunked is found in each letter case, beside identity and empty elements") {
    for (const std::string_view codings : {"CHUNKED", "identity, chunked", "chunked, identity", ", chunked,,",
                                           "identity\r\nTransfer-Encoding: chunked", "\r\n\tchunked"}) {
        const parsed r = whole(ok + "Transfer-Encoding: " + std::string(codings) + "\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
        CHECK(r.body == "hello");
        CHECK(r.keep_alive);
    }
}

TEST_CASE("a response without a body ends with its head, whatever the head says of a body") {
    for (const std::string_view head :
         {"HTTP/1.1 204 No\r\nContent-Length: 7\r\n\r\n", "HTTP/1.1 204 No\r\nContent-Length: x\r\n\r\n",
          "HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 304 No\r\nTransfer-Encoding: gzip\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}) {
        CHECK(whole(head).keep_alive);
        const parsed more = parse_every_way(std::string(head) + "behind");
        CHECK(more.done);
        CHECK(more.body == "");
        CHECK(more.left == 6);
    }
    CHECK(whole(ok + "Content-Length: 7\r\n\r\n", {.head_request = true}).keep_alive);
    CHECK(parse_every_way(ok + "Content-Length: 7\r\n\r\nbehind!", {.head_request = true}).left == 7);
}

TEST_CASE("a body ends where its framing says, and what is behind is left alone") {
    CHECK(parse_every_way(ok + "Content-Length: 5\r\n\r\nhelloHTTP/1.1").left == 8);
    CHECK(parse_every_way(chunked + "5\r\nhello\r\n0\r\n\r\n\r\n").left == 2);
    const parsed r = whole(ok + "\r\nall\r\n\r\nof it", {.then_closed = true});
    CHECK(r.body == "all\r\n\r\nof it");
    CHECK_FALSE(r.keep_alive);
    CHECK(whole(ok + "Transfer-Encoding: identity\r\n\r\nit", {.then_closed = true}).body == "it");
}

TEST_CASE("chunks: sizes with zeros in front and blanks behind, extensions of every kind, an empty body") {
    for (const std::string_view body :
         {"5\r\nhello\r\n0\r\n\r\n", "0000000000000005\r\nhello\r\n000\r\n\r\n", "5 \t\r\nhello\r\n0  \r\n\r\n",
          "5;a\r\nhello\r\n0;b=c\r\n\r\n", "5 ; a=\"b;c\\\"\" ;d\r\nhello\r\n0\r\n\r\n", "5;\r\nhello\r\n0;;=\r\n\r\n",
          "1\r\nh\r\n4\r\nello\r\n0\r\nContent-Length: 7\r\nTransfer-Encoding: gzip\r\nX:\r\n y\r\n\r\n"}) {
        const parsed r = whole(chunked + std::string(body));
        CHECK(r.body == "hello");
        CHECK(r.headers.size() == 1);
        CHECK(r.keep_alive);
    }
    CHECK(whole(chunked + "0\r\n\r\n").body == "");
    CHECK(whole(chunked + "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n").body == "01234567890123456789");
}

TEST_CASE("limits hold to the byte") {
    const chimera::socket::response_limits limits{256, 0x40};
    const std::string head = ok + "Content-Length: 0\r\nX: " + std::string(256 - 43, 'y') + "\r\n\r\n";
    REQUIRE(head.size() == 256);
    CHECK(whole(head, {.limits = limits}).done);
    CHECK(whole(chunked + "5;" + std::string(254, 'e') + "\r\nhello\r\n0\r\n" + "T: " + std::string(249, 't') +
                    "\r\n\r\n",
                {.limits = limits})
              .body == "hello");
    CHECK(whole(chunked + "40\r\n" + std::string(64, 'x') + "\r\n0\r\n\r\n", {.limits = limits}).body.size() == 64);
}
