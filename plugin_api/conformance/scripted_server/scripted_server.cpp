#include "scripted_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "../kit/expect.hpp"

namespace chimera::conformance {

namespace {

constexpr std::size_t most_connections = 4096; // of one server: each has a thread until the end
constexpr int backlog = 4096;                  // a Unix socket refuses connections when it is full

sdk::owned_fd bound_to_path(const std::filesystem::path& path) {
    auto made = sdk::owned_fd::checked(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    if (::bind(made.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0)
        throw failure("the scripted server cannot have the socket " + path.string());
    return made;
}

std::string header_lines(std::string_view status, std::string_view type, const std::vector<std::string>& more) {
    std::string head = "HTTP/1.1 " + std::string(status) + "\r\nContent-Type: " + std::string(type) + "\r\n";
    for (const std::string& line : more) head += line + "\r\n";
    return head;
}

} // namespace

std::string wire_request::header(std::string_view name) const {
    for (std::size_t at = 0; at < headers.size();) {
        const std::size_t end = headers.find("\r\n", at), colon = headers.find(':', at);
        if (colon < end && colon - at == name.size() && ::strncasecmp(&headers[at], name.data(), name.size()) == 0)
            return headers.substr(std::min(headers.find_first_not_of(' ', colon + 1), end),
                                  end - std::min(headers.find_first_not_of(' ', colon + 1), end));
        at = end + 2;
    }
    return "";
}

/// Adds to unread_; false when the client closed.
bool peer::receive() {
    char buffer[65536];
    ssize_t n;
    while ((n = ::recv(fd_, buffer, sizeof buffer, 0)) < 0 && errno == EINTR) {
    }
    if (n > 0) unread_.append(buffer, static_cast<std::size_t>(n));
    return n > 0;
}

std::optional<wire_request> peer::request() {
    std::size_t end;
    while ((end = unread_.find("\r\n\r\n")) == std::string::npos)
        if (!receive()) return std::nullopt;
    wire_request r;
    const std::size_t line_end = unread_.find("\r\n");
    r.line = unread_.substr(0, line_end);
    r.headers = unread_.substr(line_end + 2, end - line_end);
    const std::string length = r.header("content-length");
    std::size_t n = 0;
    std::from_chars(length.data(), length.data() + length.size(), n);
    if (r.header("expect") == "100-continue" && n > 0) send("HTTP/1.1 100 Continue\r\n\r\n");
    const std::size_t need = end + 4 + n;
    while (unread_.size() < need)
        if (!receive()) return std::nullopt;
    r.text = unread_.substr(0, need);
    r.body = r.text.substr(end + 4);
    unread_.erase(0, need);
    return r;
}

std::string peer::request_text() {
    auto r = request();
    return r ? std::move(r->text) : std::string();
}

bool peer::read(char* to, std::size_t size) {
    while (unread_.size() < size)
        if (!receive()) return false;
    std::memcpy(to, unread_.data(), size);
    unread_.erase(0, size);
    return true;
}

std::string peer::rest() {
    while (receive()) {
    }
    return std::exchange(unread_, {});
}

void peer::wait_for_close() {
    while (receive()) unread_.clear();
}

bool peer::client_gone(int ms) const {
    pollfd p{fd_, POLLRDHUP, 0};
    return ::poll(&p, 1, ms) > 0;
}

bool peer::send(std::string_view bytes, std::size_t piece, unsigned pause_us) {
    while (!bytes.empty()) {
        const std::size_t want = piece ? std::min(piece, bytes.size()) : bytes.size();
        const ssize_t n = ::send(fd_, bytes.data(), want, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(n));
        if (pause_us) std::this_thread::sleep_for(std::chrono::microseconds(pause_us));
    }
    return true;
}

bool peer::begin(std::string_view type, const std::vector<std::string>& more, std::string_view status) {
    return send(header_lines(status, type, more) + "Transfer-Encoding: chunked\r\n\r\n");
}

bool peer::chunk(std::string_view bytes) {
    std::array<char, 20> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", bytes.size());
    return send(size.data() + std::string(bytes) + "\r\n");
}

bool peer::whole(std::string_view status, std::string_view body, std::string_view type,
                 const std::vector<std::string>& more) {
    return send(header_lines(status, type, more) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                std::string(body));
}

void peer::close() noexcept { ::shutdown(fd_, SHUT_RDWR); }

void peer::reset() noexcept {
    if (end_) {
        end_->reset = true;
        return;
    }
    // With this linger time the close at the end of the script sends a reset; unread data would do the same.
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

scripted_server::scripted_server(script s, served how, std::function<void(const std::string&)> report)
    : script_(std::move(s)), how_(std::move(how)), report_(std::move(report)) {
    if (how_.over == wire::tls) tls_.emplace(how_.room->identity(), how_.http2);
    if (how_.over == wire::unix_socket) {
        if (how_.path.empty()) how_.path = how_.room->new_socket();
        listener_ = bound_to_path(how_.path);
    } else {
        std::tie(listener_, port_) = bound_to_loopback(how_.v6);
    }
    if (!how_.listens) return;
    if (::listen(listener_.get(), backlog) < 0) throw failure("the scripted server cannot listen");
    acceptor_ = std::jthread([this] { accept_all(); });
}

scripted_server::~scripted_server() {
    {
        const std::lock_guard lock(mutex_);
        over_ = true;
        for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    ::shutdown(listener_.get(), SHUT_RDWR);
    if (acceptor_.joinable()) acceptor_.join();
    threads_.clear();
    if (!how_.path.empty()) ::unlink(how_.path.c_str());
}

void scripted_server::accept_all() {
    for (;;) {
        const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
        std::unique_lock lock(mutex_);
        if (over_) {
            if (fd >= 0) ::close(fd);
            return;
        }
        if (fd < 0) continue;
        const int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // a Unix socket has no use for it
        const unsigned connection = accepted_++;
        if (threads_.size() >= most_connections) { // a client retries without end
            ::close(fd);
            continue;
        }
        open_.push_back(fd);
        if (how_.one_by_one) {
            lock.unlock();
            serve(fd, connection);
        } else {
            threads_.emplace_back([this, fd, connection] { serve(fd, connection); });
        }
    }
}

void scripted_server::serve(int fd, unsigned connection) {
    stream_end end;
    if (tls_) {
        int both[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) < 0)
            throw failure("the scripted server has no descriptors left");
        const std::jthread inside([this, connection, &end, mine = both[1]] {
            serve_inside(mine, connection, &end);
            ::close(mine);
        });
        tls_->carry(fd, both[0], end);
        ::close(both[0]);
    } else {
        serve_inside(fd, connection, nullptr);
    }
    const linger now{1, 0};
    if (end.reset) ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    const std::lock_guard lock(mutex_);
    std::erase(open_, fd);
    ::close(fd);
}

void scripted_server::serve_inside(int fd, unsigned connection, stream_end* end) {
    if (how_.http2) return serve_http2(fd, connection);
    peer client(fd, peers_++, connection, end);
    run_script(client);
}

void scripted_server::serve_http2(int fd, unsigned connection) {
    h2_front front(fd, how_.max_streams, [this, connection](int stream, stream_end& its_end) {
        peer client(stream, peers_++, connection, &its_end);
        run_script(client);
    });
    {
        const std::lock_guard lock(mutex_);
        fronts_.push_back(&front);
    }
    front.run(pings_answered_, streams_reset_);
    const std::lock_guard lock(mutex_);
    std::erase(fronts_, &front);
}

void scripted_server::run_script(peer& client) const {
    if (!report_) return script_(client);
    try {
        script_(client);
    } catch (const std::exception& e) {
        report_(std::string("in the kit's server: ") + e.what());
    }
}

void scripted_server::ping() {
    const std::lock_guard lock(mutex_);
    for (h2_front* f : fronts_) f->ping();
}

void scripted_server::drop_connections() {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
}

void scripted_server::go_away() {
    const std::lock_guard lock(mutex_);
    for (h2_front* f : fronts_) f->go_away();
}

std::string scripted_server::authority() const {
    if (how_.over == wire::unix_socket) return "localhost";
    const char* host = how_.over == wire::tls ? "localhost:" : how_.v6 ? "[::1]:" : "127.0.0.1:";
    return host + std::to_string(port_);
}

std::string scripted_server::url() const {
    if (how_.over == wire::unix_socket) return "http+unix://" + percent_encoded(how_.path.string());
    return (how_.over == wire::tls ? "https://" : "http://") + authority();
}

full_listener::full_listener() {
    std::tie(listener_, port_) = bound_to_loopback(false);
    if (::listen(listener_.get(), 0) < 0) throw failure("the full listener cannot listen");
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<std::uint16_t>(port_));
    for (int i = 0; i < 4; ++i) {
        queue_.push_back(
            sdk::owned_fd::checked(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
        ::connect(queue_.back().get(), reinterpret_cast<sockaddr*>(&to), sizeof to);
    }
}

std::pair<sdk::owned_fd, unsigned> bound_to_loopback(bool v6) {
    auto made = sdk::owned_fd::checked(::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_addr = in6addr_loopback;
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* address = v6 ? reinterpret_cast<sockaddr*>(&six) : reinterpret_cast<sockaddr*>(&four);
    socklen_t size = v6 ? sizeof six : sizeof four;
    if (::bind(made.get(), address, size) < 0) {
        if (v6) throw skipped("this machine has no IPv6");
        throw failure("the scripted server cannot have an address");
    }
    ::getsockname(made.get(), address, &size);
    return {std::move(made), ntohs(v6 ? six.sin6_port : four.sin_port)};
}

sdk::owned_fd listen_on_path(const std::filesystem::path& path, int queue) {
    auto made = bound_to_path(path);
    if (::listen(made.get(), queue) < 0) throw failure("cannot listen on " + path.string());
    return made;
}

std::string percent_encoded(std::string_view path) {
    std::string text;
    for (const char c : path) {
        if (c == '/' || c == '%' || c == '@' || c == ':' || c == ' ') {
            std::array<char, 4> escape{};
            std::snprintf(escape.data(), escape.size(), "%%%02X", static_cast<unsigned>(c));
            text += escape.data();
        } else {
            text += c;
        }
    }
    return text;
}

} // namespace chimera::conformance
