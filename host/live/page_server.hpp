// Pages over HTTP on a port of this machine: the one that Prometheus scrapes, and those of a sweep that runs.
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

/// How much a peer may use of a page_server.
struct page_server_limits {
    using duration = std::chrono::steady_clock::duration;
    std::size_t connections = 64;                    ///< one more closes the oldest idle one
    std::size_t head_bytes = std::size_t{16} << 10U; ///< of a request; beyond: 431
    duration head = std::chrono::seconds(5);         ///< from its first byte; for the first request from the connection
    duration idle = std::chrono::seconds(120);       ///< between two requests
    duration answer = std::chrono::seconds(10);      ///< until the peer has taken all of it
    duration end = std::chrono::seconds(1);          ///< for the peer to close its side too
    duration without_files = std::chrono::milliseconds(100); ///< no connection is accepted after descriptors ran out
};

/// A page, made anew for each request.
struct served_page {
    std::string path; ///< "/metrics"
    std::string type; ///< of its content, as HTTP names it
    /// Called on the server's thread; an exception becomes a 500.
    std::function<std::string()> text;
};

/// The type of a page for Prometheus.
inline constexpr const char* metrics_type = "text/plain; version=0.0.4; charset=utf-8";

/// Where a page_server listens, and who asked for it.
struct page_place {
    std::string option;  ///< "--metrics-port", for messages
    std::string address; ///< IPv4 or IPv6, without brackets; "::" accepts IPv4 too
    int port = 0;        ///< 0: any free port
    /// Answer only requests to "localhost" or a loopback address, whatever the port. A page of the Internet, open in a
    /// browser on this machine, could otherwise read these pages under a name of its own that leads here.
    bool only_local_names = false;
    /// The pages take long to make: their thread gives way to all others.
    bool lowest_priority = false;
};

/// Serves pages over HTTP/1.1 on a thread of its own, from construction to destruction.
class page_server {
  public:
    /// Throws std::runtime_error with the address and the reason when it cannot listen there.
    page_server(const page_place&, std::vector<served_page> pages, const page_server_limits& limits = {});
    /// Ends the thread and all connections at once.
    ~page_server();
    page_server(const page_server&) = delete;
    page_server& operator=(const page_server&) = delete;

    /// Of the first page, with the real port: "http://127.0.0.1:9100/metrics". An IPv6 address is in brackets.
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

    const page_server_limits limits_;
    const std::vector<served_page> pages_;
    const bool only_local_names_, lowest_priority_;
    sdk::owned_fd listener_, end_;
    std::string url_;
    std::vector<std::unique_ptr<connection>> connections_; // a closed one is removed at the end of a turn
    clock::time_point accept_from_{};
    std::thread thread_;
};

} // namespace chimera::host
