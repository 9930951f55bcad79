// A server that does to each connection what a case says, byte for byte.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "chimera/sdk/owned_fd.hpp"
#include "stream_end.hpp"
#include "tls_front.hpp"
#include "wire.hpp"

namespace chimera::conformance {

class environment;
class h2_front;

/// A request as it came over the wire.
struct wire_request {
    std::string line;    ///< "GET /path HTTP/1.1"
    std::string headers; ///< "name: value\n" for each, names in lower case
    std::string body;

    /// The value of a header, or "" where it is missing. The name in lower case.
    std::string header(std::string_view name) const;
};

/// The server's end of one connection, or of one HTTP/2 stream, which looks like one. On its own thread.
class peer {
  public:
    peer(int fd, unsigned number, unsigned connection, stream_end* end) noexcept
        : fd_(fd), number_(number), connection_(connection), end_(end) {}
    /// Which of the server's peers this is, from 0.
    unsigned number() const noexcept { return number_; }
    /// Over which of the server's connections it came, from 0.
    unsigned connection() const noexcept { return connection_; }
    /// Waits for a whole request; nullopt when the client closed.
    std::optional<wire_request> request();
    /// Sends everything, in pieces of so many bytes that travel alone (0: as one). False: the client is gone.
    bool send(std::string_view bytes, std::size_t piece = 0);
    /// Ends the connection with a FIN, or with a reset, which comes when the script returns. HTTP/2: RST_STREAM where
    /// the answer is not complete.
    void close() noexcept;
    void reset() noexcept;
    /// Waits until the client has closed; what it still sends is thrown away.
    void wait_for_close();

  private:
    int fd_;
    unsigned number_, connection_;
    stream_end* end_; // of what stands between this and the wire; NULL: nothing does
    std::string unread_;
};

class scripted_server {
  public:
    using script = std::function<void(peer&)>;

    /// Serves at once; each connection is closed when its script returns.
    scripted_server(script, const served&);
    /// As the transport under test is to be reached. What the script throws is reported.
    scripted_server(environment&, script);
    /// Over plain TCP, whatever that is. v6: on ::1.
    explicit scripted_server(script, bool v6 = false);
    scripted_server(const scripted_server&) = delete;
    scripted_server& operator=(const scripted_server&) = delete;
    /// Ends all connections and joins their threads.
    ~scripted_server();

    /// "http://127.0.0.1:12345".
    std::string url() const;
    /// What a request to url() says in its Host header, or as its :authority: "127.0.0.1:12345", "localhost".
    std::string authority() const;
    /// 0 over a Unix socket.
    unsigned port() const noexcept { return port_; }
    /// Connections accepted so far.
    unsigned connections() const noexcept { return accepted_.load(); }

    /// Ends every connection that is open with a FIN.
    void drop_connections();

    // Of HTTP/2, for all connections that are open.
    void ping();
    void go_away();
    unsigned pings_answered() const noexcept { return pings_answered_.load(); }
    unsigned streams_reset() const noexcept { return streams_reset_.load(); } ///< by clients

  private:
    void bind();
    void accept_all();
    void serve(int fd, unsigned connection);
    void serve_inside(int fd, unsigned connection, stream_end*);
    void serve_http2(int fd, unsigned connection);

    script script_;
    served how_;
    std::filesystem::path path_; // of a Unix socket
    std::optional<tls_front> tls_;
    sdk::owned_fd listener_;
    unsigned port_ = 0;
    std::atomic<unsigned> accepted_{0}, peers_{0}, pings_answered_{0}, streams_reset_{0};
    std::atomic<bool> over_{false};
    std::mutex mutex_;
    std::vector<int> open_;
    std::vector<h2_front*> fronts_;
    std::vector<std::jthread> threads_;
    std::jthread acceptor_; // last: it adds to the others
};

} // namespace chimera::conformance
