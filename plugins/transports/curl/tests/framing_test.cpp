// Where a response ends, and what curl by itself would take for one: every response whole, in single bytes and in
// random cuts.
#include <random>

#include "leak_check.hpp"

using namespace curl_test;

namespace {

enum class cut { none, bytes, random };

/// Sends the bytes in pieces that the client receives one by one, as far as the scheduler allows.
void send_cut(peer& p, std::string_view bytes, cut how, std::minstd_rand& dice) {
    while (!bytes.empty()) {
        const std::size_t n = how == cut::none    ? bytes.size()
                              : how == cut::bytes ? 1
                                                  : std::uniform_int_distribution<std::size_t>(1, bytes.size())(dice);
        if (!p.send(bytes.substr(0, n))) return;
        bytes.remove_prefix(n);
        if (!bytes.empty()) std::this_thread::sleep_for(std::chrono::microseconds(60));
    }
}

/// What an exchange came to, except for its timing.
struct outcome {
    chm_rc rc = CHM_END;
    std::string error;
    int status = 0;
    std::map<std::string, std::string> headers;
    std::string body;
    bool kept = false; ///< the next request went over the same connection

    bool operator==(const outcome&) const = default;
};

/// The outcome of a response that comes in one way. The server closes behind it when `closes`.
outcome outcome_of(std::string_view response, const char* method, bool closes, cut how, unsigned seed) {
    leak_check leaks;
    std::minstd_rand dice(seed);
    one_by_one_server server([&](peer& p) {
        if (p.request_text().empty()) return;
        send_cut(p, p.number() == 0 ? response : "HTTP/1.1 204 No Content\r\n\r\n", how, dice);
        if (closes) return;
        if (!p.request_text().empty()) p.send("HTTP/1.1 204 No Content\r\n\r\n");
        p.client_gone(5000);
    });
    turned_reactor r;
    transport t({{"idle_timeout_ms", "300"}});
    session s(r, t, server.url());
    outcome o;
    {
        exchange x = s.start({method, "/"});
        try {
            o.status = x.head();
            for (std::string_view piece = x.piece(); !piece.empty(); piece = x.piece()) o.body += piece;
        } catch (const error& e) {
            o.rc = e.code();
            o.error = e.what();
            o.error.erase(0, o.error.find(": ") + 2); // the URL has a port that changes
        }
        o.headers = x.headers;
    }
    CHECK(r.wakers() == 0);
    exchange again = s.start({"GET", "/"});
    CHECK(again.head() == 204);
    o.kept = again.timing().reused == 1;
    return o;
}

/// The outcome of a response, which must be the same however it is cut.
outcome answer(std::string_view response, const char* method = "POST", bool closes = false) {
    CAPTURE(response);
    const outcome whole = outcome_of(response, method, closes, cut::none, 0);
    for (const auto& [how, seed] : {std::pair{cut::bytes, 0U}, {cut::random, 1U}, {cut::random, 2U}}) {
        const outcome o = outcome_of(response, method, closes, how, seed);
        CAPTURE(static_cast<int>(how));
        CAPTURE(o.error);
        CAPTURE(whole.error);
        CHECK(o == whole);
    }
    return whole;
}

std::string with(const std::string& fields, const std::string& body = "hello") {
    return "HTTP/1.1 200 OK\r\n" + fields + "\r\n" + body;
}

void refused(const std::string& response, const std::string& why) {
    const outcome o = answer(response);
    CAPTURE(response);
    CAPTURE(o.error);
    CHECK(o.rc == CHM_E_PROTO);
    CHECK(o.error.find(why) != std::string::npos);
    CHECK(o.body == "");
    CHECK_FALSE(o.kept);
}

/// Sent whole: curl may read bytes that came after the plugin's look ahead, and lose a NUL among them. Cut responses
/// are cases of tests/http_framing, where nothing comes in between.
void nul_is_refused(const std::string& response, const std::string& why) {
    const outcome o = outcome_of(response, "POST", false, cut::none, 0);
    CAPTURE(response);
    CAPTURE(o.error);
    CHECK(o.rc == CHM_E_PROTO);
    CHECK(o.error.find(why) != std::string::npos);
    CHECK_FALSE(o.kept);
}

void taken(const std::string& response, const std::string& body, bool kept) {
    const outcome o = answer(response);
    CAPTURE(response);
    CAPTURE(o.error);
    CHECK(o.rc == CHM_END);
    CHECK(o.status == 200);
    CHECK(o.body == body);
    CHECK(o.kept == kept);
}

const std::string te = "Transfer-Encoding: chunked\r\n";
const std::string in_chunks = "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n";

} // namespace

TEST_CASE("a Content-Length that is not one number of bytes is refused with its value") {
    refused(with("Content-Length: 5\r\nContent-Length: 6\r\n"), "its Content-Length is '5, 6', which are different");
    refused(with("Content-Length: 5, 6\r\n"), "'5, 6', which are different lengths");
    refused(with("Content-Length: +122\r\n"), "'+122', which is not a number of bytes");
    refused(with("Content-Length: 0x10\r\n"), "'0x10', which is not a number of bytes");
    refused(with("Content-Length: 122abc\r\n"), "'122abc', which is not a number of bytes");
    refused(with("Content-Length: 5 5\r\n"), "'5 5', which is not a number of bytes");
    refused(with("Content-Length: 5\r\n 6\r\n"), "'5 6', which is not a number of bytes");
    refused(with("Content-Length: 5,\r\n"), "which is not a number of bytes");
    refused(with("Content-Length: 18446744073709551616\r\n"), "'18446744073709551616', which is too large");
    refused(with("Content-Length: 18446744073709551621\r\n"), "which is too large"); // 2^64 + 5
    refused(with("Content-Length: 9223372036854775808\r\n"), "which is too large");
    // These curl refuses by itself, without showing them.
    for (const std::string value : {"", "-5", "many", ",5"})
        refused(with("Content-Length: " + value + "\r\n"), "its Content-Length does not begin with a digit");
    refused(with("Content-Length:\r\n 5\r\n"), "its Content-Length does not begin with a digit"); // it does not unfold
}

TEST_CASE("a Content-Length that is said twice is one") {
    taken(with("Content-Length: 5\r\nContent-Length: 5\r\n"), "hello", true);
    taken(with("Content-Length: 5, 5\r\n"), "hello", true);
    taken(with("Content-Length: 5\r\ncontent-length: 05 , 5\r\n"), "hello", true);
}

TEST_CASE("a Content-Length near 2^63 is a number: what came is delivered, then CLOSED") {
    const outcome o = answer(with("Content-Length: 9223372036854775807\r\n"), "POST", true);
    CHECK(o.rc == CHM_E_CLOSED);
    CHECK(o.body == "hello");
}

TEST_CASE("a line that is not a field is refused") {
    refused(with("Content-Length : 5\r\n"), "a header has a blank before its colon: 'Content-Length : 5'");
    refused(with("X\t: 5\r\n"), "a header has a blank before its colon: 'X\\x09: 5'");
    refused(with(": 5\r\n"), "a header has no name: ': 5'");
    refused(with("A B: 5\r\n"), "a header's name has a character that no name has");
    refused(with("A(: 5\r\n"), "a header's name has a character that no name has");
    refused(with("A\x01: 5\r\n"), "a header's name has a character that no name has: 'A\\x01: 5'");
    refused(with("A: b\x01\r\n"), "a header's value has a control character: 'A: b\\x01'");
    refused(with("A: b\x7f\r\n"), "a header's value has a control character");
    refused(with("A: b\rc\r\n"), "a header's value has a carriage return without a line feed: 'A: b\\x0dc'");
    refused(with("A: b\r\r\n"), "a header's value has a carriage return without a line feed");
    refused(with("A: b\r\n\rC: d\r\n"), "a header's name has a character that no name has: '\\x0dC: d'");
    refused(with("A: b\r\n c\x02\r\n"), "a header line has a control character");
    // curl's own refusals.
    refused(with(std::string("A: b\0c\r\n", 8)), "a header line has a NUL");
    refused(with(std::string("A\0: b\r\n", 7)), "a header line has a NUL");
    refused(with("nonsense\r\n"), "a header line has no colon");
    refused(with(" A: b\r\n"), "a header line begins with a blank and no header is before it");
    refused(with("A\rB: c\r\n"), "or has a carriage return in its name");
}

TEST_CASE("a status line is HTTP/1.x, a blank and three digits") {
    taken("HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello", "hello", true);
    taken("HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhello", "hello", true);
    taken("HTTP/1.1 200 \xc3\xa4\tb\r\nContent-Length: 5\r\n\r\nhello", "hello", true);
    taken("HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", "hello", true);
    refused("HTTP/2 200\r\nContent-Length: 5\r\n\r\nhello", "the version in its status line is not 1.x: 'HTTP/2 200'");
    refused("HTTP/2.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", "the version in its status line is not 1.x");
    refused("http/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "the version in its status line is not 1.x");
    refused("HTTP/1.1  200 OK\r\n\r\n", "is not a number of three digits");
    refused("HTTP/1.1 200OK\r\n\r\n", "is not a number of three digits from 100 on: 'HTTP/1.1 200OK'");
    refused("HTTP/1.1 200 O\x01K\r\n\r\n", "its status line has a control character");
    refused("HTTP/1.1 200 OK\r\r\n\r\n", "its status line has a carriage return without a line feed");
    // curl's own refusals.
    // curl's own refusals.
    for (const std::string status : {"099", "2000", "-20", "20", "2 00"})
        refused("HTTP/1.1 " + status + " OK\r\n\r\n",
                "the status in its status line is not a number of three digits from 100 on");
    for (const char* line : {"HTTP/1.1", "HTTP/1.1\t200 OK", "HTTP/1.2 200 OK"})
        refused(line + std::string("\r\n\r\n"), "the version in its status line is not 1.0 or 1.1");
    for (const char* line : {"ICY 200 OK", "HTTP 200 OK", "\r\nHTTP/1.1 200 OK", "\x15\x03\x03"})
        refused(line + std::string("\r\n\r\n"), "it does not begin with 'HTTP/'");
}

TEST_CASE("a NUL where a line begins is a fault, though curl would lose what is behind it") {
    nul_is_refused(with(std::string("A: b\r\n\0C: d\r\nContent-Length: 5\r\n", 32)), "a header line has a NUL");
    nul_is_refused(with(std::string("\0A: b\r\n", 8)), "a header line has a NUL");
    nul_is_refused(with(std::string("A: b\r\n\0\r\n", 9)), "a header line has a NUL");
    nul_is_refused("HTTP/1.1 100 Continue\r\n\r\n" + std::string(1, '\0') + with("Content-Length: 5\r\n"), "");
    nul_is_refused(with("nonsense\r\n" + std::string("\0A: b\r\n", 8)), "a header line has no colon");
    nul_is_refused(with(std::string("\0A: b\r\nnonsense\r\n", 18)), "a header line has a NUL");
    taken(with("Content-Length: 5\r\n", std::string("\0\n\0ab", 5)), std::string("\0\n\0ab", 5), true);
}

TEST_CASE("a line without an end is not waited for: LIMIT") {
    for (const std::string& begun : {std::string("HTTP/1.1 200 "), with("A: ", "")}) {
        const outcome o = outcome_of(begun + std::string(70000, 'z'), "POST", false, cut::random, 3);
        CHECK(o.rc == CHM_E_LIMIT);
        CHECK(o.error == "receiving the head: the head is larger than 64 KiB");
    }
}

TEST_CASE("a transfer coding other than chunked is refused by its name") {
    for (const char* codings : {"gzip", "gzip, chunked", "chunked, gzip", "chunked;a=b", "chunked, chunked", "br", "x",
                                "\"chunked\"", "chunked chunked", "", ","})
        refused(with("Transfer-Encoding: " + std::string(codings) + "\r\n", in_chunks),
                "its Transfer-Encoding is '" + std::string(codings) + "'");
    refused(with(te + te, in_chunks), "its Transfer-Encoding is 'chunked, chunked'");
    refused(with("Transfer-Encoding: chun\r\n ked\r\n", in_chunks), "its Transfer-Encoding is 'chun ked'");
}

TEST_CASE("chunked in any spelling, also beside identity") {
    taken(with(te, in_chunks), "hello", true);
    taken(with("transfer-ENCODING:\tChunked \r\n", in_chunks), "hello", true);
    taken(with("Transfer-Encoding: , chunked ,\r\n", in_chunks), "hello", true);
    taken(with("Transfer-Encoding: identity\r\n" + te, in_chunks), "hello", false); // curl decides after the first line
    taken(with("Transfer-Encoding: chunked\r\n , identity\r\n", in_chunks), "hello", true);
}

TEST_CASE("a folded Transfer-Encoding counts, though curl does not see it; the connection is not used again") {
    taken(with("Transfer-Encoding:\r\n chunked\r\n", in_chunks), "hello", false);
    taken(with("Transfer-Encoding: identity,\r\n\tchunked\r\n", in_chunks), "hello", false);
    taken(with("Content-Length: 3\r\nTransfer-Encoding: \r\n\tchunked\r\n", in_chunks), "hello", false);
    CHECK(answer(with("Transfer-Encoding:\r\n chunked\r\n", "5\r\nhello\r\n"), "POST", true).rc == CHM_E_CLOSED);
}

TEST_CASE("a folded line is joined to the one before it by a blank") {
    const outcome o = answer(with("A: b\r\n  c \r\n\t\r\nD:\r\n e\r\nContent-Length: 5\r\n"));
    CHECK(o.rc == CHM_END);
    CHECK(o.headers.at("A") == "b c");
    CHECK(o.headers.at("D") == "e");
    CHECK(o.body == "hello");
}

TEST_CASE("chunked wins over a Content-Length, and the connection is not used again") {
    for (const std::string length : {"3", "5", "99", "0", "122abc", "9, 8", "18446744073709551616"}) {
        taken(with("Content-Length: " + length + "\r\n" + te, in_chunks), "hello", false);
        taken(with(te + "Content-Length: " + length + "\r\n", in_chunks), "hello", false);
    }
    taken("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + te + "\r\n" + in_chunks, "hello", false);
}

TEST_CASE("identity says nothing: the Content-Length beside it counts, in both orders") {
    const std::string identity = "Transfer-Encoding: identity\r\n";
    taken(with("Content-Length: 5\r\n" + identity), "hello", false); // curl would wait for the connection's end
    taken(with(identity + "Content-Length: 5\r\n"), "hello", false);
    taken(with(identity + "Content-Length: 0\r\n", ""), "", false);
    taken(with(identity + "Content-Length: 5\r\n", "hello, and more"), "hello", false);
    const outcome open_end = answer(with(identity), "POST", true);
    CHECK(open_end.rc == CHM_END);
    CHECK(open_end.body == "hello");
    const outcome early = answer(with(identity + "Content-Length: 9\r\n"), "POST", true);
    CHECK(early.rc == CHM_E_CLOSED);
    CHECK(early.body == "hello");
}

TEST_CASE("responses without a body have none, whatever they say and whatever follows") {
    for (const char* fields : {"", "Content-Length: 7\r\n", "Transfer-Encoding: chunked\r\n",
                               "Transfer-Encoding: gzip\r\n", "Content-Length: 5, 6\r\n"}) {
        for (const char* status : {"204 No Content", "304 Not Modified"}) {
            const outcome o = answer("HTTP/1.1 " + std::string(status) + "\r\n" + fields + "\r\n");
            CHECK(o.rc == CHM_END);
            CHECK(o.body == "");
            CHECK(o.kept);
        }
        const outcome head = answer(with(fields, ""), "HEAD");
        CHECK(head.rc == CHM_END);
        CHECK(head.body == "");
    }
}

TEST_CASE("bytes behind a response are nobody's") {
    // Cut otherwise they may come when the next request is on its way.
    const auto behind = [](const std::string& response, const char* method = "POST") {
        const outcome o = outcome_of(response, method, false, cut::none, 0);
        CHECK(o.rc == CHM_END);
        CHECK_FALSE(o.kept);
        return o.body;
    };
    CHECK(behind("HTTP/1.1 204 No Content\r\n\r\nhello") == "");
    CHECK(behind("HTTP/1.1 304 Not Modified\r\n\r\nhello") == "");
    CHECK(behind(with("Content-Length: 0\r\n")) == "");
    CHECK(behind(with("Content-Length: 5\r\n"), "HEAD") == "");
    CHECK(behind(with("Content-Length: 5\r\n", "hello, and more")) == "hello");
    CHECK(behind(with(te, in_chunks + "and more")) == "hello");
}

TEST_CASE("interim heads are passed over, with fields that would be refused in a final one") {
    taken("HTTP/1.1 100 Continue\r\nContent-Length: 7, 8\r\nTransfer-Encoding: gzip\r\n\r\nHTTP/1.1 103 Early "
          "Hints\r\n\r\n" +
              with("Content-Length: 5\r\n"),
          "hello", true);
    refused("HTTP/1.1 100 Continue\r\nA : b\r\n\r\n" + with("Content-Length: 5\r\n"), "a blank before its colon");
    refused("HTTP/1.1 101 Switching Protocols\r\n\r\n", "switched protocols");
    refused("HTTP/1.1 100 Continue\r\n\r\nhello\r\n", "it does not begin with 'HTTP/'");
}

TEST_CASE("chunk framing is read strictly") {
    taken(with(te, "5 ; a=\"b;c\" ; d\r\nhello\r\n000\r\n\r\n"), "hello", true);
    taken(with(te, "00000005\r\nhello\r\n0;x\r\nContent-Length: 7\r\nTransfer-Encoding: gzip\r\nA: b\r\n c\r\n\r\n"),
          "hello", true);
    taken(with(te, "0\r\n\r\n"), "", true);
    const auto broken = [](const std::string& chunks, const std::string& why, chm_rc code = CHM_E_PROTO) {
        const outcome o = answer(with(te, "2\r\nhe\r\n" + chunks));
        CAPTURE(chunks);
        CAPTURE(o.error);
        CHECK(o.rc == code);
        CHECK(o.body.starts_with("he")); // what came before the fault is delivered
        CHECK(o.error.find(why) != std::string::npos);
    };
    broken("g\r\n", "a chunk begins with 'g', not with its size in hexadecimal");
    broken("\r\n", "a chunk begins with '\\x0d'");
    broken("-3\r\nllo\r\n", "a chunk begins with '-'");
    broken("0x3\r\nllo\r\n", "a chunk's size is followed by 'x'");
    broken("3g\r\nllo\r\n", "a chunk's size is followed by 'g'");
    broken("3 3\r\nllo\r\n", "a chunk's size is followed by '3'");
    broken("3\nllo\r\n", "a chunk's size is followed by '\\x0a'");
    broken("3;a\rb\r\nllo\r\n", "a chunk's size is followed by 'b'");
    broken(std::string("3;a\0\r\nllo\r\n", 11), "a chunk's size is followed by '\\x00'");
    broken("3\r\nllo\n0\r\n\r\n", "a chunk is followed by '\\x0a'");
    broken("3\r\nlloo\r\n0\r\n\r\n", "a chunk is followed by 'o'");
    broken("00000000000000003\r\nllo\r\n", "more than 16 digits");
    broken("ffffffffffffffff\r\n", "more bytes than curl can count", CHM_E_LIMIT);
    broken("8000000000000000\r\n", "more bytes than curl can count", CHM_E_LIMIT);
    broken("3;" + std::string(66000, 'x'), "64 KiB of chunk framing", CHM_E_LIMIT);
    broken("0\r\nA : b\r\n\r\n", "a header has a blank before its colon");
    broken("0\r\nA: b\rC: d\r\n\r\n", "a trailer has a carriage return without a line feed: 'A: b\\x0dC'");
    broken("0\r\n\rA: b\r\n\r\n", "a trailer has a carriage return without a line feed: '\\x0dA'");
    broken("0\r\nnonsense\r\n\r\n", "a header line has no colon");
    broken("0\r\n A: b\r\n\r\n", "no header is before it");
    broken("0\r\nA: " + std::string(5000, 'x') + "\r\n\r\n", "a trailer of more than 4000 bytes", CHM_E_LIMIT);
}

TEST_CASE("what one response left behind in curl does not touch the next") {
    leak_check leaks;
    std::string bad, why;
    SUBCASE("a folded line that begins a head, behind a response with headers") {
        // libcurl would append it to the last header of the response before, which it has freed.
        bad = "HTTP/1.1 200 OK\r\n folded: " + std::string(500, 'x') + "\r\n\r\n";
        why = "no header is before it";
    }
    SUBCASE("a head that failed within a line") {
        // libcurl would put it before the next response.
        bad = "HTTf/1.0 200 OK\r\n\r\n";
        why = "it does not begin with 'HTTP/'";
    }
    const std::string good = "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 5\r\n\r\nhello";
    std::atomic<int> requests{0};
    one_by_one_server server([&](peer& p) {
        while (!p.request_text().empty()) p.send(++requests % 2 ? good : bad);
    });
    turned_reactor r;
    transport t;
    session s(r, t, server.url());
    for (int i = 0; i < 4; ++i) {
        {
            exchange x = s.start({});
            CHECK(x.head() == 200);
            CHECK(x.headers.size() == 2);
            CHECK(x.rest() == "hello");
            CHECK(x.timing().retries == 0);
        }
        exchange x = s.start({});
        const error e = failure_of([&] { x.head(); });
        CHECK(e.code() == CHM_E_PROTO);
        CHECK(std::string_view(e.what()).find(why) != std::string_view::npos);
        CHECK(x.timing().reused == 1);
    }
}

TEST_CASE("bytes that come behind a response late are nobody's, also when the exchange after it fails") {
    leak_check leaks;
    std::atomic<int> late{0};
    one_by_one_server server([&](peer& p) {
        if (p.request_text().empty()) return;
        p.send(p.number() == 1 ? "nonsense" : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        if (p.number() > 0) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        p.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstale");
        ++late;
    });
    turned_reactor r;
    transport t;
    session s(r, t, server.url());
    {
        exchange x = s.start({});
        x.head();
        CHECK(x.rest() == "ok");
    }
    while (!late) std::this_thread::yield();
    CHECK(failure_of([&] { s.start({}).head(); }).code() == CHM_E_PROTO); // on a connection of its own, which is closed
    exchange x = s.start({});
    x.head();
    CHECK(x.rest() == "ok"); // not "stale", which still waits in the first connection
    CHECK(x.timing().reused == 0);
    CHECK(server.connections() == 3);
}
