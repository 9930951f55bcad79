#include "http_request_reader.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

using namespace chimera::sim;
using outcome = http_request_reader::outcome;

namespace {

const std::string post = "POST /api/generate?x=1 HTTP/1.1\r\nHost: a\r\nX-Chimera-Fault: reset,after=1\r\n"
                         "Content-Length: 11\r\n\r\nhello world";
const std::string chunked_head = "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
const std::string chunked = chunked_head + "5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: x\r\n\r\n";
const std::string empty_chunked = chunked_head + "0\r\n\r\n";
const std::string get = "GET /api/tags HTTP/1.1\r\nHost: a\r\n\r\n";

/// What a connection's bytes gave: each request in full, and the refusal that ended it.
std::string answers(const std::vector<std::string>& pieces) {
    http_request_reader reader;
    std::string all;
    for (const auto& piece : pieces) {
        auto result = reader.feed(piece);
        for (; result == outcome::complete; result = reader.next()) {
            const auto& request = reader.request();
            all += request.method + " " + request.path + (request.keep_alive ? " keeps" : " closes") +
                   (request.http_1_0 ? " 1.0" : "") + " [" + request.fault + "] '" + request.body + "'\n";
        }
        if (result == outcome::failed) {
            return all + std::to_string(reader.error_status()) + " " + reader.error_text();
        }
    }
    return all + (reader.in_request() ? "unfinished" : "");
}

/// The same, which must not depend on where the bytes are cut.
std::string answers_to(const std::string& bytes) {
    CAPTURE(bytes.substr(0, 300));
    const auto whole = answers({bytes});
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
        CAPTURE(cut);
        CHECK(answers({bytes.substr(0, cut), bytes.substr(cut)}) == whole);
    }
    std::vector<std::string> single;
    for (const char c : bytes) {
        single.emplace_back(1, c);
    }
    CHECK(answers(single) == whole);
    return whole;
}

std::string refusal(const std::string& bytes) {
    const auto text = answers_to(bytes);
    constexpr std::string_view prefix = "400 malformed HTTP request: ";
    return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

std::string field(const std::string& line) { return "POST / HTTP/1.1\r\n" + line + "\r\n\r\n"; }

/// 0: none. Each byte of a large request alone would take too long.
int status_of_large(const std::string& bytes) {
    const auto half = bytes.size() / 2, last = bytes.size() - 1;
    const auto whole = answers({bytes});
    CHECK(answers({bytes.substr(0, half), bytes.substr(half, last - half), bytes.substr(last)}) == whole);
    return std::atoi(whole.c_str());
}

} // namespace

TEST_CASE("requests are read whole however they are cut") {
    const std::string said_post = "POST /api/generate keeps [reset,after=1] 'hello world'\n";
    const std::string said_chunked = "POST /v1/chat/completions keeps [] 'hello world'\n";
    const std::string said_empty = "POST /v1/chat/completions keeps [] ''\n";
    const std::string said_get = "GET /api/tags keeps [] ''\n";
    CHECK(answers_to(post) == said_post);
    CHECK(answers_to(chunked) == said_chunked);
    CHECK(answers_to(empty_chunked) == said_empty);
    CHECK(answers_to(get) == said_get);
    CHECK(answers_to("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n") == "POST / keeps [] ''\n");
    CHECK(answers_to("POST / HTTP/1.1\nContent-Length: 1, 1\n\nx") == "POST / keeps [] 'x'\n");
    CHECK(answers_to("GET / HTTP/1.1\r\nX-Chimera-Fault: reset,\r\n after=1\r\n\r\n") ==
          "GET / keeps [reset, after=1] ''\n");
    CHECK(answers_to(chunked_head + "A ;a=\"b\"\r\n0123456789\r\n000\r\nContent-Length: 5\r\n folded\r\n\r\n") ==
          "POST /v1/chat/completions keeps [] '0123456789'\n");
    CHECK(answers_to(post + "\r\n" + chunked + empty_chunked + get + post) ==
          said_post + said_chunked + said_empty + said_get + said_post);
    CHECK(answers_to(get + post.substr(0, 40)) == said_get + "unfinished");
}

TEST_CASE("the end of an empty chunked body may come in any pieces: this once aborted the simulator") {
    CHECK(answers({chunked_head, "0\r\n", "\r", "\n"}) == "POST /v1/chat/completions keeps [] ''\n");
    CHECK(answers({chunked_head, "2\r\n{}\r\n0\r\n", "A: b\r\n", "\r", "\n"}) ==
          "POST /v1/chat/completions keeps [] '{}'\n");
}

TEST_CASE("a pipelined request waits for next()") {
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
    CHECK_FALSE(reader.in_request());
}

TEST_CASE("a client that waits for 100 Continue is noticed once") {
    http_request_reader reader;
    const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    REQUIRE(reader.feed(head) == outcome::need_more);
    CHECK(reader.take_continue());
    CHECK_FALSE(reader.take_continue());
    CHECK(reader.feed("x") == outcome::need_more);
    CHECK_FALSE(reader.take_continue());
    CHECK(reader.feed("x" + head + "xx") == outcome::complete);
    CHECK_FALSE(reader.take_continue());
    CHECK(reader.next() == outcome::complete);
    CHECK_FALSE(reader.take_continue()); // the body is here already
}

TEST_CASE("keep-alive follows version and header") {
    CHECK(answers_to("GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n") == "GET / closes [] ''\n");
    CHECK(answers_to("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, close\r\n\r\n") == "GET / closes [] ''\n");
    CHECK(answers_to("GET / HTTP/1.0\r\n\r\n") == "GET / closes 1.0 [] ''\n");
    CHECK(answers_to("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n") == "GET / keeps 1.0 [] ''\n");
}

TEST_CASE("malformed heads are refused with a reason") {
    CHECK(refusal("NONSENSE\r\n\r\n") == "it begins with 'NONSENSE\\x0d', not with a method");
    CHECK(refusal("\x16\x03\x01") == "it begins with '\\x16', not with a method"); // TLS
    CHECK(refusal(" / HTTP/1.1\r\n") == "it begins with ' ', not with a method");
    CHECK(refusal("GET HTTP/1.1\r\n") == "its first line is not a method, a target and a version: 'GET HTTP/1.1'");
    CHECK(refusal(std::string(50, 'A') + "\xff / HTTP/1.1\r\n").starts_with("its first line is not a method"));
    CHECK(refusal("GET  HTTP/1.1\r\n") ==
          "its target is empty, or has a blank or a control character: 'GET  HTTP/1.1'");
    CHECK(refusal("GET /a b HTTP/1.1\r\n").starts_with("its target is empty, or has a blank"));
    CHECK(refusal("GET ?x=1 HTTP/1.1\r\n") == "its target has no path: 'GET ?x=1 HTTP/1.1'");
    CHECK(refusal("GET / HTTP/9.9\r\n") == "its version is not HTTP/1.1 or HTTP/1.0: 'GET / HTTP/9.9'");
    CHECK(refusal("GET / HTTP/1.1\r\r\n").starts_with("its version is not HTTP/1.1"));
    CHECK(refusal(field("no colon")) == "a header line has no colon: 'no colon'");
    CHECK(refusal(field(": x")) == "a header has no name: ': x'");
    CHECK(refusal(field("A : x")) == "a header has a blank before its colon: 'A : x'");
    CHECK(refusal(field("A\xff: x")) == "a header's name has a character that no name has: 'A\\xff: x'");
    CHECK(refusal(field(std::string("A: \0", 4))) == "a header's value has a NUL: 'A: \\x00'");
    CHECK(refusal(field("A: x\ry")) == "a header's value has a carriage return without a line feed: 'A: x\\x0dy'");
    CHECK(refusal(field(" folded")) == "a header line begins with a blank, and no header is before it: ' folded'");
    CHECK(refusal(field("Content-Length: +1")) == "its Content-Length is '+1', which is not a number of bytes");
    CHECK(refusal(field("Content-Length:")) == "its Content-Length is '', which is not a number of bytes");
    CHECK(refusal(field("Content-Length: 1\r\nContent-Length: 2")) ==
          "its Content-Length is '1, 2', which are different lengths");
    CHECK(refusal(field("Content-Length: 18446744073709551616")) ==
          "its Content-Length is '18446744073709551616', which is too large");
    CHECK(refusal(field("Transfer-Encoding: gzip")) ==
          "its Transfer-Encoding is 'gzip', of which chimera-sim can undo a single 'chunked' only");
    CHECK(refusal(field("Transfer-Encoding: chunked\r\nContent-Length: 1")) ==
          "it has both a Content-Length and a Transfer-Encoding");
}

TEST_CASE("malformed chunks are refused with a reason") {
    const auto refused = [](const std::string& body) { return refusal(chunked_head + body); };
    CHECK(refused("ZZ\r\n") == "a chunk begins with 'Z', not with its size in hexadecimal");
    CHECK(refused("\r\n") == "a chunk begins with '\\x0d', not with its size in hexadecimal");
    CHECK(refused("-1\r\n") == "a chunk begins with '-', not with its size in hexadecimal");
    CHECK(refused("5x\r\n") == "a chunk's size is followed by 'x', not by an extension or the line's end (CRLF)");
    CHECK(refused("5\nhello") == "a chunk's size is followed by '\\x0a', not by an extension or the line's end (CRLF)");
    CHECK(refused("5;\x01\r\n") ==
          "a chunk's size is followed by '\\x01', not by an extension or the line's end (CRLF)");
    CHECK(refused("5\r\nhello!\r\n") ==
          "a chunk is followed by '!', not by the line's end (CRLF): it is longer than its size says");
    CHECK(refused("00000000000000000\r\n") == "a chunk's size has more than 16 digits");
    CHECK(refused("0\r\nno colon\r\n\r\n") == "a header line has no colon: 'no colon'");
    CHECK(refused("FFFFFFFFFFFFFFFF\r\n") == "413 request body is too large");
    CHECK(answers_to(get + chunked_head + "ZZ") == "GET /api/tags keeps [] ''\n400 malformed HTTP request: a chunk "
                                                   "begins with 'Z', not with its size in hexadecimal");
}

TEST_CASE("oversized requests are refused with their status") {
    const std::string head = "GET / HTTP/1.1\r\nA: ", end = "\r\n\r\n";
    const auto room = http_header_limit - head.size() - end.size();
    CHECK(status_of_large(head + std::string(room, 'a') + end) == 0);
    CHECK(status_of_large(head + std::string(room + 1, 'a') + end) == 431);
    CHECK(status_of_large(std::string(http_header_limit, 'A')) == 0);
    CHECK(status_of_large(std::string(http_header_limit + 1, 'A')) == 431);
    CHECK(status_of_large("POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n") == 413);
    CHECK(status_of_large("POST / HTTP/1.1\r\nContent-Length: 67108865\r\n\r\n") == 413);
    CHECK(status_of_large("POST / HTTP/1.1\r\nContent-Length: 67108864\r\n\r\n") == 0);

    CHECK(status_of_large(chunked_head + "4000001\r\n") == 413);
    CHECK(status_of_large(chunked_head + "4000000\r\n" + std::string(http_body_limit, 'x') + "\r\n1\r\nx") == 413);
    CHECK(status_of_large(chunked_head + "4000000\r\n" + std::string(http_body_limit, 'x') + "\r\n0\r\n\r\n") == 0);
    CHECK(status_of_large(chunked_head + "1;" + std::string(http_header_limit - 2, 'x')) == 0);
    CHECK(status_of_large(chunked_head + "1;" + std::string(http_header_limit - 1, 'x')) == 431);
    CHECK(status_of_large(chunked_head + "0\r\nA: " + std::string(http_header_limit - 3, 'x')) == 0);
    CHECK(status_of_large(chunked_head + "0\r\nA: " + std::string(http_header_limit - 2, 'x')) == 431);
}
