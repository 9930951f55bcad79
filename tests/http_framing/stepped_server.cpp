#include "stepped_server.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "conformance/scripted_server/scripted_server.hpp"

namespace chimera::http_framing {

stepped_server::stepped_server() {
    auto [listener, port] = conformance::bound_to_loopback();
    listener_ = std::move(listener);
    if (::listen(listener_.get(), 16) != 0) throw std::system_error(errno, std::generic_category(), "listen");
    ::fcntl(listener_.get(), F_SETFL, O_NONBLOCK);
    url_ = "http://127.0.0.1:" + std::to_string(port);
}

bool stepped_server::take_request() {
    for (;;) {
        sdk::owned_fd next(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!next) break;
        const int yes = 1;
        ::setsockopt(next.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        connection_ = std::move(next);
        received_.clear();
    }
    if (!connection_) return false;
    std::array<char, 4096> block;
    for (ssize_t n = 0; (n = ::recv(connection_.get(), block.data(), block.size(), 0)) > 0;)
        received_.append(block.data(), static_cast<std::size_t>(n));
    const std::size_t end = received_.find("\r\n\r\n"); // requests here have no body
    if (end == std::string::npos) return false;
    received_.erase(0, end + 4);
    return true;
}

bool stepped_server::send(std::string_view& bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::send(connection_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n < 0) return errno == EAGAIN;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

void stepped_server::end_sending() noexcept {
    if (connection_) ::shutdown(connection_.get(), SHUT_WR);
}

void stepped_server::reset() noexcept {
    const linger hard{1, 0};
    if (connection_) ::setsockopt(connection_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    connection_.reset();
}

} // namespace chimera::http_framing
