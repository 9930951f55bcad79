// Servers on a unix socket: http+unix:// URLs, and what goes over such a connection.
#include "leak_check.hpp"

using namespace curl_test;
using chimera::conformance::listen_on_path;
using chimera::conformance::percent_encoded;

namespace {

const std::string hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/// Fails, with the path in the message.
error failure_at(const std::string& path) {
    leak_check leaks;
    turned_reactor r;
    transport t;
    const error e = failure_of([&] {
        session(r, t, "http+unix://" + percent_encoded(path) + "/v1").start({"GET", "/x"}).head();
    });
    CAPTURE(e.what());
    CHECK(std::string_view(e.what()).find(path) != std::string_view::npos);
    CHECK(r.wakers() == 0);
    return e;
}

bool says(const error& e, std::string_view words) {
    return std::string_view(e.what()).find(words) != std::string_view::npos;
}

} // namespace

TEST_CASE("a server on a unix socket is spoken to as localhost, and its connection is used again") {
    leak_check leaks;
    const server_room here;
    const std::string path = here.file("a b.sock");
    std::string seen, url, target;
    SUBCASE("the path as the host, with a prefix") {
        url = "http+unix://" + percent_encoded(here.file("a b.sock")) + "/v1/";
        target = "/v1/api?x=y";
    }
    SUBCASE("the path as the path") {
        url = "HTTP+unix://" + here.file("a%20b.sock");
        target = "/api?x=y";
    }
    one_by_one_server server(path, [&](peer& p) {
        for (std::string q = p.request_text(); !q.empty(); q = p.request_text()) {
            seen = q;
            p.send(hello);
        }
    });
    turned_reactor r;
    transport t({{"proxy", "http://127.0.0.1:1"}}); // not for unix sockets
    session s(r, t, url);
    for (int i = 0; i < 3; ++i) {
        exchange x = s.start({"POST", "/api?x=y", "{}"});
        CHECK(x.head() == 200);
        CHECK(x.rest() == "hello");
        const chm_exchange_timing timing = x.timing();
        CHECK(timing.reused == (i > 0));
        CHECK(timing.retries == 0);
        CHECK(timing.connected_ns > 0);
        CHECK(timing.sent_ns >= timing.connected_ns);
        CHECK(timing.first_byte_ns > timing.sent_ns);
        CHECK(seen.starts_with("POST " + target + " HTTP/1.1\r\nHost: localhost\r\n"));
    }
    CHECK(server.connections() == 1);
}

TEST_CASE("a dropped connection to a unix socket is replaced once, and an early close abandons it") {
    leak_check leaks;
    const server_room here;
    one_by_one_server server(here.file("s"), [&](peer& p) {
        if (p.number() == 1) {
            p.request();
            p.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello");
            CHECK(p.client_gone(5000));
            return;
        }
        if (!p.request_text().empty()) p.send(hello);
        p.request();
    });
    turned_reactor r;
    transport t;
    session s(r, t, "http+unix://" + here.file("s"));
    {
        exchange x = s.start({});
        x.head();
        CHECK(x.rest() == "hello");
    }
    {
        exchange x = s.start({});
        x.head();
        CHECK(x.piece() == "hello");
        CHECK(x.timing().retries == 1);
    }
    exchange x = s.start({});
    CHECK(x.head() == 200);
    CHECK(x.timing().retries == 0);
    CHECK(x.timing().reused == 0);
    CHECK(server.connections() == 3);
}

TEST_CASE("a unix socket that is not there or that nobody serves: CONNECT, with its path and the cause") {
    const server_room here;
    const error missing = failure_at(here.file("none.sock"));
    CHECK(missing.code() == CHM_E_CONNECT);
    CHECK(says(missing, "GET http+unix://" + percent_encoded(here.file("none.sock")) + "/v1/x: connecting: "));
    CHECK(says(missing, "No such file or directory"));
    listen_on_path(here.file("left.sock"), 1); // closed again at once, and left in the file system
    const error left = failure_at(here.file("left.sock"));
    CHECK(left.code() == CHM_E_CONNECT);
    CHECK(says(left, "Connection refused"));
}

TEST_CASE("the path of a unix socket has at most 107 bytes") {
    leak_check leaks;
    const server_room here;
    const std::string longest = here.file(std::string(107 - here.file("").size(), 'x'));
    one_by_one_server server(longest, [](peer& p) {
        p.request();
        p.send(hello);
    });
    turned_reactor r;
    transport t;
    session s(r, t, "http+unix://" + longest);
    CHECK(s.start({}).head() == 200);
    const error e = failure_at(longest + "x");
    CHECK(e.code() == CHM_E_INVAL);
    CHECK(says(e, "108 bytes"));
    CHECK(says(e, "107"));
}

TEST_CASE("URLs that name no unix socket are refused with a reason") {
    leak_check leaks;
    turned_reactor r;
    transport t;
    const auto refused = [&](const char* url, std::string_view why) {
        CAPTURE(url);
        const error e = failure_of([&] { session(r, t, url); });
        CAPTURE(e.what());
        CHECK(e.code() == CHM_E_INVAL);
        CHECK(says(e, why));
    };
    refused("http+unix://", "absolute path");
    refused("http+unix:///", "absolute path");
    refused("http+unix://run.sock", "absolute path");
    refused("http+unix://run/llama.sock", "absolute path");
    refused("http+unix://%2Frun%2F/v1", "absolute path");
    refused("http+unix://%2Frun%2Fa.sock:80/v1", "no port");
    refused("http+unix://%2Frun%2Fa.sock?x", "a query or a fragment");
    refused("http+unix://%2Frun%2", "two hexadecimal digits");
    refused("http+unix://%2Frun%zz", "two hexadecimal digits");
    refused("http+unix://%2Frun%00a", "control character");
    const error secret = failure_of([&] { session(r, t, "http+unix://me:secret@%2Frun%2Fa.sock"); });
    CHECK(secret.code() == CHM_E_INVAL);
    CHECK_FALSE(says(secret, "secret"));
}
