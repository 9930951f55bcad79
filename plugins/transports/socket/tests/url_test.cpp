// What a session can be opened for, and where it then connects.
#include <doctest/doctest.h>

#include "chimera/sdk/error.hpp"
#include "client.hpp"
#include "counted_calls.hpp"
#include "stream_socket/base_url.hpp"
#include "stream_socket/connector.hpp"

using namespace chimera::socket::test;
using chimera::stream_socket::base_url;

namespace {

scripted_server::script hello() {
    return [](peer& p) {
        while (!p.request_text().empty()) p.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    };
}

} // namespace

TEST_CASE("a base URL is taken apart") {
    const base_url plain = base_url::parse("http://example.com");
    CHECK(plain.host == "example.com");
    CHECK(plain.port == 80);
    CHECK(plain.host_header == "example.com");
    CHECK(plain.path_prefix.empty());
    CHECK_FALSE(plain.literal);
    const base_url full = base_url::parse("HTTP://example.com:8080/v1/x/");
    CHECK(full.port == 8080);
    CHECK(full.host_header == "example.com:8080");
    CHECK(full.path_prefix == "/v1/x");
    CHECK(full.origin == "http://example.com:8080");
    const base_url v4 = base_url::parse("http://127.0.0.1:81/");
    REQUIRE(v4.literal);
    CHECK(v4.literal->text() == "127.0.0.1 port 81");
    CHECK(v4.path_prefix.empty());
    const base_url v6 = base_url::parse("http://[2001:db8::1]:82");
    REQUIRE(v6.literal);
    CHECK(v6.literal->text() == "2001:db8::1 port 82");
    CHECK(v6.host_header == "[2001:db8::1]:82");
}

TEST_CASE("a text that is not a base URL is CHM_E_INVAL") {
    client c;
    for (const std::string_view bad : {"",
                                       "localhost:80",
                                       "//host",
                                       "http:",
                                       "http://",
                                       "http:///x",
                                       "http://:80",
                                       "http://host:0",
                                       "http://host:65536",
                                       "http://host:99999",
                                       "http://host:x",
                                       "http://h ost",
                                       "http://host/a b",
                                       "http://host?q=1",
                                       "http://host/#f",
                                       "http://[::1",
                                       "http://[fe80::1%25eth0]",
                                       "http://ho%0d%0ast",
                                       "http://[v1.x]",
                                       "http://user:secret@host"}) {
        CAPTURE(bad);
        CHECK(c.open(bad) == CHM_E_INVAL);
        CHECK(c.error().find("secret") == std::string::npos);
    }
}

TEST_CASE("https is refused with the name of the transport that speaks it") {
    client c;
    CHECK(c.open("https://host:443/x") == CHM_E_NOSYS);
    CHECK(c.error().find("https://host:443/x") != std::string::npos);
    CHECK(c.error().find("curl") != std::string::npos);
    CHECK(c.open("https://user:secret@host") == CHM_E_NOSYS);
    CHECK(c.error().find("secret") == std::string::npos);
    CHECK(c.open("ftp://host") == CHM_E_NOSYS);
}

TEST_CASE("a session without a reactor is refused") {
    client c;
    CHECK(c.open("http://127.0.0.1:80", false) == CHM_E_NOSYS);
    CHECK(c.error().find("reactor") != std::string::npos);
}

TEST_CASE("an IPv6 literal is connected to") {
    one_by_one_server server(hello(), true);
    client c;
    CHECK(c.fetch_from(server.url()).body() == "ok");
}

TEST_CASE("a name is resolved off the worker, and its addresses are tried in order") {
    // Where localhost has an IPv6 address as well, nobody listens there: the IPv4 one has its turn.
    one_by_one_server server(hello());
    client c;
    REQUIRE(c.open("http://localhost:" + std::to_string(server.port())) == CHM_OK);
    const auto before = chimera::conformance::census::take();
    CHECK(c.fetch().body() == "ok");
    CHECK(before.new_threads(chimera::conformance::census::take()) == 1);
    const outcome again = c.fetch();
    CHECK(again.body() == "ok");
    CHECK(again.timing.reused == 1);
}

TEST_CASE("a literal starts no thread") {
    one_by_one_server server(hello());
    client c;
    const auto before = chimera::conformance::census::take();
    CHECK(c.fetch_from(server.url()).body() == "ok");
    CHECK(before.new_threads(chimera::conformance::census::take()) == 0);
}

TEST_CASE("unknown extensions and options are refused") {
    client c;
    CHECK(c.transport()->vt->get_extension(c.transport(), "no.such/1") == nullptr);
    CHECK(c.transport()->vt->get_extension(c.transport(), "") == nullptr);
    CHECK(c.transport()->vt->get_extension(c.transport(), CHM_EXT_TIMING) != nullptr);
}

TEST_CASE("an exchange that is closed while its name is being resolved is not woken by the answer") {
    namespace sock = chimera::stream_socket;
    chimera::sdk::epoll_reactor reactor;
    mark_waker waker(reactor);
    const sock::base_url url = sock::base_url::parse("http://localhost:1");
    {
        sock::resolver names; // its end waits for the answer
        sock::connector connector(url, names, 0);
        sock::connection connection(&reactor, nullptr, true);
        const held_resolver hold;
        connector.begin();
        REQUIRE_FALSE(connector.poll(connection, waker.get()));
        hold.wait_until_asked();
        connector.cancel();
    }
    CHECK_FALSE(waker.take());
    CHECK(waker.references() == 0);
}
