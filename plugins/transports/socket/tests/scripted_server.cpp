#include "scripted_server.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "stream_socket/address.hpp"

namespace chimera::socket::test {

namespace {

sdk::owned_fd listen_on_loopback(bool ipv6) {
    sdk::owned_fd fd =
        sdk::owned_fd::checked(::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    sockaddr_in6 in6{};
    in6.sin6_family = AF_INET6;
    in6.sin6_addr = in6addr_loopback;
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto* const at = ipv6 ? reinterpret_cast<sockaddr*>(&in6) : reinterpret_cast<sockaddr*>(&in);
    if (::bind(fd.get(), at, ipv6 ? sizeof in6 : sizeof in) < 0 || ::listen(fd.get(), 16) < 0)
        throw std::system_error(errno, std::generic_category(), "bind or listen on loopback");
    return fd;
}

std::uint16_t port_of(const sdk::owned_fd& listener) {
    sockaddr_in6 in6{}; // the port lies at the same place in both
    socklen_t length = sizeof in6;
    ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&in6), &length);
    return ntohs(in6.sin6_port);
}

} // namespace

std::string peer::read_request() {
    std::string text;
    std::array<char, 65536> block;
    std::size_t need = std::string::npos;
    while (text.size() < need) {
        const ssize_t n = ::recv(fd_.get(), block.data(), block.size(), 0);
        if (n <= 0) return {};
        text.append(block.data(), static_cast<std::size_t>(n));
        const std::size_t end = text.find("\r\n\r\n");
        if (end == std::string::npos) continue;
        const std::size_t length = text.find("Content-Length: ");
        need = end + 4 + (length < end ? std::stoul(text.substr(length + 16, 20)) : 0);
    }
    return text;
}

std::string peer::read_all() {
    std::string text;
    std::array<char, 4096> block;
    for (;;) {
        const ssize_t n = ::recv(fd_.get(), block.data(), block.size(), 0);
        if (n <= 0) return text;
        text.append(block.data(), static_cast<std::size_t>(n));
    }
}

void peer::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
}

void peer::send_bytewise(std::string_view bytes) {
    for (const char& c : bytes) {
        send({&c, 1});
        std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
}

void peer::reset() noexcept {
    const linger hard{1, 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close();
}

scripted_server::scripted_server(sdk::owned_fd listener, script per_connection)
    : listener_(std::move(listener)), thread_([fd = listener_.get(), run = std::move(per_connection)] {
          for (int number = 0;; ++number) {
              sdk::owned_fd accepted(::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC));
              if (!accepted) return;
              const int one = 1;
              setsockopt(accepted.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); // not on a unix socket
              const timeval limit{10, 0};
              setsockopt(accepted.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
              peer p(std::move(accepted));
              run(p, number);
          }
      }) {}

scripted_server::scripted_server(script per_connection, bool ipv6)
    : scripted_server(listen_on_loopback(ipv6), std::move(per_connection)) {
    port_ = port_of(listener_);
    url_ = (ipv6 ? "http://[::1]:" : "http://127.0.0.1:") + std::to_string(port_);
}

scripted_server::scripted_server(script per_connection, const std::string& unix_path)
    : scripted_server(listen_on_path(unix_path, 16), std::move(per_connection)) {
    unix_path_ = unix_path;
    url_ = "http+unix://" + percent_encoded(unix_path);
}

scripted_server::~scripted_server() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
    if (!unix_path_.empty()) ::unlink(unix_path_.c_str());
}

std::string percent_encoded(std::string_view path) {
    std::string text;
    for (const char c : path) {
        if (c == '/' || c == '%' || c == '@' || c == ':') {
            std::array<char, 4> escape{};
            std::snprintf(escape.data(), escape.size(), "%%%02X", static_cast<unsigned>(c));
            text += escape.data();
        } else {
            text += c;
        }
    }
    return text;
}

void pause_ms(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

std::uint16_t closed_port() { return port_of(listen_on_loopback(false)); }

sdk::owned_fd listen_on_path(const std::string& path, int queue) {
    sdk::owned_fd fd = sdk::owned_fd::checked(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    const stream_socket::address to = stream_socket::address::unix_socket(path);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.length) < 0 ||
        ::listen(fd.get(), queue) < 0)
        throw std::system_error(errno, std::generic_category(), "bind or listen on " + path);
    return fd;
}

} // namespace chimera::socket::test
