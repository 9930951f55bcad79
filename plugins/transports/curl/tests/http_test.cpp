// Requests and responses over plain sockets: what a well-behaved server may do.
#include "leak_check.hpp"

using namespace curl_test;

namespace {

const std::string hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

void serve_hello(peer& p) {
    while (!p.request_text().empty() && p.send(hello)) {
    }
}

} // namespace

TEST_CASE("a response with Content-Length arrives with its head and body") {
    leak_check leaks;
    one_by_one_server server([](peer& p) {
        p.request();
        p.send("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nX-One:  two \r\nX-Empty:\r\n\r\nnone");
    });
    turned_reactor r;
    transport t;
    session s(r, t, server.url());
    exchange x = s.start({"GET", "/"});
    CHECK(x.head() == 404);
    CHECK(x.headers["X-One"] == "two");
    CHECK(x.headers.count("X-Empty") == 1);
    CHECK(x.headers.size() == 3);
    CHECK(x.rest() == "none");
}

TEST_CASE("the request on the wire is what was asked for and nothing else") {
    leak_check leaks;
    std::string seen;
    {
        one_by_one_server server([&](peer& p) {
            seen = p.request_text();
            p.send(hello);
        });
        turned_reactor r;
        transport t;
        ::setenv("http_proxy", "http://127.0.0.1:1", 1);
        session s(r, t, server.url() + "/prefix/");
        exchange x = s.start({"POST", "/api/../x?y=1", "{}", {{"Content-Type", "application/json"}, {"X-Void", ""}}});
        x.head();
        ::unsetenv("http_proxy");
        CHECK(seen == "POST /prefix/api/../x?y=1 HTTP/1.1\r\nHost: " + server.url().substr(7) +
                          "\r\nUser-Agent: chimera\r\nContent-Type: application/json\r\nX-Void:\r\n"
                          "Content-Length: 2\r\n\r\n{}");
    }
}

TEST_CASE("every method goes out under its name, and none leaves a trace in the next") {
    leak_check leaks;
    std::string seen;
    one_by_one_server server([&](peer& p) {
        for (std::string q = p.request_text(); !q.empty(); q = p.request_text()) {
            seen = q;
            p.send(q.starts_with("HEAD") ? "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" : hello);
        }
    });
    turned_reactor r;
    transport t;
    session s(r, t, server.url());
    const auto wire = [&](const request& q) {
        exchange x = s.start(q);
        CHECK(x.head() == 200);
        CHECK(x.rest() == (q.method == "HEAD" ? "" : "hello"));
        return seen;
    };
    CHECK(wire({"HEAD", "/"}).starts_with("HEAD / "));
    CHECK(wire({"PUT", "/", "abc"}).ends_with("Content-Length: 3\r\n\r\nabc"));
    CHECK(wire({"DELETE", "/"}).starts_with("DELETE / "));
    CHECK(wire({"POST", "/", ""}).find("Content-Length: 0\r\n") != std::string::npos);
    const std::string get = wire({"GET", "/"});
    CHECK(get.starts_with("GET / "));
    CHECK(get.find("Content-") == std::string::npos);
    CHECK(server.connections() == 1);
}

TEST_CASE("a large request body arrives whole and is not announced with Expect") {
    leak_check leaks;
    const std::string body(3 << 20, 'q');
    std::string seen;
    one_by_one_server server([&](peer& p) {
        seen = p.request_text();
        p.send(hello);
    });
    turned_reactor r;
    transport t;
    session s(r, t, server.url());
    exchange x = s.start({"POST", "/", body});
    CHECK(x.head() == 200);
    CHECK(seen.find("Expect") == std::string::npos);
    CHECK(seen.substr(seen.size() - body.size()) == body);
    const chm_exchange_timing timing = x.timing();
    CHECK(timing.sent_ns > timing.connected_ns);
    CHECK(timing.first_byte_ns > timing.sent_ns);
}

TEST_CASE("chunks with extensions and trailers, each chunk a piece of its own") {
    leak_check leaks;
    one_by_one_server server([](peer& p) {
        p.request();
        p.send(chunked + "3;a=b\r\none\r\n3\r\ntwo\r\n0\r\nX-Late: 1\r\n\r\n");
        p.request();
    });
    turned_reactor r;
    transport t;
    session s(r, t, server.url());
    exchange x = s.start({});
    CHECK(x.head() == 200);
    CHECK(x.piece() == "one");
    CHECK(x.piece() == "two");
    CHECK(x.piece().empty());
    CHECK(x.headers.count("X-Late") == 0);
}

TEST_CASE("interim responses are passed over") {
    leak_check leaks;
    one_by_one_server server([](peer& p) {
        p.request();
        p.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + hello);
        p.request();
    });
    turned_reactor r;
    transport t;
    session s(r, t, server.url());
    exchange x = s.start({});
    CHECK(x.head() == 200);
    CHECK(x.headers.count("Link") == 0);
    CHECK(x.rest() == "hello");
}

TEST_CASE("a body without a length ends with the connection") {
    leak_check leaks;
    one_by_one_server server([](peer& p) {
        p.request();
        p.send("HTTP/1.0 200 OK\r\n\r\nall of it");
    });
    turned_reactor r;
    transport t;
    session s(r, t, server.url());
    exchange x = s.start({});
    CHECK(x.head() == 200);
    CHECK(x.rest() == "all of it");
}

TEST_CASE("a response written byte by byte is the same response") {
    leak_check leaks;
    one_by_one_server server([](peer& p) {
        p.request();
        p.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 1, 20);
        p.request();
    });
    turned_reactor r;
    transport t;
    session s(r, t, server.url());
    exchange x = s.start({});
    CHECK(x.head() == 200);
    CHECK(x.headers["X"] == "y");
    CHECK(x.rest() == "hello");
}

TEST_CASE("a session uses one connection again and says so") {
    leak_check leaks;
    one_by_one_server server(serve_hello);
    turned_reactor r;
    transport t;
    session s(r, t, server.url());
    std::uint64_t connected = 0;
    for (int i = 0; i < 5; ++i) {
        exchange x = s.start({"POST", "/", "body"});
        CHECK(x.head() == 200);
        CHECK(x.rest() == "hello");
        const chm_exchange_timing timing = x.timing();
        CHECK(timing.reused == (i > 0));
        CHECK(timing.retries == 0);
        if (i == 0) connected = timing.connected_ns;
        CHECK(timing.connected_ns == connected);
    }
    CHECK(server.connections() == 1);
}

TEST_CASE("a connection that the server drops upon the next request is replaced once, unseen") {
    leak_check leaks;
    std::atomic<int> requests{0};
    one_by_one_server server([&](peer& p) {
        if (!p.request_text().empty()) {
            ++requests;
            p.send(hello);
        }
        if (!p.request_text().empty()) ++requests; // read, and closed without a byte of an answer
    });
    turned_reactor r;
    transport t;
    session s(r, t, server.url());
    const auto exchanged = [&](const char* body) {
        exchange x = s.start({"POST", "/", body});
        CHECK(x.head() == 200);
        CHECK(x.rest() == "hello");
        return x.timing();
    };
    CHECK(exchanged("one").retries == 0);
    for (int i = 0; i < 3; ++i) {
        const chm_exchange_timing timing = exchanged("again");
        CHECK(timing.retries == 1);
        CHECK(timing.connected_ns > 0);
        CHECK(timing.sent_ns >= timing.connected_ns);
        CHECK(timing.first_byte_ns > timing.sent_ns);
        CHECK(timing.reused == 0);
    }
    CHECK(requests == 7); // one, and each other twice
    CHECK(server.connections() == 4);
}

TEST_CASE("a response that has begun is not asked for again, not even within its first line") {
    leak_check leaks;
    bool with_reset = false, pause = false;
    SUBCASE("closed at once") {}
    SUBCASE("closed later") { pause = true; }
    SUBCASE("reset later") { with_reset = pause = true; }
    one_by_one_server server([&](peer& p) {
        p.request();
        p.send(hello);
        p.request();
        p.send("HTTP/1.1 2");
        if (pause) std::this_thread::sleep_for(std::chrono::milliseconds(50));
        if (with_reset) p.reset();
    });
    turned_reactor r;
    transport t;
    session s(r, t, server.url());
    {
        exchange x = s.start({});
        x.head();
        x.rest();
    }
    exchange x = s.start({});
    CHECK(failure_of([&] { x.head(); }).code() == (with_reset ? CHM_E_IO : CHM_E_CLOSED));
    CHECK(server.connections() == 1);
}

TEST_CASE("what comes after a response is not taken for the next one") {
    leak_check leaks;
    std::atomic<int> taken{0}, said{0};
    const auto wait_for = [](const std::atomic<int>& count, int least) {
        while (count < least) std::this_thread::yield();
    };
    one_by_one_server server([&](peer& p) {
        if (p.request_text().empty()) return;
        p.send(hello);
        wait_for(taken, p.number() + 1);
        p.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstale");
        ++said;
        p.client_gone(5'000);
    });
    turned_reactor r;
    transport t;
    session s(r, t, server.url());
    for (int i = 0; i < 3; ++i) {
        exchange x = s.start({"GET", "/"});
        x.head();
        CHECK(x.rest() == "hello");
        wait_for(said, ++taken);
    }
    CHECK(server.connections() == 3);
}

TEST_CASE("a connection that the server closed while idle is not used") {
    leak_check leaks;
    one_by_one_server server([](peer& p) {
        p.request();
        p.send(hello);
    });
    turned_reactor r;
    transport t;
    session s(r, t, server.url());
    for (int i = 0; i < 3; ++i) {
        exchange x = s.start({});
        CHECK(x.head() == 200);
        CHECK(x.rest() == "hello");
        x.close();
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    CHECK(server.connections() == 3);
}

TEST_CASE("closing an exchange before its end abandons the connection and holds no waker") {
    leak_check leaks;
    one_by_one_server server([](peer& p) {
        if (p.request_text().empty()) return;
        p.send(chunked);
        p.chunk("first");
        if (p.number() == 0) CHECK(p.client_gone(5000));
        p.chunk("");
    });
    turned_reactor r;
    transport t;
    session s(r, t, server.url());
    {
        exchange x = s.start({});
        CHECK(x.head() == 200);
        CHECK(x.piece() == "first");
        chm_str view{};
        CHECK(r.until_ready([&](chm_waker* w) {
            x.poll_once(w, view); // leaves wakers behind
            return CHM_READY;
        }) == CHM_READY);
        CHECK(r.wakers() > 0);
    }
    CHECK(r.wakers() == 0);
    CHECK_FALSE(r.wakes_within(50));
    exchange x = s.start({});
    CHECK(x.head() == 200);
    CHECK(x.rest() == "first");
    CHECK(x.timing().reused == 0);
    CHECK(server.connections() == 2);
}

TEST_CASE("answers whose bodies linger after their end can be left again and again") {
    leak_check leaks;
    one_by_one_server server([](peer& p) {
        if (p.request_text().empty()) return;
        p.send(chunked);
        p.chunk("the answer");
        CHECK(p.client_gone(5000)); // the last chunk never comes
    });
    turned_reactor r;
    transport t;
    session s(r, t, server.url());
    const auto held = chimera::conformance::census::take().descriptors.size();
    std::size_t with_one = 0;
    for (int i = 0; i < 30; ++i) {
        exchange x = s.start({"POST", "/", "body"});
        CHECK(x.head() == 200);
        CHECK(x.piece() == "the answer");
        CHECK(x.timing().reused == 0);
        CHECK(x.timing().retries == 0);
        x.close();
        CHECK(r.wakers() == 0);
        CHECK_FALSE(r.wakes_within(2));
        if (i == 0) with_one = chimera::conformance::census::take().descriptors.size();
    }
    CHECK(server.connections() == 30);
    CHECK(chimera::conformance::census::take().descriptors.size() <= std::max(held, with_one) + 1); // the server's own
}

TEST_CASE("an exchange closed before it was polled costs nothing") {
    leak_check leaks;
    one_by_one_server server(serve_hello);
    turned_reactor r;
    transport t;
    session s(r, t, server.url());
    s.start({}).close();
    exchange x = s.start({});
    CHECK(x.head() == 200);
    CHECK(x.rest() == "hello");
    CHECK(server.connections() == 1);
}

TEST_CASE("an idle session leaves nothing in the reactor") {
    leak_check leaks;
    one_by_one_server server(serve_hello);
    turned_reactor r;
    transport t;
    session s(r, t, server.url());
    exchange x = s.start({});
    x.head();
    x.rest();
    x.close();
    CHECK(r.wakers() == 0);
}

TEST_CASE("timestamps come in their order and near the truth") {
    leak_check leaks;
    std::atomic<std::uint64_t> answered{0};
    one_by_one_server server([&](peer& p) {
        p.request();
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        answered = chimera::sdk::now_ns();
        p.send("H"); // the first byte, long before the line is whole
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        p.send(hello.substr(1));
        p.request();
    });
    turned_reactor r;
    transport t;
    session s(r, t, server.url());
    const std::uint64_t before = chimera::sdk::now_ns();
    exchange x = s.start({"POST", "/", "body"});
    x.head();
    x.rest();
    const chm_exchange_timing timing = x.timing();
    CHECK(timing.connected_ns >= before);
    CHECK(timing.sent_ns >= timing.connected_ns);
    CHECK(timing.sent_ns < answered);
    CHECK(timing.first_byte_ns >= answered);
    CHECK(timing.first_byte_ns < answered + 250'000'000);
    CHECK(timing.readable_ns == 0); // the wake knows better
}

TEST_CASE("buffer_size bounds a read, and with it a piece") {
    leak_check leaks;
    one_by_one_server server([](peer& p) {
        p.request();
        p.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + std::string(1000000, 'x'));
    });
    for (const std::size_t size : {1024U, 8192U, 16384U}) {
        turned_reactor r;
        transport t({{"buffer_size", std::to_string(size)}});
        session s(r, t, server.url());
        exchange x = s.start({"GET", "/"});
        x.head();
        std::size_t largest = 0, total = 0;
        for (std::string_view p = x.piece(); !p.empty(); p = x.piece()) {
            largest = std::max(largest, p.size());
            total += p.size();
        }
        CHECK(total == 1000000);
        CHECK(largest == size);
    }
}

TEST_CASE("a slow reader holds the sender back instead of filling memory") {
    leak_check leaks;
    constexpr std::size_t size = 16 << 20;
    std::atomic<std::size_t> sent{0};
    one_by_one_server server([&](peer& p) {
        p.request();
        p.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n");
        const std::string block(65536, 'x');
        for (std::size_t i = 0; i < size; i += block.size()) {
            if (!p.send(block)) return;
            sent += block.size();
        }
    });
    turned_reactor r;
    transport t;
    session s(r, t, server.url());
    exchange x = s.start({"GET", "/"});
    x.head();
    x.piece();
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    CHECK(sent < size); // the kernel's buffers are full, and nobody drained them
    std::size_t total = 8192;
    const std::size_t first = x.piece().size();
    CHECK(first > 0);
    for (std::string_view p = x.piece(); !p.empty(); p = x.piece()) {
        total += p.size();
        if (total % (1 << 20) < 8192) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    CHECK(sent == size);
}

TEST_CASE("localhost is found, through IPv6 or IPv4") {
    leak_check leaks;
    one_by_one_server server(serve_hello);
    turned_reactor r;
    transport t;
    session s(r, t, "http://localhost:" + std::to_string(server.port()));
    exchange x = s.start({});
    CHECK(x.head() == 200);
    CHECK(x.rest() == "hello");
}

TEST_CASE("many sessions share one reactor") {
    leak_check leaks;
    std::vector<std::unique_ptr<one_by_one_server>> servers;
    turned_reactor r;
    transport t;
    std::vector<std::unique_ptr<session>> sessions;
    for (int i = 0; i < 8; ++i) {
        servers.push_back(std::make_unique<one_by_one_server>(serve_hello));
        sessions.push_back(std::make_unique<session>(r, t, servers.back()->url()));
    }
    for (int round = 0; round < 3; ++round)
        for (const auto& s : sessions) {
            exchange x = s->start({});
            CHECK(x.head() == 200);
            CHECK(x.rest() == "hello");
        }
    for (const auto& server : servers) CHECK(server->connections() == 1);
}
