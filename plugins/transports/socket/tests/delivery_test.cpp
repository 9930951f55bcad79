// The size and the moment of what is handed over.
#include <doctest/doctest.h>

#include <atomic>

#include "chimera/sdk/text.hpp"
#include "client.hpp"

using namespace chimera::socket::test;

namespace {

std::string counted(std::size_t n) {
    std::string s(n, '\0');
    for (std::size_t i = 0; i < n; ++i) s[i] = static_cast<char>('a' + i % 26);
    return s;
}

scripted_server::script whole_body(const std::string& body) {
    return [body](peer& p) {
        while (!p.request_text().empty())
            p.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    };
}

} // namespace

TEST_CASE("no piece is larger than read_size, and full reads give pieces of exactly that") {
    const std::string body = counted(100'000);
    one_by_one_server server(whole_body(body));
    for (const std::size_t read_size : {std::size_t{64}, std::size_t{1000}, std::size_t{1} << 20}) {
        client c({{"read_size", std::to_string(read_size)}});
        REQUIRE(c.open(server.url()) == CHM_OK);
        for (int round = 0; round < 2; ++round) {
            const outcome r = c.fetch();
            CHECK(r.rc == CHM_END);
            CHECK(r.body() == body);
            std::size_t full = 0;
            for (const std::string& piece : r.pieces) {
                CHECK(piece.size() <= read_size);
                full += piece.size() == read_size;
            }
            if (read_size < 10'000) CHECK(full > body.size() / read_size / 2);
        }
    }
}

TEST_CASE("immediate: what was sent apart is handed over apart, without waiting for more") {
    const std::vector<std::string> tokens{"one", "two", "six"};
    std::atomic<std::size_t> seen{0};
    one_by_one_server server([&](peer& p) {
        p.request_text();
        p.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            p.send("3\r\n" + tokens[i] + "\r\n");
            for (int ms = 0; ms < 10'000 && seen == i; ++ms) pause_ms(1);
        }
        p.send("0\r\n\r\n");
    });
    client c;
    REQUIRE(c.open(server.url()) == CHM_OK);
    chm_exchange* x = c.start();
    chm_head head{};
    chm_str view{};
    REQUIRE(c.wait_head(x, head) == CHM_READY);
    for (const std::string& token : tokens) {
        CHECK(c.wait_chunk(x, view) == CHM_READY);
        CHECK(chimera::sdk::view(view) == token);
        ++seen;
    }
    CHECK(c.wait_chunk(x, view) == CHM_END);
    x->vt->close(x);
}

TEST_CASE("fill: pieces of exactly read_size, and the end of the body flushes the rest") {
    const std::string body = counted(2'500);
    for (const std::size_t record : {std::size_t{1}, std::size_t{100}, std::size_t{1000}, std::size_t{1024}}) {
        CAPTURE(record);
        one_by_one_server server([&](peer& p) {
            while (!p.request_text().empty()) {
                std::string bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
                for (std::size_t at = 0; at < body.size(); at += record) {
                    char size[8];
                    const std::string piece = body.substr(at, record);
                    std::snprintf(size, sizeof size, "%zx", piece.size());
                    bytes.append(size).append("\r\n").append(piece).append("\r\n");
                }
                p.send(bytes);
                pause_ms(2);
                p.send("0\r\n\r\n");
            }
        });
        client c({{"delivery", "fill"}});
        REQUIRE(c.open(server.url()) == CHM_OK);
        for (std::uint32_t round = 0; round < 2; ++round) {
            const outcome r = c.fetch();
            CHECK(r.rc == CHM_END);
            CHECK(r.timing.reused == round);
            REQUIRE(r.pieces.size() == 3);
            CHECK(r.pieces[0].size() == 1024);
            CHECK(r.pieces[1].size() == 1024);
            CHECK(r.pieces[2].size() == 452);
            CHECK(r.body() == body);
        }
    }
}

TEST_CASE("fill: a body of a multiple of read_size ends without an empty piece") {
    for (const std::size_t size : {std::size_t{128}, std::size_t{64}, std::size_t{0}}) {
        one_by_one_server server(whole_body(counted(size)));
        client c({{"delivery", "fill"}, {"read_size", "64"}});
        const outcome r = c.fetch_from(server.url());
        CHECK(r.rc == CHM_END);
        CHECK(r.pieces.size() == size / 64);
        CHECK(r.body() == counted(size));
    }
}

TEST_CASE("fill: nothing is handed over before read_size bytes are there") {
    one_by_one_server server([](peer& p) {
        p.request_text();
        p.send("HTTP/1.1 200 OK\r\nContent-Length: 80\r\n\r\n" + counted(63));
        p.rest();
    });
    client c({{"delivery", "fill"}, {"read_size", "64"}});
    REQUIRE(c.open(server.url()) == CHM_OK);
    chm_exchange* x = c.start();
    chm_head head{};
    chm_str view{};
    REQUIRE(c.wait_head(x, head) == CHM_READY);
    for (int i = 0; i < 10; ++i) {
        c.turn_for(3);
        CHECK(c.poll_chunk(x, view) == CHM_PENDING);
    }
    x->vt->close(x);
}

TEST_CASE("fill: what came before a failure is handed over before the failure is told") {
    one_by_one_server server([](peer& p) {
        p.request_text();
        p.send("HTTP/1.1 200 OK\r\nContent-Length: 80\r\n\r\n" + counted(63));
    });
    client c({{"delivery", "fill"}, {"read_size", "64"}});
    const outcome r = c.fetch_from(server.url());
    CHECK(r.rc == CHM_E_CLOSED);
    CHECK(r.pieces == std::vector<std::string>{counted(63)});
    CHECK(r.error.find("after 63 body bytes") != std::string::npos);
}
