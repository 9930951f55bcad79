// Requests through a forward proxy: asked for by the option `proxy`, never by the environment alone.
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdlib>

#include "leak_check.hpp"

using namespace curl_test;

namespace {

const std::string hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/// Environment variables for the time of a test; all that tell of proxies are unset otherwise.
class environment {
  public:
    environment(std::initializer_list<std::pair<const char*, std::string>> values) {
        clear();
        for (const auto& [name, value] : values) ::setenv(name, value.c_str(), 1);
    }
    environment(const environment&) = delete;
    environment& operator=(const environment&) = delete;
    ~environment() { clear(); }

  private:
    static void clear() {
        for (const char* name : {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                                 "no_proxy", "NO_PROXY"})
            ::unsetenv(name);
    }
};

void serve_hello(peer& p) {
    while (!p.request_text().empty() && p.send(hello)) {
    }
}

/// A forward proxy for requests in absolute form: it passes each on over a connection of its own, and the answer back.
class forward_proxy {
  public:
    /// credentials: the value that Proxy-Authorization has to have; empty: none is asked for.
    explicit forward_proxy(std::string credentials = {}) : credentials_(std::move(credentials)) {}
    std::string address() const { return "127.0.0.1:" + std::to_string(server_.port()); }
    unsigned connections() const noexcept { return server_.connections(); }
    int requests() const noexcept { return requests_; }
    std::string last; ///< request, read while no exchange is open

  private:
    void serve(peer& p) {
        for (std::string q = p.request_text(); !q.empty(); q = p.request_text()) {
            ++requests_;
            last = q;
            if (q.starts_with("CONNECT ")) {
                p.send("HTTP/1.1 403 Forbidden\r\nX-Proxy: 1\r\nContent-Length: 0\r\n\r\n");
                continue;
            }
            if (!credentials_.empty() && q.find("Proxy-Authorization: " + credentials_ + "\r\n") == std::string::npos) {
                p.send("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n"
                       "Content-Length: 6\r\n\r\nwhoami");
                continue;
            }
            p.send(passed_on(q));
        }
    }
    static std::string passed_on(const std::string& request) {
        const std::size_t from = request.find("http://127.0.0.1:"), path = request.find('/', from + 7);
        if (from == std::string::npos) return "HTTP/1.1 400 Not absolute\r\nContent-Length: 0\r\n\r\n";
        const int port = std::stoi(request.substr(from + 17));
        const auto fd = chimera::sdk::owned_fd::checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
            return "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n";
        const std::string direct = request.substr(0, from) + request.substr(path);
        ::send(fd.get(), direct.data(), direct.size(), MSG_NOSIGNAL);
        char buffer[4096];
        const ssize_t n = ::recv(fd.get(), buffer, sizeof buffer, 0);
        return {buffer, static_cast<std::size_t>(std::max<ssize_t>(n, 0))};
    }
    const std::string credentials_;
    std::atomic<int> requests_{0};
    one_by_one_server server_{[this](peer& p) { serve(p); }};
};

struct result {
    int status;
    std::string body;
    chm_exchange_timing timing;
};

result fetch(session& s) {
    exchange x = s.start({"POST", "/api?q=1", "{}"});
    const int status = x.head();
    std::string body = x.rest();
    return {status, std::move(body), x.timing()};
}

int status_with(const std::string& option, const std::string& url) {
    turned_reactor r;
    transport t({{"proxy", option}});
    session s(r, t, url);
    return fetch(s).status;
}

} // namespace

TEST_CASE("a proxy gets the request in absolute form, and its connection is used again") {
    leak_check leaks;
    const environment none{};
    std::string seen;
    one_by_one_server server([&](peer& p) {
        seen = p.request_text();
        p.send(hello);
    });
    forward_proxy proxy;
    turned_reactor r;
    transport t({{"proxy", "http://" + proxy.address()}});
    session s(r, t, server.url() + "/v1");
    for (int i = 0; i < 3; ++i) {
        const result got = fetch(s);
        CHECK(got.status == 200);
        CHECK(got.body == "hello");
        CHECK(got.timing.reused == (i > 0));
        CHECK(got.timing.retries == 0);
        CHECK(got.timing.sent_ns >= got.timing.connected_ns);
        CHECK(got.timing.first_byte_ns > got.timing.sent_ns);
        CHECK(proxy.last.starts_with("POST " + server.url() +
                                     "/v1/api?q=1 HTTP/1.1\r\nHost: " + server.url().substr(7) + "\r\n"));
        CHECK(seen.starts_with("POST /v1/api?q=1 HTTP/1.1\r\n"));
    }
    CHECK(proxy.connections() == 1);
    CHECK(server.connections() == 3);
}

TEST_CASE("the environment is asked only when the option says so") {
    leak_check leaks;
    one_by_one_server server(serve_hello);
    forward_proxy proxy;
    for (const char* name : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"}) {
        CAPTURE(name);
        const environment set{{name, proxy.address()}};
        const int before = proxy.requests();
        CHECK(status_with("", server.url()) == 200);
        CHECK(proxy.requests() == before);
        CHECK(status_with("env", server.url()) == 200);
        CHECK(proxy.requests() == before + 1);
    }
    const int before = proxy.requests();
    {
        const environment first{{"http_proxy", proxy.address()}, {"HTTP_PROXY", "127.0.0.1:1"}};
        CHECK(status_with("env", server.url()) == 200);
        CHECK(proxy.requests() == before + 1);
    }
    {
        const environment other{{"https_proxy", proxy.address()}}; // not for http
        CHECK(status_with("env", server.url()) == 200);
    }
    {
        const environment none{};
        CHECK(status_with("env", server.url()) == 200);
    }
    CHECK(proxy.requests() == before + 1);
}

TEST_CASE("NO_PROXY holds for the environment's proxy, not for one that the option names") {
    leak_check leaks;
    one_by_one_server server(serve_hello);
    forward_proxy proxy;
    for (const char* name : {"no_proxy", "NO_PROXY"})
        for (const char* hosts : {"127.0.0.1", "example.com, 127.0.0.0/8", "*"}) {
            const environment set{{"http_proxy", proxy.address()}, {name, hosts}};
            const int before = proxy.requests();
            CHECK(status_with("env", server.url()) == 200);
            CHECK(proxy.requests() == before);
            CHECK(status_with(proxy.address(), server.url()) == 200);
            CHECK(proxy.requests() == before + 1);
        }
    const environment another{{"http_proxy", proxy.address()}, {"no_proxy", "example.com"}};
    const int before = proxy.requests();
    CHECK(status_with("env", server.url()) == 200);
    CHECK(proxy.requests() == before + 1);
}

TEST_CASE("the environment counts as it was when the transport was made") {
    leak_check leaks;
    one_by_one_server server(serve_hello);
    forward_proxy proxy;
    turned_reactor r;
    std::unique_ptr<transport> t;
    {
        const environment set{{"HTTP_PROXY", proxy.address()}};
        t = std::make_unique<transport>(option_list{{"proxy", "env"}});
    }
    const environment later{{"http_proxy", "127.0.0.1:1"}, {"no_proxy", "*"}};
    session s(r, *t, server.url());
    CHECK(fetch(s).status == 200);
    CHECK(proxy.requests() == 1);
}

TEST_CASE("credentials in the proxy's URL are sent to it; without them its 407 is the response") {
    leak_check leaks;
    const environment none{};
    one_by_one_server server(serve_hello);
    forward_proxy proxy("Basic bWU6c2UvY3JldA=="); // me:se/cret
    CHECK(status_with("http://me:se%2Fcret@" + proxy.address(), server.url()) == 200);
    CHECK(server.connections() == 1);
    {
        turned_reactor r;
        transport t({{"proxy", proxy.address()}});
        session s(r, t, server.url());
        const result got = fetch(s);
        CHECK(got.status == 407);
        CHECK(got.body == "whoami");
        CHECK(got.timing.retries == 0);
    }
    CHECK(status_with("http://me:wrong@" + proxy.address(), server.url()) == 407);
    CHECK(server.connections() == 1);
}

TEST_CASE("no message shows the credentials of a proxy") {
    leak_check leaks;
    const environment none{};
    forward_proxy proxy;
    turned_reactor r;
    const auto failure = [&](const std::string& option, const std::string& url) {
        const error e = failure_of([&] {
            transport t({{"proxy", option}});
            session s(r, t, url);
            s.start({"GET", "/"}).head();
        });
        CAPTURE(e.what());
        CHECK(std::string_view(e.what()).find("secret") == std::string_view::npos);
        CHECK(std::string_view(e.what()).size() > 20);
        return e.code();
    };
    const std::string target = "http://127.0.0.1:9";
    CHECK(failure("http://me:secret@127.0.0.1:1", target) == CHM_E_CONNECT);
    CHECK(failure("http://me:secret@nonexistent.invalid:1", target) == CHM_E_RESOLVE);
    CHECK(failure("socks5://me:secret@127.0.0.1:1", target) == CHM_E_CONNECT);
    CHECK(failure("http://me:secret@" + proxy.address(), "https://127.0.0.1:9") == CHM_E_CONNECT); // no tunnel
    CHECK(failure("ftp://me:secret@127.0.0.1:1", target) == CHM_E_INVAL);
    CHECK(failure("http://me:secret@127.0.0.1:99999", target) == CHM_E_INVAL);
    CHECK(failure("http://me:secret%zz@127.0.0.1:1", target) == CHM_E_INVAL);
    CHECK(failure("http://me:secret%0a@127.0.0.1:1", target) == CHM_E_INVAL);
    CHECK(failure("http://me:secret@", target) == CHM_E_INVAL);
    CHECK(failure("me:secret@a b", target) == CHM_E_INVAL);
    const environment set{{"http_proxy", "ftp://me:secret@127.0.0.1"}};
    const error e = failure_of([] { transport t({{"proxy", "env"}}); });
    CHECK(e.code() == CHM_E_INVAL);
    CHECK(std::string_view(e.what()).find("http_proxy") != std::string_view::npos);
    CHECK(std::string_view(e.what()).find("secret") == std::string_view::npos);
}

TEST_CASE("a proxy that drops its connection upon the next request: sent once more, and told") {
    leak_check leaks;
    const environment none{};
    one_by_one_server proxy([](peer& p) {
        if (!p.request_text().empty()) p.send(hello);
        p.request(); // read, and closed without a byte of an answer
    });
    turned_reactor r;
    transport t({{"proxy", proxy.url()}});
    session s(r, t, "http://127.0.0.1:9");
    CHECK(fetch(s).timing.retries == 0);
    for (int i = 0; i < 2; ++i) {
        const result got = fetch(s);
        CHECK(got.body == "hello");
        CHECK(got.timing.retries == 1);
        CHECK(got.timing.reused == 0);
    }
    CHECK(proxy.connections() == 3);
}

TEST_CASE("what a proxy says behind a response is not taken for the next one") {
    leak_check leaks;
    const environment none{};
    std::atomic<int> taken{0}, said{0};
    one_by_one_server proxy([&](peer& p) {
        if (p.request_text().empty()) return;
        p.send(hello);
        while (taken <= static_cast<int>(p.number())) std::this_thread::yield();
        p.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstale");
        ++said;
        p.client_gone(5'000);
    });
    turned_reactor r;
    transport t({{"proxy", proxy.url()}});
    session s(r, t, "http://127.0.0.1:9");
    for (int i = 0; i < 3; ++i) {
        const result got = fetch(s);
        CHECK(got.body == "hello");
        CHECK(got.timing.reused == 0);
        CHECK(got.timing.retries == 0);
        ++taken;
        while (said <= i) std::this_thread::yield();
    }
    CHECK(proxy.connections() == 3);
}
