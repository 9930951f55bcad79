#include "scripted_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>

#include "expect.hpp"

namespace chimera::conformance {

std::string wire_request::header(std::string_view name) const {
    const std::string start = "\n" + std::string(name) + ": ";
    const std::string all = "\n" + headers;
    const std::size_t at = all.find(start);
    if (at == std::string::npos) return "";
    const std::size_t value = at + start.size();
    return all.substr(value, all.find('\n', value) - value);
}

namespace {

wire_request parse_head(std::string_view head) {
    wire_request r;
    bool first = true;
    while (!head.empty()) {
        const std::size_t end = head.find("\r\n");
        std::string line(head.substr(0, end));
        head.remove_prefix(end == std::string_view::npos ? head.size() : end + 2);
        if (std::exchange(first, false)) {
            r.line = line;
            continue;
        }
        const std::size_t colon = std::min(line.find(':'), line.size());
        std::transform(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(colon), line.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        r.headers += line + "\n";
    }
    return r;
}

} // namespace

std::optional<wire_request> peer::request() {
    std::size_t head_end, need = std::string::npos;
    wire_request r;
    for (;;) {
        head_end = unread_.find("\r\n\r\n");
        if (head_end != std::string::npos && need == std::string::npos) {
            r = parse_head(std::string_view(unread_).substr(0, head_end));
            const std::string length = r.header("content-length");
            std::size_t n = 0;
            std::from_chars(length.data(), length.data() + length.size(), n);
            need = head_end + 4 + n;
            if (r.header("expect") == "100-continue" && n > 0) send("HTTP/1.1 100 Continue\r\n\r\n");
        }
        if (unread_.size() >= need && need != std::string::npos) break;
        char buffer[65536];
        const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return std::nullopt;
        unread_.append(buffer, static_cast<std::size_t>(n));
    }
    r.body = unread_.substr(head_end + 4, need - head_end - 4);
    unread_.erase(0, need);
    return r;
}

bool peer::send(std::string_view bytes, std::size_t piece) {
    while (!bytes.empty()) {
        const std::size_t want = piece ? std::min(piece, bytes.size()) : bytes.size();
        const ssize_t n = ::send(fd_, bytes.data(), want, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

void peer::close() noexcept { ::shutdown(fd_, SHUT_RDWR); }

void peer::reset() noexcept {
    // With this linger time the close at the end of the script sends a reset; unread data would do the same.
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

void peer::wait_for_close() {
    char buffer[65536];
    for (;;) {
        const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
        if (n == 0 || (n < 0 && errno != EINTR)) return;
    }
}

scripted_server::scripted_server(script s, bool v6) : script_(std::move(s)), v6_(v6) {
    const int family = v6 ? AF_INET6 : AF_INET;
    listener_ = sdk::owned_fd::checked(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_addr = in6addr_loopback;
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* address = v6 ? reinterpret_cast<sockaddr*>(&six) : reinterpret_cast<sockaddr*>(&four);
    socklen_t size = v6 ? sizeof six : sizeof four;
    if (::bind(listener_.get(), address, size) < 0 || ::listen(listener_.get(), 512) < 0) {
        if (v6) throw skipped("this machine has no IPv6");
        throw failure("the kit's server cannot listen");
    }
    ::getsockname(listener_.get(), address, &size);
    port_ = ntohs(v6 ? six.sin6_port : four.sin_port);
    acceptor_ = std::jthread([this] { accept_all(); });
}

scripted_server::~scripted_server() {
    over_ = true;
    ::shutdown(listener_.get(), SHUT_RDWR);
    acceptor_.join();
    {
        const std::lock_guard lock(mutex_);
        for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    threads_.clear();
}

void scripted_server::accept_all() {
    for (;;) {
        const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
        if (over_) {
            if (fd >= 0) ::close(fd);
            return;
        }
        if (fd < 0) continue;
        const int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        const unsigned number = accepted_++;
        const std::lock_guard lock(mutex_);
        open_.push_back(fd);
        threads_.emplace_back([this, fd, number] { serve(fd, number); });
    }
}

void scripted_server::serve(int fd, unsigned number) {
    peer client(fd, number);
    script_(client);
    const std::lock_guard lock(mutex_);
    std::erase(open_, fd);
    ::close(fd);
}

std::string scripted_server::url() const {
    return (v6_ ? "http://[::1]:" : "http://127.0.0.1:") + std::to_string(port_);
}

} // namespace chimera::conformance
