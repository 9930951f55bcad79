#include "model_server.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <stdexcept>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace chimera::test {

void reply::raw(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
}

void reply::begin(std::string_view type, const std::vector<std::string>& more, std::string_view status) {
    std::string head = "HTTP/1.1 " + std::string(status) + "\r\nContent-Type: " + std::string(type) +
                       "\r\nTransfer-Encoding: chunked\r\n";
    for (const std::string& line : more) head += line + "\r\n";
    raw(head + "\r\n");
}

void reply::chunk(std::string_view bytes) {
    std::array<char, 20> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", bytes.size());
    raw(size.data() + std::string(bytes) + "\r\n");
}

void reply::whole(std::string_view status, std::string_view body, std::string_view type,
                  const std::vector<std::string>& more) {
    std::string head = "HTTP/1.1 " + std::string(status) + "\r\nContent-Type: " + std::string(type) +
                       "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    for (const std::string& line : more) head += line + "\r\n";
    raw(head + "\r\n" + std::string(body));
}

void reply::pause(int ms) {
    pollfd gone{fd_, POLLRDHUP, 0};
    ::poll(&gone, 1, ms);
}

bool reply::client_has_gone() {
    pollfd gone{fd_, POLLRDHUP, 0};
    return ::poll(&gone, 1, 0) > 0;
}

model_server::model_server(script s, script about) : script_(std::move(s)), about_(std::move(about)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&at), size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size) != 0)
        throw std::runtime_error("a loopback listener");
    port_ = ntohs(at.sin_port);
    accepting_ = std::thread([this] { accept_all(); });
}

model_server::~model_server() {
    ::shutdown(listener_, SHUT_RDWR);
    accepting_.join();
    ::close(listener_);
    {
        const std::lock_guard lock(mutex_);
        for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& t : talking_) t.join(); // nobody adds to them any more
}

std::string model_server::url() const { return "http://127.0.0.1:" + std::to_string(port_); }

void model_server::accept_all() {
    for (;;) {
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) return;
        const int one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        ++connections_;
        const std::lock_guard lock(mutex_);
        open_.push_back(fd);
        talking_.emplace_back([this, fd] { talk(fd); });
    }
}

void model_server::talk(int fd) {
    std::string read;
    for (bool open = true; open;) {
        std::size_t end = 0;
        std::array<char, 65536> block;
        const auto more = [&] {
            const ssize_t n = ::recv(fd, block.data(), block.size(), 0);
            if (n > 0) read.append(block.data(), static_cast<std::size_t>(n));
            return n > 0;
        };
        while ((end = read.find("\r\n\r\n")) == std::string::npos)
            if (!more()) break;
        if (end == std::string::npos) break;
        asked request;
        const std::size_t line_end = read.find("\r\n");
        request.line = read.substr(0, line_end);
        request.head = read.substr(line_end + 2, end - line_end);
        const std::size_t length_at = request.head.find("Content-Length: ");
        const std::size_t length = length_at == std::string::npos ? 0 : std::stoul(request.head.substr(length_at + 16));
        while (read.size() < end + 4 + length)
            if (!more()) break;
        if (read.size() < end + 4 + length) break;
        request.body = read.substr(end + 4, length);
        read.erase(0, end + 4 + length);
        reply answer(fd);
        if (!request.line.starts_with("GET ")) {
            request.number = requests_++;
            script_(request, answer);
        } else if (about_) {
            about_(request, answer);
        } else {
            answer.whole("404 Not Found", "{}");
        }
        open = !answer.closed();
    }
    const std::lock_guard lock(mutex_);
    std::erase(open_, fd);
    ::shutdown(fd, SHUT_RDWR);
    ::close(fd);
}

} // namespace chimera::test
