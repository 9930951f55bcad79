#include "scripted_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>

#include "environment.hpp"
#include "expect.hpp"
#include "h2_front.hpp"

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
    if (end_) {
        end_->reset = true;
        return;
    }
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

constexpr std::size_t most_connections = 4096; // of one server: each has a thread until the end
constexpr int backlog = 4096;                  // a Unix socket refuses whoever comes when it is full

scripted_server::scripted_server(script s, const served& how) : script_(std::move(s)), how_(how) {
    if (how.over == wire::tls) tls_.emplace(how.room->identity(), how.http2);
    bind();
    if (!how.listens) return;
    if (::listen(listener_.get(), backlog) < 0) throw failure("the kit's server cannot listen");
    acceptor_ = std::jthread([this] { accept_all(); });
}

scripted_server::scripted_server(environment& env, script s)
    : scripted_server(
          [&env, s = std::move(s)](peer& p) {
              try {
                  s(p);
              } catch (const std::exception& e) {
                  env.probes().report(std::string("in the kit's server: ") + e.what());
              }
          },
          env.servers()) {}

scripted_server::scripted_server(script s, bool v6) : scripted_server(std::move(s), {.v6 = v6}) {}

namespace {

sdk::owned_fd bound_to_path(const std::filesystem::path& path) {
    auto made = sdk::owned_fd::checked(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    if (::bind(made.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0)
        throw failure("the kit's server cannot have the socket " + path.string());
    return made;
}

} // namespace

void scripted_server::bind() {
    if (how_.over == wire::unix_socket) {
        path_ = how_.room->new_socket();
        listener_ = bound_to_path(path_);
        return;
    }
    const int family = how_.v6 ? AF_INET6 : AF_INET;
    listener_ = sdk::owned_fd::checked(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_addr = in6addr_loopback;
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* address = how_.v6 ? reinterpret_cast<sockaddr*>(&six) : reinterpret_cast<sockaddr*>(&four);
    socklen_t size = how_.v6 ? sizeof six : sizeof four;
    if (::bind(listener_.get(), address, size) < 0) {
        if (how_.v6) throw skipped("this machine has no IPv6");
        throw failure("the kit's server cannot have an address");
    }
    ::getsockname(listener_.get(), address, &size);
    port_ = ntohs(how_.v6 ? six.sin6_port : four.sin_port);
}

scripted_server::~scripted_server() {
    over_ = true;
    ::shutdown(listener_.get(), SHUT_RDWR);
    if (acceptor_.joinable()) acceptor_.join();
    {
        const std::lock_guard lock(mutex_);
        for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    threads_.clear();
    if (!path_.empty()) ::unlink(path_.c_str());
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
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // a Unix socket has no use for it
        const unsigned connection = accepted_++;
        const std::lock_guard lock(mutex_);
        if (threads_.size() >= most_connections) { // somebody tries again without end
            ::close(fd);
            continue;
        }
        open_.push_back(fd);
        threads_.emplace_back([this, fd, connection] { serve(fd, connection); });
    }
}

void scripted_server::serve(int fd, unsigned connection) {
    stream_end end;
    if (tls_) {
        int both[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) < 0)
            throw failure("the kit's server has no descriptors left");
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
    script_(client);
}

void scripted_server::serve_http2(int fd, unsigned connection) {
    h2_front front(fd, how_.max_streams, [this, connection](int stream, stream_end& its_end) {
        peer client(stream, peers_++, connection, &its_end);
        script_(client);
    });
    {
        const std::lock_guard lock(mutex_);
        fronts_.push_back(&front);
    }
    front.run(pings_answered_, streams_reset_);
    const std::lock_guard lock(mutex_);
    std::erase(fronts_, &front);
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
    if (how_.over != wire::unix_socket) return (how_.over == wire::tls ? "https://" : "http://") + authority();
    std::string url = "http+unix://";
    for (const char c : path_.string()) url += c == '/' ? "%2F" : std::string(1, c);
    return url;
}

} // namespace chimera::conformance
