#include "http_client.hpp"

#include <cerrno>
#include <charconv>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace chimera::sim::test {

std::vector<std::string> response::records() const {
    std::vector<std::string> result;
    std::size_t at = 0;
    while (at < body.size()) {
        const auto end = std::min(body.find('\n', at), body.size());
        auto line = body.substr(at, end - at);
        at = end + 1;
        if (line.starts_with("data: ")) {
            line.erase(0, 6);
        }
        if (!line.empty()) {
            result.push_back(std::move(line));
        }
    }
    return result;
}

http_client::http_client(std::uint16_t port, int timeout_ms) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval limit{timeout_ms / 1000, (timeout_ms % 1000) * 1000};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        close();
    }
}

http_client::~http_client() { close(); }

void http_client::close() {
    if (fd_ >= 0) {
        ::close(fd_);
        fd_ = -1;
    }
}

void http_client::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count <= 0) {
            return;
        }
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
}

void http_client::shut_sending() { shutdown(fd_, SHUT_WR); }

bool http_client::receive_more(response& into) {
    char buffer[65536];
    const auto count = recv(fd_, buffer, sizeof buffer, 0);
    if (count > 0) {
        input_.append(buffer, static_cast<std::size_t>(count));
        return true;
    }
    into.reset = count < 0 && errno == ECONNRESET;
    into.timed_out = count < 0 && errno == EAGAIN;
    return false;
}

response http_client::read_response(bool head_only) {
    response r;
    std::size_t head_end = 0;
    while ((head_end = input_.find("\r\n\r\n")) == std::string::npos) {
        if (!receive_more(r)) {
            return r;
        }
    }
    r.head = input_.substr(0, head_end + 2);
    input_.erase(0, head_end + 4);
    std::from_chars(r.head.data() + 9, r.head.data() + 12, r.status);
    if (head_only) {
        r.complete = true;
        return r;
    }
    if (const auto at = r.head.find("Content-Length: "); at != std::string::npos) {
        std::size_t size = 0;
        std::from_chars(r.head.data() + at + 16, r.head.data() + r.head.size(), size);
        while (input_.size() < size && receive_more(r)) {
        }
        r.body = input_.substr(0, size);
        r.complete = input_.size() >= size;
        input_.erase(0, r.body.size());
        return r;
    }
    if (!r.has_header("Transfer-Encoding: chunked")) {
        while (receive_more(r)) {
        }
        r.body = std::exchange(input_, {});
        r.complete = !r.reset && !r.timed_out;
        return r;
    }
    for (;;) {
        std::size_t line_end = 0;
        while ((line_end = input_.find("\r\n")) == std::string::npos) {
            if (!receive_more(r)) {
                return r;
            }
        }
        std::size_t size = 0;
        const auto parsed = std::from_chars(input_.data(), input_.data() + line_end, size, 16);
        r.bad_framing = parsed.ptr != input_.data() + line_end;
        if (r.bad_framing) {
            return r;
        }
        while (input_.size() < line_end + 2 + size + 2) {
            if (!receive_more(r)) {
                r.body += input_.substr(line_end + 2);
                return r;
            }
        }
        if (size == 0) {
            r.complete = true;
        } else {
            r.chunks.push_back(input_.substr(line_end + 2, size));
            r.body += r.chunks.back();
        }
        input_.erase(0, line_end + 2 + size + 2);
        if (r.complete) {
            return r;
        }
    }
}

bool http_client::read_until(std::string_view text) {
    response ignored;
    while (input_.find(text) == std::string::npos) {
        if (!receive_more(ignored)) {
            return false;
        }
    }
    return true;
}

response http_client::get(std::string_view path) {
    send(fmt::format("GET {} HTTP/1.1\r\nHost: sim\r\n\r\n", path));
    return read_response();
}

response http_client::post(std::string_view path, std::string_view body, std::string_view headers) {
    send(post_text(path, body, headers));
    return read_response();
}

bool http_client::ends() {
    response last;
    return input_.empty() && !receive_more(last) && !last.timed_out;
}

std::string post_text(std::string_view path, std::string_view body, std::string_view headers) {
    return fmt::format(
        "POST {} HTTP/1.1\r\nHost: sim\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}\r\n{}", path,
        body.size(), headers, body);
}

response post_once(std::uint16_t port, std::string_view path, std::string_view body, std::string_view headers) {
    return http_client(port).post(path, body, headers);
}

nlohmann::json read_stats(std::uint16_t port) { return http_client(port).get("/chimera/stats").json(); }

} // namespace chimera::sim::test
