#include "listener.hpp"

#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace chimera::sim {
namespace {

/// More than net.core.somaxconn allows is cut to it.
constexpr int backlog = 65535;

int open_spare() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

unsigned short bound_port(int fd) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        return 0;
    }
    return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port
                                               : reinterpret_cast<sockaddr_in*>(&address)->sin_port);
}

} // namespace

listener::listener(const std::string& host, unsigned short port) : host_(host), port_(port), spare_(open_spare()) {
    try {
        open();
    } catch (...) {
        close(spare_);
        throw;
    }
}

listener::~listener() {
    refuse();
    if (spare_ >= 0) {
        close(spare_);
    }
}

void listener::open() {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (const int error = getaddrinfo(host_.c_str(), std::to_string(port_).c_str(), &wanted, &found); error != 0) {
        throw std::runtime_error(fmt::format("cannot listen on {}: {}", url(), gai_strerror(error)));
    }
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> address(found, freeaddrinfo);
    fd_ = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    if (fd_ >= 0) {
        setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    if (fd_ < 0 || bind(fd_, found->ai_addr, found->ai_addrlen) != 0 || listen(fd_, backlog) != 0) {
        const auto reason = std::string(std::strerror(errno));
        refuse();
        throw std::runtime_error(fmt::format("cannot listen on {}: {}", url(), reason));
    }
    port_ = bound_port(fd_);
}

void listener::refuse() {
    if (fd_ >= 0) {
        close(std::exchange(fd_, -1));
    }
}

void listener::listen_again() {
    if (fd_ < 0) {
        open();
    }
}

int listener::accept() {
    const int fd = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0 || (errno != EMFILE && errno != ENFILE)) {
        return fd;
    }
    close(spare_);
    const int victim = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (victim >= 0) {
        close(victim);
        ++dropped_;
    }
    spare_ = open_spare();
    return -1;
}

std::string listener::url() const {
    const bool v6 = host_.find(':') != std::string::npos;
    return fmt::format("http://{}{}{}:{}", v6 ? "[" : "", host_, v6 ? "]" : "", port_);
}

} // namespace chimera::sim
