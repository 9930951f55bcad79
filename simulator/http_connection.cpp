#include "http_connection.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

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

std::string_view reason_of(int status) {
    switch (status) {
    case 200:
        return "OK";
    case 201:
        return "Created";
    case 400:
        return "Bad Request";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    case 413:
        return "Content Too Large";
    case 429:
        return "Too Many Requests";
    case 431:
        return "Request Header Fields Too Large";
    case 500:
        return "Internal Server Error";
    default:
        return "Service Unavailable";
    }
}

/// The Date header's text, made once a second.
std::string_view http_date() {
    static char text[40];
    static std::time_t made_for = 0;
    const std::time_t now = std::time(nullptr);
    if (now != made_for) {
        made_for = now;
        std::tm parts{};
        gmtime_r(&now, &parts);
        std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    }
    return text;
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

http_connection::input http_connection::receive(char* space, std::size_t size, std::string_view& got) {
    const auto count = recv(fd_, space, size, 0);
    if (count > 0) {
        got = {space, static_cast<std::size_t>(count)};
        return input::data;
    }
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
        return input::later;
    }
    return input::ended;
}

bool http_connection::peer_is_gone() const {
    char byte = 0;
    const auto count = recv(fd_, &byte, 1, MSG_PEEK);
    return count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR);
}

http_connection::output http_connection::send(std::string_view bytes) {
    const auto count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN) {
        return output::failed;
    }
    const auto sent = count < 0 ? 0 : static_cast<std::size_t>(count);
    if (sent == bytes.size()) {
        return output::sent;
    }
    pending_.assign(bytes.substr(sent));
    pending_sent_ = 0;
    return output::blocked;
}

http_connection::output http_connection::flush() {
    while (pending_sent_ < pending_.size()) {
        const auto count = ::send(fd_, pending_.data() + pending_sent_, pending_.size() - pending_sent_, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return errno == EAGAIN ? output::blocked : output::failed;
        }
        pending_sent_ += static_cast<std::size_t>(count);
    }
    std::string().swap(pending_);
    return output::sent;
}

void http_connection::close() {
    if (fd_ >= 0) {
        ::close(std::exchange(fd_, -1));
    }
}

void http_connection::reset() {
    const linger at_once{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
}

std::string response_head(int status, std::string_view content_type, std::int64_t length, bool keep_alive,
                          std::string_view extra_headers, bool http_1_0) {
    std::string framing;
    if (length >= 0) {
        framing = fmt::format("Content-Length: {}\r\n", length);
    } else if (!http_1_0) {
        framing = "Transfer-Encoding: chunked\r\n";
    }
    const std::string_view connection = !keep_alive ? "Connection: close\r\n"
                                        : http_1_0  ? "Connection: keep-alive\r\n"
                                                    : "";
    return fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\nDate: {}\r\n{}{}{}\r\n", status, reason_of(status),
                       content_type, http_date(), extra_headers, framing, connection);
}

} // namespace chimera::sim
