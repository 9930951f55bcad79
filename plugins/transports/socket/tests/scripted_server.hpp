// A server, on loopback or on a unix socket, whose every connection follows a script.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include "chimera/sdk/owned_fd.hpp"

namespace chimera::socket::test {

/// The server's end of one connection. Blocking, with a limit of 10 s on a read.
class peer {
  public:
    explicit peer(sdk::owned_fd fd) noexcept : fd_(std::move(fd)) {}
    /// Head and body of the next request; empty when the client closed.
    std::string read_request();
    /// Whatever comes until the client closes.
    std::string read_all();
    void send(std::string_view bytes);
    /// One segment per piece, far enough apart that the client sees each alone.
    void send_bytewise(std::string_view bytes);
    void close() noexcept { fd_.reset(); }
    /// Ends the connection with RST.
    void reset() noexcept;
    int fd() const noexcept { return fd_.get(); }

  private:
    sdk::owned_fd fd_;
};

/// Accepts connections one after the other and runs script(peer, number of the connection) for each, until destroyed.
class scripted_server {
  public:
    using script = std::function<void(peer&, int)>;
    explicit scripted_server(script per_connection, bool ipv6 = false);
    /// On a unix socket of this path, which it removes.
    scripted_server(script per_connection, const std::string& unix_path);
    ~scripted_server();
    std::uint16_t port() const noexcept { return port_; }
    /// "http://127.0.0.1:PORT", "http://[::1]:PORT" or "http+unix://%2F...".
    const std::string& url() const noexcept { return url_; }

  private:
    scripted_server(sdk::owned_fd listener, script per_connection);

    std::string url_;
    std::string unix_path_;
    std::uint16_t port_ = 0;
    sdk::owned_fd listener_;
    std::thread thread_;
};

/// As the host of a URL.
std::string percent_encoded(std::string_view path);
/// Waits; for scripts.
void pause_ms(int ms);
/// A loopback port on which nobody listens.
std::uint16_t closed_port();
/// Listens on a unix socket, with a queue of so many connections that wait to be accepted, and one more.
sdk::owned_fd listen_on_path(const std::string& path, int queue);

} // namespace chimera::socket::test
