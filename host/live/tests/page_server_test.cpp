// The port that Prometheus scrapes, against peers that take what they can get.
#include "live/page_server.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <functional>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

using namespace chimera::host;
using namespace std::chrono_literals;
using chimera::sdk::owned_fd;

namespace {

const std::string request = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string some_page = "# HELP a b\n# TYPE a gauge\na 1\n";

std::ptrdiff_t open_files() {
    const std::filesystem::directory_iterator files("/proc/self/fd");
    return std::distance(begin(files), end(files));
}

bool become(const std::function<bool()>& what) {
    for (int i = 0; i < 1000 && !what(); ++i) std::this_thread::sleep_for(10ms);
    return what();
}

/// A server of the one page that Prometheus scrapes.
class metrics_server : public page_server {
  public:
    metrics_server(const std::string& address, int port, std::function<std::string()> page,
                   const page_server_limits& limits = {})
        : page_server({"--metrics-port", address, port}, {{"/metrics", metrics_type, std::move(page)}}, limits) {}
};

std::uint16_t port_of(const page_server& s) {
    const std::string& url = s.url();
    return static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
}

/// A connection that waits 10 s at most for anything.
class peer {
  public:
    explicit peer(std::uint16_t port, int receive_buffer = 0) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        REQUIRE(fd_);
        const timeval limit{10, 0};
        setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        if (receive_buffer != 0) setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    }
    bool send(std::string_view bytes) const {
        return ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
    }
    void end() const { ::shutdown(fd_.get(), SHUT_WR); }
    /// A response with its length; empty: the connection ended or nothing came.
    std::string response(bool head_only = false) {
        for (;;) {
            const auto end = in_.find("\r\n\r\n");
            if (end != std::string::npos) {
                const auto at = in_.find("Content-Length: ");
                REQUIRE(at < end);
                const std::size_t size = end + 4 + (head_only ? 0 : std::stoul(in_.substr(at + 16)));
                if (in_.size() >= size) {
                    const std::string all = in_.substr(0, size);
                    in_.erase(0, size);
                    return all;
                }
            }
            std::array<char, 65536> bytes;
            const auto n = ::recv(fd_.get(), bytes.data(), bytes.size(), 0);
            if (n <= 0) return {};
            in_.append(bytes.data(), static_cast<std::size_t>(n));
        }
    }
    /// The server ends the connection, and sends nothing more before that.
    bool ends() const {
        char byte = 0;
        const auto n = ::recv(fd_.get(), &byte, 1, 0);
        return n == 0 || (n < 0 && errno == ECONNRESET);
    }
    bool has_ended() const {
        pollfd p{fd_.get(), POLLIN | POLLRDHUP, 0};
        return ::poll(&p, 1, 0) > 0;
    }

  private:
    owned_fd fd_;
    std::string in_;
};

std::string answer_to(std::uint16_t port, std::string_view text, bool head_only = false) {
    peer p(port);
    p.send(text);
    return p.response(head_only);
}

bool scrapes(std::uint16_t port) { return answer_to(port, request).ends_with(some_page); }

/// How many connections this process may have, 2000 at most.
int most_peers() {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return static_cast<int>(std::min<rlim_t>(2000, limit.rlim_cur - 150));
}

} // namespace

TEST_CASE("what it answers") {
    const metrics_server s("127.0.0.1", 0, [] { return some_page; });
    const auto port = port_of(s);
    const auto status = [port](std::string_view text) { return answer_to(port, text).substr(9, 3); };
    const std::string page = answer_to(port, request);
    CHECK(page.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(page.find("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n") != std::string::npos);
    CHECK(page.find("\r\nDate: ") != std::string::npos);
    CHECK(page.ends_with("\r\n\r\n" + some_page));
    CHECK(status("GET /metrics?x=1 HTTP/1.0\r\n\r\n") == "200");
    CHECK(status("GET http://localhost:1/metrics HTTP/1.1\r\nHost: x\r\n\r\n") == "200");
    CHECK(status("\r\nGET /metrics HTTP/1.1\nHost: x\n\n") == "200");
    CHECK(status("GET / HTTP/1.1\r\nHost: x\r\n\r\n") == "404");
    CHECK(status("GET http://localhost HTTP/1.1\r\nHost: x\r\n\r\n") == "404");
    CHECK(status("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc") == "405");
    CHECK(status("GET /metrics HTTP/2.0\r\n\r\n") == "400");
    CHECK(status("GET /metrics\r\n\r\n") == "400");
    CHECK(status("GET /metrics HTTP/1.1\r\nA b\r\n\r\n") == "400");
    CHECK(status("GET /metrics HTTP/1.1\r\nContent-Length: x\r\n\r\n") == "400");
    CHECK(status("GET /metrics HTTP/1.1\r\nA: " + std::string(20'000, 'b')) == "431");
    CHECK(status(std::string(20'000, '\n')) == "431");
    const std::string head = answer_to(port, "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n", true);
    CHECK(head.find("Content-Length: " + std::to_string(some_page.size()) + "\r\n") != std::string::npos);
    CHECK(answer_to(port, "POST /metrics HTTP/1.1\r\n\r\n").find("\r\nAllow: GET, HEAD\r\n") != std::string::npos);
}

TEST_CASE("a connection is kept, also by one that asks ahead, and ended when it is asked to end") {
    const metrics_server s("127.0.0.1", 0, [] { return some_page; });
    peer p(port_of(s));
    for (const char c : request + request) p.send({&c, 1});
    CHECK(p.response().ends_with(some_page));
    CHECK(p.response().ends_with(some_page));
    p.send(request + request + request + "HEAD /metrics HTTP/1.1\r\nConnection: close\r\n\r\n" + request);
    for (int i = 0; i < 3; ++i) CHECK(p.response().ends_with(some_page));
    CHECK(p.response(true).find("Connection: close\r\n") != std::string::npos);
    CHECK(p.ends());
    peer half(port_of(s));
    half.send(request);
    half.end();
    CHECK(half.response().ends_with(some_page));
    CHECK(half.ends());
}

TEST_CASE("a page that cannot be made is a 500, and the next one is served") {
    std::atomic<bool> fails = true;
    const metrics_server s("127.0.0.1", 0, [&fails] {
        if (fails) throw std::runtime_error("no figures");
        return some_page;
    });
    const std::string answer = answer_to(port_of(s), request);
    CHECK(answer.starts_with("HTTP/1.1 500 "));
    CHECK(answer.find("no figures") != std::string::npos);
    fails = false;
    CHECK(scrapes(port_of(s)));
}

TEST_CASE("hundreds of idle connections, with whole or unfinished requests, keep no scrape out") {
    const int peers = most_peers();
    const auto held = open_files();
    {
        const metrics_server s("127.0.0.1", 0, [] { return some_page; });
        const auto port = port_of(s);
        for (const std::string_view first : {"", "GET /metr"}) {
            std::vector<std::unique_ptr<peer>> idle;
            for (int i = 0; i < peers; ++i) {
                idle.push_back(std::make_unique<peer>(port));
                idle.back()->send(first);
                if (i == 223 || i % 500 == 0) CHECK(scrapes(port));
            }
            CHECK(scrapes(port));
            CHECK(become([&] { return idle.front()->has_ended(); })); // the oldest goes first
            CHECK_FALSE(idle.back()->has_ended());
            CHECK(open_files() < held + peers + 80);
        }
    }
    CHECK(open_files() == held);
}

TEST_CASE("a peer that scrapes is not taken for idle before peers that never asked") {
    page_server_limits few;
    few.connections = 4;
    const metrics_server s(
        "127.0.0.1", 0, [] { return some_page; }, few);
    const auto port = port_of(s);
    peer a(port), b(port), c(port), scraper(port);
    for (int i = 0; i < 3; ++i) {
        scraper.send(request);
        CHECK(scraper.response().ends_with(some_page));
    }
    const peer d(port), e(port);
    CHECK(a.ends());
    CHECK(b.ends());
    scraper.send(request);
    CHECK(scraper.response().ends_with(some_page));
    CHECK_FALSE(c.has_ended());
}

TEST_CASE("a request has to be whole in time, and an idle connection has to ask in time") {
    page_server_limits short_times;
    short_times.head = 150ms;
    short_times.idle = 300ms;
    const metrics_server s(
        "127.0.0.1", 0, [] { return some_page; }, short_times);
    const peer silent(port_of(s));
    CHECK(silent.ends());
    const peer slow(port_of(s));
    for (int i = 0; i < 300 && slow.send("A"); ++i) std::this_thread::sleep_for(10ms); // a byte now and then
    CHECK(slow.ends());
    peer lines(port_of(s)); // also behind a request, and in whole lines
    lines.send(request);
    CHECK(lines.response().ends_with(some_page));
    lines.send("GET /metrics HTTP/1.1\r\n");
    for (int i = 0; i < 300 && lines.send("A: b\r\n"); ++i) std::this_thread::sleep_for(10ms);
    CHECK(lines.ends());
    peer idle(port_of(s));
    idle.send(request);
    CHECK(idle.response().ends_with(some_page));
    CHECK(idle.ends());
}

TEST_CASE("one that does not take its page is given up, and keeps nobody from theirs") {
    page_server_limits limits;
    limits.answer = 300ms;
    limits.connections = 8;
    const std::string large(8 << 20, 'x');
    std::atomic<int> made = 0;
    const metrics_server s(
        "127.0.0.1", 0, [&] { return ++made <= 20 ? large : some_page; }, limits);
    const auto held = open_files();
    std::vector<std::unique_ptr<peer>> slow;
    for (int i = 0; i < 20; ++i) {
        slow.push_back(std::make_unique<peer>(port_of(s), 4096));
        slow.back()->send(request);
        REQUIRE(become([&] { return made > i; }));
    }
    CHECK(open_files() <= held + 20 + 8);
    CHECK(scrapes(port_of(s)));
    CHECK(become([&] { return open_files() == held + 20; }));
}

TEST_CASE("without descriptors it waits, and serves when there are some again") {
    const metrics_server s("127.0.0.1", 0, [] { return some_page; });
    peer waiting(port_of(s));
    waiting.send(request);
    CHECK(waiting.response().ends_with(some_page));
    std::vector<owned_fd> all;
    rlimit before{};
    getrlimit(RLIMIT_NOFILE, &before);
    const rlimit few{static_cast<rlim_t>(open_files() + 20), before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
    const owned_fd late(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) all.emplace_back(fd);
    REQUIRE(errno == EMFILE);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port_of(s));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(late.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    std::this_thread::sleep_for(100ms); // accepted before its request comes, it must not make room for nobody
    timespec cpu_before{}, cpu_after{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu_before);
    REQUIRE(::send(late.get(), request.data(), request.size(), MSG_NOSIGNAL) > 0);
    std::array<char, 16> bytes{};
    CHECK(::recv(late.get(), bytes.data(), bytes.size(), 0) > 0); // an idle connection has made room
    CHECK(std::string_view(bytes.data(), 12) == "HTTP/1.1 200");
    std::this_thread::sleep_for(300ms);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu_after);
    const auto ns = [](const timespec& t) { return t.tv_sec * 1'000'000'000 + t.tv_nsec; };
    CHECK(ns(cpu_after) - ns(cpu_before) < 200'000'000); // it does not spin
    all.clear();
    setrlimit(RLIMIT_NOFILE, &before);
    CHECK(scrapes(port_of(s)));
}

TEST_CASE("IPv6: its URL has brackets, and :: takes IPv4 too") {
    const owned_fd fd(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in6 at{};
    at.sin6_family = AF_INET6;
    at.sin6_addr = in6addr_loopback;
    if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) {
        MESSAGE("this machine has no IPv6");
        return;
    }
    const metrics_server loopback("::1", 0, [] { return some_page; });
    CHECK(loopback.url().starts_with("http://[::1]:"));
    at.sin6_port = htons(port_of(loopback));
    const owned_fd client(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::connect(client.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
    REQUIRE(::send(client.get(), request.data(), request.size(), MSG_NOSIGNAL) > 0);
    std::array<char, 16> bytes{};
    CHECK(::recv(client.get(), bytes.data(), bytes.size(), 0) > 0);
    CHECK(std::string_view(bytes.data(), 12) == "HTTP/1.1 200");
    const metrics_server any("::", 0, [] { return some_page; });
    CHECK(any.url().starts_with("http://[::]:"));
    CHECK(scrapes(port_of(any)));
}

TEST_CASE("an address that cannot be listened on is named, with the reason") {
    const metrics_server first("127.0.0.1", 0, [] { return some_page; });
    const auto refused = [](const std::string& address, int port) -> std::string {
        try {
            const metrics_server s(address, port, [] { return some_page; });
        } catch (const std::runtime_error& e) {
            return e.what();
        }
        return {};
    };
    const int port = port_of(first);
    CHECK(refused("127.0.0.1", port).find("127.0.0.1:" + std::to_string(port) + ": Address already in use") !=
          std::string::npos);
    CHECK(refused("192.0.2.1", 0).find("192.0.2.1:0: Cannot assign requested address") != std::string::npos);
    CHECK(refused("localhost", 0).find("localhost:0: ") != std::string::npos);
}

TEST_CASE("it ends within milliseconds, whatever its connections do, and leaves nothing open") {
    const auto held = open_files();
    auto s = std::make_unique<metrics_server>("127.0.0.1", 0, [] { return std::string(8 << 20, 'x'); });
    const auto port = port_of(*s);
    const peer silent(port), begun(port), slow(port, 4096);
    begun.send("GET /met");
    slow.send(request);
    std::this_thread::sleep_for(50ms);
    const auto begin = std::chrono::steady_clock::now();
    s.reset();
    CHECK(std::chrono::steady_clock::now() - begin < 1s);
    CHECK(silent.ends());
    CHECK(open_files() == held + 3);
}
