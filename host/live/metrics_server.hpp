// The port that Prometheus scrapes.
#pragma once

#include <chimera/sdk/owned_fd.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace chimera::host {

/// How much a peer may use of a metrics_server.
struct metrics_server_limits {
    using duration = std::chrono::steady_clock::duration;
    std::size_t connections = 64;                    ///< one more closes the oldest idle one
    std::size_t head_bytes = std::size_t{16} << 10U; ///< of a request; beyond: 431
    duration head = std::chrono::seconds(5);         ///< from its first byte; for the first request from the connection
    duration idle = std::chrono::seconds(120);       ///< between two requests
    duration answer = std::chrono::seconds(10);      ///< until the peer has taken all of it
    duration end = std::chrono::seconds(1);          ///< for the peer to close its side too
    duration without_files = std::chrono::milliseconds(100); ///< no connection is accepted after descriptors ran out
};

/// Serves one page, /metrics, over HTTP/1.1 on a thread of its own, from construction to destruction.
class metrics_server {
  public:
    /// address: IPv4 or IPv6, without brackets; "::" accepts IPv4 too. port 0: any free port. page: makes the page's
    /// text, on the server's thread; an exception becomes a 500. Throws std::runtime_error with the address and the
    /// reason when it cannot listen there.
    metrics_server(const std::string& address, int port, std::function<std::string()> page,
                   const metrics_server_limits& limits = {});
    /// Ends the thread and all connections at once.
    ~metrics_server();
    metrics_server(const metrics_server&) = delete;
    metrics_server& operator=(const metrics_server&) = delete;

    /// "http://127.0.0.1:9100/metrics", with the real port; an IPv6 address in brackets.
    const std::string& url() const noexcept { return url_; }

  private:
    using clock = std::chrono::steady_clock;
    struct connection;
    struct answer;

    void serve();
    int wait(clock::time_point now) const;
    void accept_all();
    bool somebody_waits() const; ///< for accept()
    bool make_room();
    void on_ready(connection& c);
    void read(connection& c);
    void serve_requests(connection& c);
    std::optional<answer> answer_to(connection& c) const;
    static std::string whole_response(const answer& a);
    void write(connection& c);

    const metrics_server_limits limits_;
    const std::function<std::string()> page_;
    sdk::owned_fd listener_, end_;
    std::string url_;
    std::vector<std::unique_ptr<connection>> connections_; // a closed one is removed at the end of a turn
    clock::time_point accept_from_{};
    std::thread thread_;
};

} // namespace chimera::host
