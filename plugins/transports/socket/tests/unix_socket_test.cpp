// Servers on a unix socket: http+unix:// URLs, and what goes over such a connection.
#include <doctest/doctest.h>

#include <sys/socket.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

#include "client.hpp"
#include "stream_socket/base_url.hpp"

using namespace chimera::socket::test;
using chimera::sdk::owned_fd;
using chimera::stream_socket::address;
using chimera::stream_socket::base_url;

namespace {

constexpr std::string_view ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

bool says(const outcome& r, const std::string& what) { return r.error.find(what) != std::string::npos; }

} // namespace

TEST_CASE("a URL of a unix socket is taken apart") {
    const base_url plain = base_url::parse("http+unix://%2Frun%2Fllama.sock");
    REQUIRE(plain.literal);
    CHECK(plain.literal->text() == "the unix socket /run/llama.sock");
    CHECK(plain.origin == "http+unix://%2Frun%2Fllama.sock");
    CHECK(plain.host_header == "localhost");
    CHECK(plain.path_prefix == "");
    const base_url prefixed = base_url::parse("HTTP+UNIX://%2frun%2Fa%20b%40%3A.sock/v1/x/");
    CHECK(prefixed.literal->text() == "the unix socket /run/a b@:.sock");
    CHECK(prefixed.origin == "HTTP+UNIX://%2frun%2Fa%20b%40%3A.sock");
    CHECK(prefixed.path_prefix == "/v1/x");
    const base_url whole = base_url::parse("http+unix:///run/a:b/llama%2Esock");
    CHECK(whole.literal->text() == "the unix socket /run/a:b/llama.sock");
    CHECK(whole.origin == "http+unix:///run/a:b/llama%2Esock");
    CHECK(whole.path_prefix == "");
}

TEST_CASE("what does not name a unix socket is CHM_E_INVAL, with the form that does") {
    client c;
    for (const std::string_view bad :
         {"http+unix:/run/x.sock", "http+unix://", "http+unix:///", "http+unix://run/x.sock", "http+unix://x.sock",
          "http+unix://%2Frun%2F/v1", "http+unix://%2Frun%2Fx.sock:80", "http+unix://user@%2Frun%2Fx.sock",
          "http+unix://%2Frun%2Fx.sock?q=1", "http+unix://%2Frun%2Fx.sock/v1#f", "http+unix://%2Frun%2Fx.sock/a b",
          "http+unix://%2Frun%2Fx%00y", "http+unix://%2Frun%0A", "http+unix://%2Frun%2", "http+unix://%2Grun"}) {
        CAPTURE(bad);
        CHECK(c.open(bad) < 0);
        CHECK(c.error().find(bad.substr(0, 10)) != std::string::npos);
    }
    CHECK(c.open("http+unix://run/x.sock") == CHM_E_INVAL);
    CHECK(c.error().find("write http+unix://%2Frun%2Fname.sock/prefix") != std::string::npos);
    const std::string longest = "/" + std::string(106, 'x');
    CHECK(c.open("http+unix://" + longest) == CHM_OK);
    CHECK(c.open("http+unix://" + longest + "x") == CHM_E_INVAL);
    CHECK(c.error().find("a path of 108 bytes: the system takes 107") != std::string::npos);
}

TEST_CASE("requests go over a unix socket, one connection after the other") {
    const server_room here;
    std::string seen;
    one_by_one_server server(here.file("x.sock"), [&](peer& p) {
        for (std::string r; !(r = p.request_text()).empty();) {
            seen = r;
            p.send(ok);
        }
    });
    client c;
    REQUIRE(c.open(server.url() + "/v1") == CHM_OK);
    for (std::uint32_t i = 0; i < 3; ++i) {
        const outcome r = c.fetch({.method = "POST", .path = "/chat", .body = "{}"});
        CHECK(r.error == "");
        CHECK(r.body() == "ok");
        CHECK(r.timing.reused == (i == 0 ? 0 : 1));
        CHECK(r.timing.connected_ns > 0);
        CHECK(r.timing.sent_ns >= r.timing.connected_ns);
        CHECK(r.timing.first_byte_ns >= r.timing.sent_ns);
        CHECK(r.timing.readable_ns == 0); // the kernel does not stamp there
    }
    CHECK(seen == "POST /v1/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}");
    REQUIRE(c.open("http+unix://" + here.file("x.sock")) == CHM_OK);
    CHECK(c.fetch().body() == "ok");
    CHECK(seen.starts_with("GET / HTTP/1.1\r\n"));
}

TEST_CASE("an exchange over a unix socket that is closed early takes its connection with it") {
    const server_room here;
    one_by_one_server server(here.file("x.sock"), [&](peer& p) {
        p.request_text();
        if (p.number() > 0) {
            p.send(ok);
            return;
        }
        p.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n0\r\nT: u");
        p.rest();
    });
    client c;
    REQUIRE(c.open(server.url()) == CHM_OK);
    chm_exchange* x = c.start();
    chm_head head{};
    chm_str view{};
    REQUIRE(c.wait_head(x, head) == CHM_READY);
    REQUIRE(c.wait_chunk(x, view) == CHM_READY);
    CHECK(c.poll_chunk(x, view) == CHM_PENDING);
    x->vt->close(x);
    const outcome r = c.fetch();
    CHECK(r.body() == "ok");
    CHECK(r.timing.reused == 0);
    CHECK(r.timing.retries == 0);
}

TEST_CASE("a unix socket that cannot be connected to is CHM_E_CONNECT, with its path") {
    const server_room here;
    client c;
    const std::string path = here.file("x.sock");
    const std::string url = "http+unix://" + percent_encoded(path);
    const outcome missing = c.fetch_from(url + "/v1", {.path = "/chat"});
    CHECK(missing.rc == CHM_E_CONNECT);
    CHECK(missing.error == url + "/v1/chat: connecting to the unix socket " + path + ": No such file or directory");
    listen_on_path(path, 1).reset();
    const outcome refused = c.fetch();
    CHECK(refused.rc == CHM_E_CONNECT);
    CHECK(says(refused, "connecting to the unix socket " + path + ": Connection refused"));
    const outcome below = c.fetch_from(url + "%2Fv1");
    CHECK(below.rc == CHM_E_CONNECT);
    CHECK(says(below, "connecting to the unix socket " + path + "/v1: Not a directory"));
}

TEST_CASE("a listener whose queue is full is waited for, and no longer than connect_timeout_ms") {
    const server_room here;
    const std::string path = here.file("x.sock");
    for (const std::string_view limit : {"60", "10000", "0"}) {
        CAPTURE(limit);
        owned_fd listener = listen_on_path(path, 0);
        const owned_fd first(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const address to = address::unix_socket(path);
        REQUIRE(::connect(first.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.length) == 0);
        client c({{"connect_timeout_ms", limit}});
        std::jthread server;
        if (limit != "60")
            server = std::jthread([&] {
                pause_ms(50);
                owned_fd(::accept(listener.get(), nullptr, nullptr)).reset();
                const owned_fd accepted(::accept(listener.get(), nullptr, nullptr));
                peer p(accepted.get(), 0, 0, nullptr);
                p.request_text();
                p.send(ok);
            });
        const outcome r = c.fetch_from("http+unix://" + percent_encoded(path));
        if (limit == "60") {
            CHECK(r.rc == CHM_E_TIMEOUT);
            CHECK(
                says(r, "connecting to the unix socket " + path + ": no connection within 60 ms (connect_timeout_ms)"));
        } else {
            CHECK(r.error == "");
            CHECK(r.body() == "ok");
        }
        if (server.joinable()) server.join();
        std::filesystem::remove(path);
    }
}

TEST_CASE("descriptors that a server passes over a unix socket are not taken") {
    const server_room here;
    one_by_one_server server(here.file("x.sock"), [&](peer& p) {
        p.request_text();
        iovec bytes{const_cast<char*>(ok.data()), ok.size()};
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
        msghdr message{};
        message.msg_iov = &bytes;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        cmsghdr* const passed = CMSG_FIRSTHDR(&message);
        passed->cmsg_level = SOL_SOCKET;
        passed->cmsg_type = SCM_RIGHTS;
        passed->cmsg_len = CMSG_LEN(sizeof(int));
        const int fd = p.fd();
        std::memcpy(CMSG_DATA(passed), &fd, sizeof fd);
        CHECK(::sendmsg(p.fd(), &message, MSG_NOSIGNAL) == static_cast<ssize_t>(ok.size()));
        p.rest();
    });
    client c; // its end proves that no descriptor is left
    CHECK(c.fetch_from(server.url()).body() == "ok");
}
