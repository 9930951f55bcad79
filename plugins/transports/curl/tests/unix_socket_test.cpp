// Servers on a unix socket: http+unix:// URLs, and what goes over such a connection.
#include <cstdlib>

#include "leak_check.hpp"
#include "loopback_server.hpp"

using namespace curl_test;

namespace {

const std::string hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/// A folder of its own, removed with everything in it.
class folder {
  public:
    folder() {
        char name[] = "/tmp/chimera-curl-XXXXXX";
        REQUIRE(::mkdtemp(name) != nullptr);
        path_ = name;
    }
    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;
    ~folder() { std::filesystem::remove_all(path_); }
    std::string file(const std::string& name) const { return path_ + "/" + name; }

  private:
    std::string path_;
};

std::string encoded(const std::string& path) {
    std::string text;
    for (const char c : path) c == '/' ? text.append("%2F") : text.append(1, c);
    return text;
}

/// Fails, with the path in the message.
error failure_at(const std::string& path) {
    leak_check leaks;
    turned_reactor r;
    transport t;
    const error e = failure_of([&] {
        session(r, t, "http+unix://" + encoded(path) + "/v1").start({"GET", "/x"}).head();
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
    const folder here;
    const std::string path = here.file("a b.sock");
    std::string seen, url, target;
    SUBCASE("the path as the host, with a prefix") {
        url = "http+unix://" + encoded(here.file("a%20b.sock")) + "/v1/";
        target = "/v1/api?x=y";
    }
    SUBCASE("the path as the path") {
        url = "HTTP+unix://" + here.file("a%20b.sock");
        target = "/api?x=y";
    }
    loopback_server server(path, [&](peer& p) {
        for (std::string q = p.request(); !q.empty(); q = p.request()) {
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
    const folder here;
    loopback_server server(here.file("s"), [&](peer& p) {
        if (p.number == 1) {
            p.request();
            p.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello");
            CHECK(p.client_gone(5000));
            return;
        }
        if (!p.request().empty()) p.send(hello);
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
    const folder here;
    const error missing = failure_at(here.file("none.sock"));
    CHECK(missing.code() == CHM_E_CONNECT);
    CHECK(says(missing, "GET http+unix://" + encoded(here.file("none.sock")) + "/v1/x: connecting: "));
    CHECK(says(missing, "No such file or directory"));
    {
        loopback_server gone(here.file("left.sock"), [](peer&) {});
    }
    {
        // Bound and closed, but left in the file system.
        const auto fd = chimera::sdk::owned_fd::checked(::socket(AF_UNIX, SOCK_STREAM, 0), "socket");
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        here.file("left.sock").copy(address.sun_path, sizeof address.sun_path - 1);
        REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    }
    const error left = failure_at(here.file("left.sock"));
    CHECK(left.code() == CHM_E_CONNECT);
    CHECK(says(left, "Connection refused"));
}

TEST_CASE("the path of a unix socket has at most 107 bytes") {
    leak_check leaks;
    const folder here;
    const std::string longest = here.file(std::string(107 - here.file("").size(), 'x'));
    loopback_server server(longest, [](peer& p) {
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
