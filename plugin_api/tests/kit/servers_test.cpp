// The kit's servers before a client that is not the kit's: libcurl, over every wire, as HTTP/1.1 and as HTTP/2.
#include "conformance/scripted_server/scripted_server.hpp"

#include <curl/curl.h>
#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "conformance/kit/census.hpp"
#include "conformance/kit/scale.hpp"

using namespace chimera::conformance;

namespace {

struct answer {
    CURLcode code;
    long status = 0, version = 0;
    std::string body;
};

std::size_t append(const char* bytes, std::size_t, std::size_t n, void* to) {
    static_cast<std::string*>(to)->append(bytes, n);
    return n;
}

/// One request, over a connection of its own.
answer fetch(const scripted_server& server, const served& how, const std::string& body, bool head = false) {
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy(curl_easy_init(), curl_easy_cleanup);
    const auto set = [&](CURLoption option, auto value) {
        REQUIRE(curl_easy_setopt(easy.get(), option, value) == CURLE_OK);
    };
    answer a;
    std::string url = server.url();
    if (how.over == wire::unix_socket) {
        std::string path = url.substr(url.find("//") + 2);
        for (std::size_t at; (at = path.find("%2F")) != std::string::npos;) path.replace(at, 3, "/");
        set(CURLOPT_UNIX_SOCKET_PATH, path.c_str());
        url = "http://localhost";
    }
    url += "/some/path";
    const std::string ca = how.room->ca_file();
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_CAINFO, ca.c_str());
    set(CURLOPT_HTTP_VERSION, long{!how.http2              ? CURL_HTTP_VERSION_1_1
                                   : how.over == wire::tls ? CURL_HTTP_VERSION_2TLS
                                                           : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE});
    set(CURLOPT_TIMEOUT, 20L);
    set(CURLOPT_NOPROXY, "*");
    set(CURLOPT_WRITEFUNCTION, &append);
    set(CURLOPT_WRITEDATA, &a.body);
    if (head) set(CURLOPT_NOBODY, 1L);
    if (!body.empty()) {
        set(CURLOPT_POSTFIELDS, body.c_str());
        set(CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    }
    a.code = curl_easy_perform(easy.get());
    curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &a.status);
    curl_easy_getinfo(easy.get(), CURLINFO_HTTP_VERSION, &a.version);
    return a;
}

template <class Test>
void over_everything(Test test) {
    start_first_thread();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    const census before = census::take();
    {
        const server_room room;
        for (const wire over : {wire::tcp, wire::unix_socket, wire::tls})
            for (const bool http2 : {false, true}) {
                CAPTURE(name_of(over));
                CAPTURE(http2);
                test(served{.over = over, .http2 = http2, .room = &room});
            }
    }
    CHECK(before.left_over_after(std::chrono::seconds(5)).empty());
}

} // namespace

TEST_CASE("a request comes to the script as it was sent, and its answer to the client") {
    over_everything([](const served& how) {
        std::string seen_line, seen_host, seen_body;
        const scripted_server server(
            [&](peer& p) {
                const auto r = p.request();
                if (!r) return;
                seen_line = r->line;
                seen_host = r->header("host");
                seen_body = r->body;
                p.send("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
                p.send(
                    "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
                    7);
                p.wait_for_close();
            },
            how);
        const std::string big(300'000, 'b');
        const answer a = fetch(server, how, big);
        CHECK(a.code == CURLE_OK);
        CHECK(a.status == 201);
        CHECK(a.body == "hello world");
        CHECK(a.version == (how.http2 ? CURL_HTTP_VERSION_2_0 : CURL_HTTP_VERSION_1_1));
        CHECK(seen_line == "POST /some/path HTTP/1.1");
        CHECK(seen_host == server.authority());
        CHECK(seen_body == big);
    });
}

TEST_CASE("the answer to HEAD has no body, and one without a length ends with its script") {
    over_everything([](const served& how) {
        const scripted_server server(
            [](peer& p) {
                const auto r = p.request();
                p.send(r && r->line.starts_with("HEAD") ? "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
                                                        : "HTTP/1.1 200 OK\r\n\r\nuntil the end");
            },
            how);
        const answer none = fetch(server, how, "", true), whole = fetch(server, how, "");
        CHECK(none.code == CURLE_OK);
        CHECK(none.status == 200);
        CHECK(whole.code == CURLE_OK);
        CHECK(whole.body == "until the end");
        CHECK(server.connections() == 2);
    });
}

TEST_CASE("an answer that breaks off is not an answer, whether it is closed or reset") {
    over_everything([](const served& how) {
        for (const bool reset : {false, true}) {
            const scripted_server server(
                [&](peer& p) {
                    p.request();
                    p.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
                    sleep_ms(20);
                    if (reset) p.reset();
                },
                how);
            const answer a = fetch(server, how, "");
            CHECK(a.code != CURLE_OK);
            CHECK(a.body == "only this");
        }
    });
}
