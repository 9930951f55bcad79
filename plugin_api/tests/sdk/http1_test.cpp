// The SDK's HTTP/1.1 responses: what their lists of words say of the connection and of the body.
#include "chimera/sdk/http1.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace {

/// A response taken apart.
struct parsed {
    chm_http1 response{};
    std::string body;
    chm_rc rc = CHM_PENDING; ///< of the last call

    explicit parsed(const std::string& text) {
        chm_str in{text.data(), text.size()}, piece{};
        chm_http1_begin(&response, 0);
        do {
            rc = chm_http1_next(&response, &in, &piece);
            if (rc == CHM_READY) body.append(piece.ptr, piece.len);
        } while (rc == CHM_READY);
    }
    std::string_view header(std::size_t i) const {
        return {response.headers[i].value.ptr, response.headers[i].value.len};
    }
};

std::string head(const std::string& fields, int minor = 1) {
    return "HTTP/1." + std::to_string(minor) + " 200 OK\r\n" + fields + "\r\n";
}
bool keeps(const std::string& fields, int minor = 1) {
    return parsed(head(fields + "Content-Length: 0\r\n", minor)).response.keep_alive != 0;
}

constexpr const char* chunks = "3\r\nabc\r\n0\r\n\r\n";

} // namespace

TEST_CASE("an option of the connection is a whole element of the list, whatever its case and the space around it") {
    for (const std::string closes : {"close", "Close", " close\t", "Upgrade, close", "close,Upgrade", ", ,close ,"})
        CHECK_MESSAGE(!keeps("Connection:" + closes + "\r\n"), closes);
    for (const std::string other : {"not-closed", "close-not", "disclose", "clos", "close it", "", ",", "keep-alive"})
        CHECK_MESSAGE(keeps("Connection: " + other + "\r\n"), other);
    for (const std::string stays : {"keep-alive", "Upgrade , Keep-Alive"})
        CHECK_MESSAGE(keeps("Connection: " + stays + "\r\n", 0), stays);
    for (const std::string other : {"keep-alives", "no-keep-alive", "", "keep-alive, close"})
        CHECK_MESSAGE(!keeps("Connection: " + other + "\r\n", 0), other);
}

TEST_CASE("a connection that one of its fields closes is closed, whatever the next one says") {
    CHECK_FALSE(keeps("Connection: close\r\nConnection: keep-alive\r\n"));
    CHECK_FALSE(keeps("Connection: keep-alive\r\nConnection: close\r\n"));
    CHECK(keeps("Connection: Upgrade\r\nConnection: keep-alive\r\n", 0));
}

TEST_CASE("a body is chunked when that is its last coding") {
    for (const std::string coded : {"chunked", "cHuNkEd", " \tchunked ", "gzip, chunked", ", chunked ,,"}) {
        const parsed p(head("Transfer-Encoding:" + coded + "\r\nContent-Length: 99\r\n") + chunks);
        CHECK_MESSAGE(p.rc == CHM_END, coded);
        CHECK(p.body == "abc");
        CHECK(p.response.keep_alive);
    }
    for (const std::string coded : {"xchunked", "chunkedx", "chunked, gzip", "gzip", "x chunked"}) {
        parsed p(head("Transfer-Encoding: " + coded + "\r\nContent-Length: 1\r\n") + chunks);
        CHECK_MESSAGE(p.body == chunks, coded); // up to the end of the connection, whatever the length says
        CHECK(p.rc == CHM_PENDING);
        CHECK(chm_http1_closed(&p.response) == CHM_END);
        CHECK_FALSE(p.response.keep_alive);
    }
    CHECK(parsed(head("Transfer-Encoding: identity\r\nContent-Length: 2\r\n") + "ok").rc == CHM_END);
    CHECK(parsed(head("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n") + chunks).body == "abc");
}

TEST_CASE("a header's value has no white space around it, and keeps what is inside") {
    const parsed p(head("A: \t one, two \t\r\nB:\r\nC: \t\r\nContent-Length:\t2\r\n") + "ok");
    CHECK(p.rc == CHM_END);
    REQUIRE(p.response.n_headers == 4);
    CHECK(p.header(0) == "one, two");
    CHECK(p.header(1) == "");
    CHECK(p.header(2) == "");
    CHECK(p.header(3) == "2");
    CHECK(p.body == "ok");
}
