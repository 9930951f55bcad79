// https against a real TLS server with a certificate of its own making.
#include "leak_check.hpp"

using namespace curl_test;

namespace {

/// Answers GET /NAME with what was set for NAME, then closes.
class tls_server {
  public:
    explicit tls_server(const char* names = "IP:127.0.0.1") : room_(names) {}
    /// [before it is asked] The raw response.
    void answer(const std::string& name, std::string_view response) { answers_["/" + name] = response; }
    std::string url() const { return "https://127.0.0.1:" + std::to_string(server_.port()); }
    std::string certificate() const { return room_.ca_file(); }

  private:
    const server_room room_;
    std::map<std::string, std::string> answers_;
    chimera::conformance::scripted_server server_{
        [this](peer& p) {
            const auto r = p.request();
            if (r) p.send(answers_[r->line.substr(4, r->line.rfind(' ') - 4)]);
        },
        {.over = chimera::conformance::wire::tls, .one_by_one = true, .room = &room_}};
};

} // namespace

TEST_CASE("https with the server's certificate in ca_file") {
    leak_check leaks;
    tls_server server;
    server.answer("ok", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    turned_reactor r;
    transport t({{"ca_file", server.certificate()}});
    session s(r, t, server.url());
    for (int i = 0; i < 3; ++i) { // s_server closes
        exchange x = s.start({"GET", "/ok"});
        CHECK(x.head() == 200);
        CHECK(x.rest() == "hello");
        const chm_exchange_timing timing = x.timing();
        CHECK(timing.connected_ns > 0);
        CHECK(timing.sent_ns >= timing.connected_ns);
        CHECK(timing.first_byte_ns >= timing.sent_ns);
    }
}

TEST_CASE("a certificate that nobody vouches for: TLS, unless tls_verify is off") {
    leak_check leaks;
    tls_server server;
    server.answer("ok", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    turned_reactor r;
    {
        transport t;
        session s(r, t, server.url());
        const error e = failure_of([&] { s.start({"GET", "/ok"}).head(); });
        CHECK(e.code() == CHM_E_TLS);
        CHECK(std::string_view(e.what()).find("certificate") != std::string_view::npos);
    }
    transport t({{"tls_verify", "false"}});
    session s(r, t, server.url());
    exchange x = s.start({"GET", "/ok"});
    CHECK(x.head() == 200);
    CHECK(x.rest() == "hello");
}

TEST_CASE("a certificate for another name: TLS") {
    leak_check leaks;
    const tls_server server("DNS:elsewhere.invalid");
    turned_reactor r;
    transport t({{"ca_file", server.certificate()}});
    session s(r, t, server.url());
    CHECK(failure_of([&] { s.start({"GET", "/ok"}).head(); }).code() == CHM_E_TLS);
}

TEST_CASE("a server that does not speak TLS: TLS") {
    leak_check leaks;
    one_by_one_server server([](peer& p) { p.send("HTTP/1.1 400 Bad Request\r\n\r\n"); });
    turned_reactor r;
    transport t;
    session s(r, t, "https://127.0.0.1:" + std::to_string(server.port()));
    CHECK(failure_of([&] { s.start({"GET", "/"}).head(); }).code() == CHM_E_TLS);
}

TEST_CASE("behind TLS, where one readable socket brings many records, a pause at high_water loses nothing") {
    leak_check leaks;
    constexpr std::size_t size = 16 << 20;
    std::string body(size, ' ');
    for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<char>('a' + i % 23);
    tls_server server;
    std::string response = "HTTP/1.1 200 OK\r\n";
    SUBCASE("by its length") { response += "Content-Length: " + std::to_string(size) + "\r\n\r\n" + body; }
    SUBCASE("in chunks") {
        response += "Transfer-Encoding: chunked\r\n\r\n";
        for (std::size_t at = 0, n = 1; at < size; at += n, n = n % 977 + 1) {
            n = std::min(n, size - at);
            char header[20];
            std::snprintf(header, sizeof header, "%zx\r\n", n);
            response.append(header).append(body, at, n).append("\r\n");
        }
        response += "0\r\n\r\n";
    }
    server.answer("large", response);
    turned_reactor r;
    transport t({{"ca_file", server.certificate()}, {"buffer_size", "1024"}, {"high_water", "2048"}});
    session s(r, t, server.url());
    exchange x = s.start({"GET", "/large"});
    CHECK(x.head() == 200);
    std::string received;
    std::size_t largest = 0;
    for (std::string_view p = x.piece(); !p.empty(); p = x.piece()) {
        received += p;
        largest = std::max(largest, p.size());
    }
    CHECK(largest <= 1024);
    CHECK(received == body);
}

TEST_CASE("behind TLS heads and chunks are judged as elsewhere") {
    leak_check leaks;
    tls_server server;
    server.answer("lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello");
    server.answer("codings", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n");
    server.answer("number", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello");
    server.answer("chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3x\r\nllo\r\n0\r\n\r\n");
    turned_reactor r;
    transport t({{"ca_file", server.certificate()}});
    session s(r, t, server.url());
    for (const auto& [path, why] : {std::pair{"/lengths", "'5, 6', which are different lengths"},
                                    {"/codings", "its Transfer-Encoding is 'gzip, chunked'"},
                                    {"/number", "its Content-Length does not begin with a digit"},
                                    {"/chunks", "a chunk's size is followed by 'x'"}}) {
        exchange x = s.start({"GET", path});
        const error e = failure_of([&] {
            x.head();
            x.rest();
        });
        CAPTURE(e.what());
        CHECK(e.code() == CHM_E_PROTO);
        CHECK(std::string_view(e.what()).find(why) != std::string_view::npos);
    }
}

TEST_CASE("closing an https exchange before its end leaves nothing behind") {
    leak_check leaks;
    tls_server server;
    server.answer("large", "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + std::string(1000000, 'x'));
    turned_reactor r;
    transport t({{"ca_file", server.certificate()}});
    session s(r, t, server.url());
    for (int i = 0; i < 3; ++i) {
        exchange x = s.start({"GET", "/large"});
        CHECK(x.head() == 200);
        CHECK_FALSE(x.piece().empty());
        CHECK(x.timing().reused == 0);
    }
    CHECK(r.wakers() == 0);
}
