// Responses that are refused. One fault has one error, with one text, however its bytes were cut on their way.
#include <doctest/doctest.h>

#include "client.hpp"
#include "parsed.hpp"

using namespace chimera::socket::test;

namespace {

const std::string ok = "HTTP/1.1 200 OK\r\n";
const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
const std::string not_http = "the server's response is not HTTP/1.1: ";

struct faulty {
    std::string bytes; ///< then the server closes
    chm_rc rc;
    std::string message;
    std::string body = {}; ///< comes before the fault
};

const std::vector<faulty>& catalogue() {
    const auto line = [](const char* bytes, const char* why) {
        return faulty{std::string(bytes) + "\r\nContent-Length: 2\r\n\r\nok", CHM_E_PROTO, not_http + why};
    };
    const auto field = [](std::string_view bytes, const std::string& why) {
        return faulty{ok + std::string(bytes) + "\r\n\r\nhello", CHM_E_PROTO, not_http + why};
    };
    const auto length = [&](const std::string& value, const std::string& why) {
        return field("Content-Length: " + value, "its Content-Length is '" + value + "', " + why);
    };
    const auto coding = [&](const std::string& value) {
        return field("Transfer-Encoding: " + value, "its Transfer-Encoding is '" + value +
                                                        "', of which this transport can undo a single 'chunked' only");
    };
    const auto chunk = [](const std::string& bytes, const std::string& why, const std::string& body = {}) {
        return faulty{chunked + bytes, CHM_E_PROTO, not_http + why, body};
    };
    const std::string early = "the server closed the connection before the end of the response";
    const std::string no_number = "which is not a number of bytes";
    const std::string no_status = "the status in its status line is not a number of three digits from 100 on: ";
    static const std::vector<faulty> all{
        line("HTTP/2.0 200 OK", "the version in its status line is not 1.x: it begins with 'HTTP/2.0 200 OK'"),
        line("HTTP/0.9 200 OK", "the version in its status line is not 1.x: it begins with 'HTTP/0.9 200 OK'"),
        line("HTTP/1.10 200 OK", "the version in its status line is not 1.x: 'HTTP/1.10 200 OK'"),
        line("HTTP/1.x 200 OK", "the version in its status line is not 1.x: 'HTTP/1.x 200 OK'"),
        line("ICY 200 OK", "it begins with 'ICY 200 OK', not with a status line"),
        line("http/1.1 200 OK", "it begins with 'http/1.1 200 OK', not with a status line"),
        line(" HTTP/1.1 200 OK", "it begins with ' HTTP/1.1 200 OK', not with a status line"),
        line("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7",
             "it begins with 'SSH-2.0-OpenSSH_9.2p1 De', not with a status line"),
        line("HTTP/1.1", (no_status + "'HTTP/1.1'").c_str()),
        line("HTTP/1.1  200 OK", (no_status + "'HTTP/1.1  200 OK'").c_str()),
        line("HTTP/1.1 099 No", (no_status + "'HTTP/1.1 099 No'").c_str()),
        line("HTTP/1.1 20", (no_status + "'HTTP/1.1 20'").c_str()),
        line("HTTP/1.1 2000 OK", (no_status + "'HTTP/1.1 2000 OK'").c_str()),
        line("HTTP/1.1 2x0 OK", (no_status + "'HTTP/1.1 2x0 OK'").c_str()),
        line("HTTP/1.1 200\tOK", (no_status + "'HTTP/1.1 200\\x09OK'").c_str()),
        line("HTTP/1.1 200 O\x01K", "its status line has a control character: 'HTTP/1.1 200 O\\x01K'"),
        line("HTTP/1.1 200 O\rK", "its status line has a carriage return without a line feed: 'HTTP/1.1 200 O\\x0dK'"),
        line("HTTP/1.1 101 Switching Protocols", "the server switched protocols without being asked (status 101)"),
        {"{\"error\":\"no head at all, as an old server sends it\"}", CHM_E_PROTO,
         not_http + "it begins with '{\"error\":\"no head at all', not with a status line"},
        {"\x15\x03\x01\x01\x02\x02\x46", CHM_E_PROTO,
         not_http + "it begins with '\\x15\\x03\\x01\\x01\\x02\\x02F', not with a status line"},

        field(" A: b", "a header line begins with a blank, and no header is before it: ' A: b'"),
        field("No colon here", "a header line has no colon: 'No colon here'"),
        field(": b", "a header has no name: ': b'"),
        field("Content-Length : 5", "a header has a blank before its colon: 'Content-Length : 5'"),
        field("A\t: b", "a header has a blank before its colon: 'A\\x09: b'"),
        field("A b: c", "a header's name has a character that no name has: 'A b: c'"),
        field("A\x7f: b", "a header's name has a character that no name has: 'A\\x7f: b'"),
        field(std::string_view("A\0: b", 5), "a header's name has a character that no name has: 'A\\x00: b'"),
        field("A: b\rC: d", "a header's value has a carriage return without a line feed: 'A: b\\x0dC: d'"),
        field("A: b\r", "a header's value has a carriage return without a line feed: 'A: b\\x0d'"),
        field(std::string_view("A: b\0", 5), "a header's value has a NUL: 'A: b\\x00'"),
        field("A: \x1b[31m", "a header's value has a control character: 'A: \\x1b[31m'"),
        field("A: b\r\n \x01", "a header line has a control character: ' \\x01'"),

        length("five", no_number),
        length("+122", no_number),
        length("-5", no_number),
        length("0x10", no_number),
        length("122abc", no_number),
        length("1 2", no_number),
        length("", no_number),
        length("5,", no_number),
        length("18446744073709551616", "which is too large"),
        length("5, 6", "which are different lengths"),
        field("Content-Length: 5\r\nContent-Length: 6", "its Content-Length is '5, 6', which are different lengths"),
        field("Content-Length: 5\r\n 5", "its Content-Length is '5 5', which is not a number of bytes"),
        coding("gzip"),
        coding("gzip, chunked"),
        coding("chunked, gzip"),
        coding("chunked;a=b"),
        coding("chunked, chunked"),
        coding("identity, chunked-ish"),
        coding(""),
        field("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\nContent-Length: 5",
              "its Transfer-Encoding is 'gzip, chunked', of which this transport can undo a single 'chunked' only"),

        chunk("xyz\r\nhello", "a chunk begins with 'x', not with its size in hexadecimal"),
        chunk("00000000000000005\r\nhello", "a chunk's size has more than 16 digits"),
        chunk(std::string(300, '0'), "a chunk's size has more than 16 digits"),
        chunk("\r\n", "a chunk begins with '\\x0d', not with its size in hexadecimal"),
        chunk(" 5\r\nhello", "a chunk begins with ' ', not with its size in hexadecimal"),
        chunk("-5\r\nhello", "a chunk begins with '-', not with its size in hexadecimal"),
        chunk("5\nhello", "a chunk's size is followed by '\\x0a', not by an extension or the line's end (CRLF)"),
        chunk("5 5\r\nhello", "a chunk's size is followed by '5', not by an extension or the line's end (CRLF)"),
        chunk("0x5\r\nhello", "a chunk's size is followed by 'x', not by an extension or the line's end (CRLF)"),
        chunk("5\rhello", "a chunk's size is followed by 'h', not by an extension or the line's end (CRLF)"),
        chunk("5;a\nhello", "a chunk's size is followed by '\\x0a', not by an extension or the line's end (CRLF)"),
        chunk("5\r\nhelloworld",
              "a chunk is followed by 'w', not by the line's end (CRLF): it is longer than its size says", "hello"),
        chunk("5\r\nhello\n0\r\n\r\n",
              "a chunk is followed by '\\x0a', not by the line's end (CRLF): it is longer than its size says", "hello"),
        chunk("5\r\nhello\r0\r\n\r\n",
              "a chunk is followed by '0', not by the line's end (CRLF): it is longer than its size says", "hello"),
        chunk("5\r\nhello\r\nrest", "a chunk begins with 'r', not with its size in hexadecimal", "hello"),
        chunk("5\r\nhello\r\n0\r\nT u\r\n\r\n", "a header line has no colon: 'T u'", "hello"),
        chunk("5\r\nhello\r\n0\r\n T: u\r\n\r\n",
              "a header line begins with a blank, and no header is before it: ' T: u'", "hello"),
        chunk("0\r\nT: u\rv\r\n\r\n", "a header's value has a carriage return without a line feed: 'T: u\\x0dv'"),

        {"HTTP/1", CHM_E_CLOSED, early},
        {"\r\n\r", CHM_E_CLOSED, early},
        {ok + "Content-Le", CHM_E_CLOSED, early},
        {ok + "Content-Length: 5\r\n\r\nhell", CHM_E_CLOSED, early, "hell"},
        {chunked + "5\r\nhel", CHM_E_CLOSED, early, "hel"},
        {chunked + "5\r\nhello\r\n0\r\n", CHM_E_CLOSED, early, "hello"},
        {chunked + "5\r\nhello\r\n0\r\nT: ", CHM_E_CLOSED, early, "hello"},

        {chunked + "5\r\nhello\r\n1000001\r\n", CHM_E_LIMIT,
         "the server declared a chunk of more than 16777216 bytes (max_chunk_bytes)", "hello"},
        {chunked + "ffffffffffffffffffffg", CHM_E_LIMIT,
         "the server declared a chunk of more than 16777216 bytes (max_chunk_bytes)"},
    };
    return all;
}

} // namespace

TEST_CASE("a fault has one error and one text, whole and cut in every way") {
    for (const faulty& f : catalogue()) {
        CAPTURE(f.bytes);
        const parsed r = parse_every_way(f.bytes, {.then_closed = true});
        CHECK(r.rc == f.rc);
        CHECK(r.error == f.message);
        CHECK(r.body == f.body);
    }
}

TEST_CASE("a limit that is passed has one error and one text, whole and cut in every way") {
    const parse_options how{.limits = {256, 64}, .then_closed = true};
    const std::string header = "the server sent more than 256 bytes of header or chunk framing (max_header_bytes)";
    std::string interim;
    while (interim.size() <= 256) interim += "HTTP/1.1 100 Continue\r\n\r\n";
    for (const std::string& bytes :
         {ok + "Content-Length: 0\r\nX: " + std::string(256 - 42, 'y') + "\r\n\r\n", ok + "X: " + std::string(300, 'y'),
          "HTTP/1.1 " + std::string(300, '2'), interim, std::string(300, '\n'),
          chunked + "5;" + std::string(255, 'e') + "\r\n", chunked + "0\r\nT: " + std::string(254, 't'),
          chunked + "0\r\nT: " + std::string(250, 't') + "\r\n\r\n"}) {
        const parsed r = parse_every_way(bytes, how);
        CAPTURE(bytes);
        CHECK(r.rc == CHM_E_LIMIT);
        CHECK(r.error == header);
    }
    // A limit that is passed later than the fault is seen does not hide it.
    CHECK(parse_every_way(std::string(300, 'x') + "\r\n", how).rc == CHM_E_PROTO);
    CHECK(
        parse_every_way("HTTP/1.1 100 C\r\nA: " + std::string(227, 'a') + "\r\n\r\n" + std::string(30, 'x'), how).rc ==
        CHM_E_LIMIT);
    CHECK(parse_every_way(chunked + "41\r\n", how).error ==
          "the server declared a chunk of more than 64 bytes (max_chunk_bytes)");
}

TEST_CASE("through a socket a fault has one error and one text as well, whole and in single bytes") {
    // Odd connections get single bytes.
    for (const std::string_view delivery : {"immediate", "fill"}) {
        const faulty* now = nullptr;
        one_by_one_server server([&](peer& p) {
            p.request_text();
            if (p.number() % 2 == 0)
                p.send(now->bytes);
            else
                p.send(now->bytes, 1, 100);
        });
        client c({{"delivery", delivery}});
        REQUIRE(c.open(server.url()) == CHM_OK);
        for (const faulty& f : catalogue()) {
            CAPTURE(f.bytes);
            now = &f;
            const outcome whole = c.fetch({.path = "/x"});
            const outcome bytewise = c.fetch({.path = "/x"});
            CHECK(whole.rc == f.rc);
            CHECK(bytewise.rc == f.rc);
            CHECK(whole.body() == f.body);
            CHECK(bytewise.body() == f.body);
            CHECK(whole.error.starts_with(server.url() + "/x: "));
            CHECK(whole.error.ends_with(f.message));
            CHECK(bytewise.error == whole.error);
        }
    }
}
