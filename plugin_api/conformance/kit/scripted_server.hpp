// A TCP server that does to each connection what a case says, byte for byte.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "chimera/sdk/owned_fd.hpp"

namespace chimera::conformance {

/// A request as it came over the wire.
struct wire_request {
    std::string line;    ///< "GET /path HTTP/1.1"
    std::string headers; ///< "name: value\n" for each, names in lower case
    std::string body;

    /// The value of a header, or "" where it is missing. The name in lower case.
    std::string header(std::string_view name) const;
};

/// The server's end of one connection. On its own thread.
class peer {
  public:
    peer(int fd, unsigned number) noexcept : fd_(fd), number_(number) {}
    /// Which connection of the server this is, from 0.
    unsigned number() const noexcept { return number_; }
    /// Waits for a whole request; nullopt when the client closed.
    std::optional<wire_request> request();
    /// Sends everything, in pieces of so many bytes that travel alone (0: as one). False: the client is gone.
    bool send(std::string_view bytes, std::size_t piece = 0);
    /// Ends the connection with a FIN, or with a reset.
    void close() noexcept;
    void reset() noexcept;
    /// Waits until the client has closed; what it still sends is thrown away.
    void wait_for_close();

  private:
    int fd_;
    unsigned number_;
    std::string unread_;
};

class scripted_server {
  public:
    using script = std::function<void(peer&)>;

    /// Serves at once; each connection is closed when its script returns. v6: on ::1.
    explicit scripted_server(script, bool v6 = false);
    scripted_server(const scripted_server&) = delete;
    scripted_server& operator=(const scripted_server&) = delete;
    /// Ends all connections and joins their threads.
    ~scripted_server();

    /// "http://127.0.0.1:12345".
    std::string url() const;
    unsigned port() const noexcept { return port_; }
    /// Connections accepted so far.
    unsigned connections() const noexcept { return accepted_.load(); }

  private:
    void accept_all();
    void serve(int fd, unsigned number);

    script script_;
    bool v6_;
    sdk::owned_fd listener_;
    unsigned port_ = 0;
    std::atomic<unsigned> accepted_{0};
    std::atomic<bool> over_{false};
    std::mutex mutex_;
    std::vector<int> open_;
    std::vector<std::jthread> threads_;
    std::jthread acceptor_; // last: it adds to the others
};

} // namespace chimera::conformance
