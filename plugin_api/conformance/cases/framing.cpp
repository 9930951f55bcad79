// Where a response ends and what belongs to its body.
#include <atomic>
#include <cstdio>

#include "../case.hpp"
#include "../kit/client.hpp"
#include "../kit/scale.hpp"
#include "../scripted_server/scripted_server.hpp"

namespace chimera::conformance {

namespace {

/// Fetches `times` times from a server that answers with `bytes` in pieces, and checks what arrives. The connection
/// must be kept if `kept`.
void expect_body(environment& env, const std::string& bytes, std::size_t piece, const std::string& expected,
                 bool kept = true, unsigned times = 2) {
    case_server server(env, [&](peer& p) {
        while (p.request() && p.send(bytes, piece) && kept) {
        }
    });
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        sdk::session s = c.open(server.url());
        for (unsigned i = 0; i < times; ++i) {
            auto fetching = client::fetch(s, {});
            const reply r = co_await fetching;
            expect_equal(r.status, 200, "the status");
            if (r.body.size() < 200 && expected.size() < 200) expect_equal(r.body, expected, "the body");
            expect(r.body == expected, "the body must be intact; it has " + std::to_string(r.body.size()) +
                                           " bytes of " + std::to_string(expected.size()));
        }
    };
    c.run(body());
    if (!shares_connections(env)) expect_equal(server.connections(), kept ? 1U : times, "the number of connections");
}

constexpr const char* chunked_head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string chunk(std::string_view data) {
    char size[32];
    std::snprintf(size, sizeof size, "%zX\r\n", data.size());
    return size + std::string(data) + "\r\n";
}

const std::string odd_text = "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x91\r\n0\r\n\r\n{\"a\":1}\n end";

void content_length(environment& env) {
    expect_body(env, "HTTP/1.1 200 OK\r\ncontent-LENGTH:  11 \r\n\r\nhello world", 0, "hello world");
}

void chunked(environment& env) {
    needs_http1(env);
    expect_body(env, chunked_head + chunk("hello ") + chunk(odd_text) + chunk("x") + "0\r\n\r\n", 0,
                "hello " + odd_text + "x");
}

void extensions_and_trailers(environment& env) {
    needs_http1(env);
    expect_body(env,
                std::string(chunked_head) + "5;name=value\r\nhello\r\n006 ; a=\"b;c\" ; d\r\n world\r\n0;last\r\n" +
                    "X-Trailer: one\r\nX-Other: two\r\n\r\n",
                0, "hello world");
}

void one_byte_at_a_time(environment& env) {
    needs_http1(env);
    expect_body(env, chunked_head + chunk("hello ") + chunk(odd_text) + "0;e=1\r\nX-Trailer: one\r\n\r\n", 1,
                "hello " + odd_text);
    expect_body(env, "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 11\r\n\r\nhello world", 1, "hello world");
}

void every_split(environment& env) {
    needs_http1(env);
    // The response in two parts, cut everywhere.
    const std::string bytes = chunked_head + chunk("\xf0\x9f\x90\x91") + chunk("ab") + "0\r\nT: v\r\n\r\n";
    case_server server(env, [&](peer& p) {
        for (std::size_t cut = 1; p.request(); ++cut) {
            p.send(bytes.substr(0, cut));
            sleep_ms(1);
            p.send(bytes.substr(cut));
        }
    });
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        sdk::session s = c.open(server.url());
        for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
            auto fetching = client::fetch(s, {});
            const reply r = co_await fetching;
            expect_equal(r.body,
                         "\xf0\x9f\x90\x91"
                         "ab",
                         "the body, cut at " + std::to_string(cut));
        }
    };
    c.run(body());
    expect_equal(server.connections(), 1U, "the number of connections");
}

void split_characters(environment& env) {
    std::string bytes = chunked_head;
    for (const char c : odd_text) bytes += chunk({&c, 1}); // each character in as many chunks as it has bytes
    expect_body(env, bytes + "0\r\n\r\n", 0, odd_text);
    expect_body(env, bytes + "0\r\n\r\n", 1, odd_text);
    expect_body(env, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\xf0\x9f", 0, "\xf0\x9f"); // cut for good
}

void close_delimited(environment& env) {
    needs_http1(env);
    expect_body(env, "HTTP/1.1 200 OK\r\n\r\nuntil the end", 0, "until the end", false);
    expect_body(env, "HTTP/1.0 200 OK\r\n\r\nuntil the end", 1, "until the end", false);
}

void interim(environment& env) {
    expect_body(env,
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nA: b\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: "
                "x\r\n\r\n"
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                7, "ok");
}

/// The next piece, or the end of the body, or the end of patience.
class piece_in_time final : public sdk::awaitable {
  public:
    piece_in_time(sdk::exchange& x, sdk::timer& t)
        : piece_(x.chunk()), limit_(t.after((sanitized ? 10 : 2) * 1'000'000'000ULL)) {}
    bool poll(chm_waker* w) override {
        if (!over_) over_ = piece_.poll(w);
        return over_ || limit_.poll(w);
    }
    std::optional<std::string_view> await_resume() const {
        expect(over_, "a response without a body must be complete with its head");
        return piece_.await_resume();
    }

  private:
    sdk::exchange::chunk_awaitable piece_;
    sdk::timer::expiry limit_;
    bool over_ = false;
};

void no_body(environment& env) {
    case_server server(env, [](peer& p) {
        while (const auto r = p.request()) {
            if (r->line.find("/head ") != std::string::npos)
                p.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
            else if (r->line.find("/204 ") != std::string::npos)
                p.send("HTTP/1.1 204 No Content\r\n\r\n");
            else if (r->line.find("/304 ") != std::string::npos)
                p.send("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n");
            else
                p.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        }
    });
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        struct {
            const char *method, *path;
            int status;
        } const all[] = {{"HEAD", "/head", 200}, {"GET", "/304", 304}, {"GET", "/204", 204}, {"HEAD", "/head", 200}};
        sdk::session s = c.open(server.url());
        sdk::timer t(c.reactor());
        for (const auto& one : all) {
            {
                sdk::exchange x = client::start(s, {one.method, one.path, {}, ""});
                const chm_head head = co_await x.head();
                expect_equal(head.status, one.status, "the status");
                piece_in_time next(x, t);
                const auto piece = co_await next;
                expect(!piece.has_value(),
                       std::string("there is no body in the response to ") + one.method + " " + one.path);
            }
            auto fetching = client::fetch(s, {});
            const reply r = co_await fetching;
            expect_equal(r.body, "hello", std::string("the body after ") + one.method + " " + one.path);
        }
    };
    c.run(body());
    if (!shares_connections(env)) expect_equal(server.connections(), 1U, "the number of connections");
}

void many_chunks(environment& env) {
    needs_http1(env);
    std::string bytes = chunked_head, expected;
    for (unsigned i = 0; i < 5000; ++i) {
        const std::string data(1 + i % 7, static_cast<char>('a' + i % 26));
        bytes += chunk(data);
        expected += data;
    }
    expect_body(env, bytes + "0\r\n\r\n", 0, expected);
    expect_body(env, bytes + "0\r\n\r\n", 4093, expected);
}

void given_as_it_comes(environment& env) {
    std::atomic<unsigned> received{0};
    constexpr unsigned pieces = 20;
    case_server server(env, [&](peer& p) {
        p.request();
        p.send(chunked_head);
        for (unsigned i = 0; i < pieces; ++i) {
            p.send(chunk("piece"));
            while (received <= i) sleep_ms(1); // nothing more comes until this one was given
        }
        p.send("0\r\n\r\n");
    });
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        sdk::session s = c.open(server.url());
        sdk::exchange x = client::start(s, {});
        co_await x.head();
        while (const auto piece = co_await x.chunk()) {
            expect_equal(std::string(*piece), "piece", "what was given");
            ++received;
        }
    };
    c.run(body());
    received = pieces;
}

void slow_reader(environment& env) {
    const std::size_t total = (sanitized ? 4 : 16) << 20;
    std::string block(1 << 16, '\0');
    const auto byte_at = [](std::size_t i) { return static_cast<char>(i * 7 + i / 1021); };
    case_server server(env, [&](peer& p) {
        p.request();
        p.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(total) + "\r\n\r\n");
        for (std::size_t at = 0; at < total; at += block.size()) {
            for (std::size_t i = 0; i < block.size(); ++i) block[i] = byte_at(at + i);
            if (!p.send(block)) return;
        }
    });
    const client c(env);
    const auto body = [&]() -> sdk::task<void> {
        sdk::session s = c.open(server.url());
        sdk::exchange x = client::start(s, {});
        co_await x.head();
        sdk::timer pause(c.reactor());
        const std::size_t before = heap_bytes();
        std::size_t at = 0, wrong = 0, next_pause = 0;
        while (const auto piece = co_await x.chunk()) {
            for (const char b : *piece) wrong += b != byte_at(at++);
            if (at < next_pause) continue;
            next_pause = at + total / 64;
            co_await pause.after(2'000'000); // the server has time to send much more
            const std::size_t now = heap_bytes();
            expect(now < before + (2U << 20),
                   "memory must be bounded while the reader is slow: " + std::to_string(now - before) + " bytes more");
        }
        expect_equal(at, total, "the number of bytes");
        expect_equal(wrong, std::size_t{0}, "the number of wrong bytes");
    };
    c.run(body());
}

constexpr test_case cases[] = {
    {"framing.content_length", kind::transport, "A body with a Content-Length ends after that many bytes",
     content_length},
    {"framing.chunked", kind::transport, "The chunks of a body are joined", chunked},
    {"framing.extensions_trailers", kind::transport, "Chunk extensions and trailers are not part of the body",
     extensions_and_trailers},
    {"framing.one_byte_at_a_time", kind::transport, "A response that arrives byte by byte is the same response",
     one_byte_at_a_time},
    {"framing.every_split", kind::transport, "A response may be cut in two anywhere", every_split},
    {"framing.split_characters", kind::transport,
     "A character that is split by chunks or segments is given byte for byte", split_characters},
    {"framing.no_body", kind::transport, "A response to HEAD, and a 204 or 304, is complete with its head", no_body},
    {"framing.close_delimited", kind::transport, "A body without a length ends with the connection", close_delimited},
    {"framing.interim", kind::transport, "1xx responses before the final one are skipped", interim},
    {"framing.many_chunks", kind::transport, "Thousands of small chunks in one segment are all given", many_chunks},
    {"framing.given_as_it_comes", kind::transport, "A piece is given when it arrives, without waiting for the next",
     given_as_it_comes},
    {"framing.slow_reader", kind::transport, "A slow reader slows the server down and does not fill memory",
     slow_reader},
};

} // namespace

std::span<const test_case> framing_cases() { return cases; }

} // namespace chimera::conformance
