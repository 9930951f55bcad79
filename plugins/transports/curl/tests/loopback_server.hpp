// A scripted HTTP server on a loopback port or a unix socket: each connection is served by the test's own function.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include <chimera/sdk/owned_fd.hpp>

namespace curl_test {

/// One accepted connection; closed with its script.
class peer {
  public:
    peer(int fd, int place) noexcept : number(place), fd_(fd) {}

    /// Head and body (by Content-Length) of the next request; empty when the client closed.
    std::string request() {
        for (;;) {
            const std::size_t end = unread_.find("\r\n\r\n");
            if (end != std::string::npos) {
                const std::size_t size = end + 4 + content_length(unread_.substr(0, end));
                if (unread_.size() >= size) {
                    std::string all = unread_.substr(0, size);
                    unread_.erase(0, size);
                    return all;
                }
            }
            char buffer[65536];
            const ssize_t n = ::recv(fd_.get(), buffer, sizeof buffer, 0);
            if (n <= 0) return {};
            unread_.append(buffer, static_cast<std::size_t>(n));
        }
    }
    /// False when the client is gone.
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }
    bool send_chunk(std::string_view data) {
        char size[20];
        std::snprintf(size, sizeof size, "%zx\r\n", data.size());
        return send(size + std::string(data) + "\r\n");
    }
    /// Every byte in a segment of its own.
    void send_byte_by_byte(std::string_view bytes) {
        for (const char c : bytes) {
            send({&c, 1});
            std::this_thread::yield();
        }
    }
    /// Waits until the client has closed; true if it did within the time.
    bool client_gone(int ms) {
        pollfd p{fd_.get(), POLLIN, 0};
        char c = 0;
        return ::poll(&p, 1, ms) == 1 && ::recv(fd_.get(), &c, 1, 0) <= 0;
    }
    void reset() {
        const linger hard{1, 0};
        ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        fd_.reset();
    }

    const int number; ///< 0 for the server's first connection

  private:
    static std::size_t content_length(const std::string& head) {
        const std::size_t at = head.find("Content-Length: ");
        return at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
    }
    chimera::sdk::owned_fd fd_;
    std::string unread_;
};

class loopback_server {
  public:
    /// Serves one connection after another with `script` until destroyed, on a port of 127.0.0.1.
    explicit loopback_server(std::function<void(peer&)> script) : script_(std::move(script)) {
        listener_ = chimera::sdk::owned_fd::checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
        const int yes = 1;
        ::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        socklen_t size = sizeof address;
        if (::bind(listener_.get(), generic, size) != 0) throw std::runtime_error("bind to a loopback port failed");
        ::listen(listener_.get(), 16);
        ::getsockname(listener_.get(), generic, &size);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { serve(); });
    }
    /// The same on a unix socket, which is removed with it.
    loopback_server(std::string path, std::function<void(peer&)> script)
        : script_(std::move(script)), path_(std::move(path)) {
        listener_ = chimera::sdk::owned_fd::checked(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        if (path_.size() >= sizeof address.sun_path) throw std::runtime_error("too long for a unix socket: " + path_);
        path_.copy(address.sun_path, path_.size());
        if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
            throw std::runtime_error("bind to " + path_ + " failed");
        ::listen(listener_.get(), 16);
        thread_ = std::thread([this] { serve(); });
    }
    loopback_server(const loopback_server&) = delete;
    loopback_server& operator=(const loopback_server&) = delete;
    ~loopback_server() {
        stop_ = true;
        ::shutdown(listener_.get(), SHUT_RDWR);
        thread_.join();
        if (!path_.empty()) ::unlink(path_.c_str());
    }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    int port() const noexcept { return port_; }
    int connections() const noexcept { return connections_; }

  private:
    void serve() {
        while (!stop_) {
            const int fd = ::accept(listener_.get(), nullptr, nullptr);
            if (fd < 0) return;
            peer p(fd, connections_++);
            script_(p);
        }
    }
    std::function<void(peer&)> script_;
    std::string path_; // empty: a port
    chimera::sdk::owned_fd listener_;
    int port_ = 0;
    std::atomic<bool> stop_{false};
    std::atomic<int> connections_{0};
    std::thread thread_;
};

} // namespace curl_test
