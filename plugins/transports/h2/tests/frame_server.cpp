#include "frame_server.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <system_error>

namespace chimera::h2::test {

namespace {

std::pair<sdk::owned_fd, std::uint16_t> bound_socket() {
    sdk::owned_fd fd = sdk::owned_fd::checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    if (::bind(fd.get(), raw, size) != 0 || ::getsockname(fd.get(), raw, &size) != 0)
        throw std::system_error(errno, std::generic_category(), "bind");
    return {std::move(fd), ntohs(address.sin_port)};
}

} // namespace

std::uint16_t free_port() { return bound_socket().second; }

std::uint32_t frame::number() const noexcept {
    std::uint32_t n = 0;
    for (std::size_t i = 0; i < 4 && i < payload.size(); ++i) n = (n << 8U) | static_cast<unsigned char>(payload[i]);
    return n;
}

std::string big_endian(std::uint32_t number) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> static_cast<unsigned>(shift));
    return bytes;
}

std::string framed(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload) {
    std::string bytes = big_endian(static_cast<std::uint32_t>(payload.size())).substr(1);
    bytes += static_cast<char>(type);
    bytes += static_cast<char>(flags);
    return bytes + big_endian(stream) + std::string(payload);
}

std::string ok_head(std::uint32_t stream, bool last) {
    const auto flags = static_cast<std::uint8_t>(END_HEADERS | (last ? END_STREAM : 0));
    return framed(HEADERS, flags, stream, "\x88"); // entry 8 of HPACK's static table
}

std::string data(std::uint32_t stream, std::string_view bytes, bool last) {
    return framed(DATA, last ? END_STREAM : 0, stream, bytes);
}

bool peer::read(char* to, std::size_t size) {
    while (size > 0) {
        const ssize_t n = ::recv(fd_, to, size, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        to += n;
        size -= static_cast<std::size_t>(n);
    }
    return true;
}

void peer::greet(const std::vector<std::pair<std::uint16_t, std::uint32_t>>& settings) {
    char preface[24];
    read(preface, sizeof preface);
    std::string entries;
    for (const auto& [id, value] : settings) entries += big_endian(id).substr(2) + big_endian(value);
    send(framed(SETTINGS, 0, 0, entries));
}

frame peer::next() {
    unsigned char head[9];
    frame f;
    if (!read(reinterpret_cast<char*>(head), sizeof head)) return f;
    f.payload.resize((std::size_t{head[0]} << 16U) | (std::size_t{head[1]} << 8U) | head[2]);
    if (!read(f.payload.data(), f.payload.size())) return f;
    f.type = head[3];
    f.flags = head[4];
    f.stream =
        (std::uint32_t{head[5]} << 24U) | (std::uint32_t{head[6]} << 16U) | (std::uint32_t{head[7]} << 8U) | head[8];
    if (f.type == SETTINGS && !(f.flags & ACK)) send(framed(SETTINGS, ACK, 0, {}));
    if (f.type == DATA) body_bytes_ += f.payload.size();
    return f;
}

frame peer::next(std::uint8_t type) {
    for (;;) {
        frame f = next();
        if (f.closed() || f.type == type) return f;
    }
}

std::uint32_t peer::request() {
    frame f = next(HEADERS);
    if (f.closed()) return 0;
    const std::uint32_t id = f.stream;
    while (!(f.flags & END_STREAM)) {
        f = next(DATA);
        if (f.closed()) return 0;
    }
    return id;
}

void peer::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0) return; // the client has gone
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
}

frame_server::frame_server(script per_connection) : script_(std::move(per_connection)) {
    auto [fd, port] = bound_socket();
    listener_ = std::move(fd);
    if (::listen(listener_.get(), 1024) != 0) throw std::system_error(errno, std::generic_category(), "listen");
    url_ = "http://127.0.0.1:" + std::to_string(port);
    acceptor_ = std::thread([this] { accept_all(); });
}

frame_server::~frame_server() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    acceptor_.join();
    {
        const std::lock_guard lock(mutex_);
        for (const sdk::owned_fd& fd : fds_) ::shutdown(fd.get(), SHUT_RDWR); // a script that waits ends
    }
    for (std::thread& t : threads_) t.join();
}

void frame_server::accept_all() {
    for (;;) {
        sdk::owned_fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!fd) return;
        const timeval limit{20, 0};
        const int one = 1;
        setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        const int number = connections_++;
        const std::lock_guard lock(mutex_);
        const int raw = fd.get();
        fds_.push_back(std::move(fd));
        threads_.emplace_back([this, raw, number] {
            peer p(raw);
            script_(p, number);
            ::shutdown(raw, SHUT_RDWR);
        });
    }
}

} // namespace chimera::h2::test
