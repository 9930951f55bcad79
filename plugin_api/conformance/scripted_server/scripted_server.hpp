// The server of all tests: it does to each connection what a script says, byte for byte. The conformance kit carries
// it, because chimera-host validate needs it; the tests of transports, simulator and host use the same one.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "chimera/sdk/owned_fd.hpp"
#include "fronts.hpp"
#include "wire.hpp"

namespace chimera::conformance {

/// A request as it came over the wire.
struct wire_request {
    std::string text;    ///< all of it
    std::string line;    ///< "GET /path HTTP/1.1"
    std::string headers; ///< "Name: value\r\n" for each
    std::string body;

    /// The value of a header, or "" where it is missing. Case does not matter.
    std::string header(std::string_view name) const;
};

/// The server's end of one connection, or of one HTTP/2 stream, which looks like one. On the script's thread. Sending
/// to a client that is gone does nothing.
class peer {
  public:
    peer(int fd, unsigned number, unsigned connection, stream_end* end) noexcept
        : fd_(fd), number_(number), connection_(connection), end_(end) {}
    /// Number of this peer in its server, from 0.
    unsigned number() const noexcept { return number_; }
    /// Number of its connection in the server, from 0.
    unsigned connection() const noexcept { return connection_; }
    int fd() const noexcept { return fd_; }

    /// Waits for a whole request; nullopt when the client closed.
    std::optional<wire_request> request();
    /// The same as one text; "" when the client closed.
    std::string request_text();
    /// Waits for exactly so many bytes; false when the client closed.
    bool read(char* to, std::size_t size);
    /// Everything that comes until the client closes.
    std::string rest();
    /// Waits until the client has closed; throws away the bytes that it still sends.
    void wait_for_close();
    /// Whether the client closes within this time.
    bool client_gone(int ms = 0) const;

    /// Sends everything, in pieces of so many bytes that travel alone (0: as one), with a pause after each. False: the
    /// client is gone.
    bool send(std::string_view bytes, std::size_t piece = 0, unsigned pause_us = 0);
    /// The head of a response in chunks; each of `more` is a header line. Then chunk() and end().
    bool begin(std::string_view type, const std::vector<std::string>& more = {}, std::string_view status = "200 OK");
    bool chunk(std::string_view bytes);
    bool end() { return send("0\r\n\r\n"); }
    /// A whole response with its length.
    bool whole(std::string_view status, std::string_view body, std::string_view type = "application/json",
               const std::vector<std::string>& more = {});
    /// Waits; less where the client goes.
    void pause(int ms) const { client_gone(ms); }

    /// Ends the connection with a FIN, or with a reset, which comes when the script returns. HTTP/2: RST_STREAM where
    /// the answer is not complete.
    void close() noexcept;
    void reset() noexcept;

  private:
    bool receive();

    int fd_;
    unsigned number_, connection_;
    stream_end* end_; // of the front between this and the wire; NULL: there is none
    std::string unread_;
};

class scripted_server {
  public:
    using script = std::function<void(peer&)>;

    /// Serves at once; each connection is closed when its script returns. `report` gets the text of each exception that
    /// leaves a script; without it the program ends.
    explicit scripted_server(script, served = {}, std::function<void(const std::string&)> report = {});
    scripted_server(const scripted_server&) = delete;
    scripted_server& operator=(const scripted_server&) = delete;
    /// Ends all connections and joins their threads.
    ~scripted_server();

    /// "http://127.0.0.1:12345".
    std::string url() const;
    /// The Host header, or :authority, of a request to url(): "127.0.0.1:12345", "localhost".
    std::string authority() const;
    /// 0 over a Unix socket.
    unsigned port() const noexcept { return port_; }
    /// Connections accepted so far.
    unsigned connections() const noexcept { return accepted_.load(); }

    /// Ends every connection that is open with a FIN.
    void drop_connections();

    // HTTP/2, on all open connections.
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
    void run_script(peer&) const;

    script script_;
    served how_;
    std::function<void(const std::string&)> report_;
    std::optional<tls_front> tls_;
    sdk::owned_fd listener_;
    unsigned port_ = 0;
    std::atomic<unsigned> accepted_{0}, peers_{0}, pings_answered_{0}, streams_reset_{0};
    std::mutex mutex_;
    // Guarded by mutex_.
    bool over_ = false;
    std::vector<int> open_;
    std::vector<h2_front*> fronts_;
    std::vector<std::jthread> threads_;
    std::jthread acceptor_; // last: it adds to the others
};

/// Serves one connection after another on one thread, so that scripts need no order among themselves.
class one_by_one_server : public scripted_server {
  public:
    explicit one_by_one_server(script s, bool v6 = false)
        : scripted_server(std::move(s), {.v6 = v6, .one_by_one = true}) {}
    /// On a Unix socket of this path, which it removes.
    one_by_one_server(const std::filesystem::path& path, script s)
        : scripted_server(std::move(s), {.over = wire::unix_socket, .one_by_one = true, .path = path}) {}
};

/// A loopback listener whose queue is full: a connection to it is neither made nor refused.
class full_listener {
  public:
    full_listener();
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  private:
    sdk::owned_fd listener_;
    std::vector<sdk::owned_fd> queue_;
    unsigned port_ = 0;
};

/// A bound socket on the loopback, and its port.
std::pair<sdk::owned_fd, unsigned> bound_to_loopback(bool v6 = false);
/// Listens on a Unix socket, with a queue of so many connections, and one more. Throws failure.
sdk::owned_fd listen_on_path(const std::filesystem::path&, int queue);

/// A path as the host of an http+unix URL.
std::string percent_encoded(std::string_view path);

} // namespace chimera::conformance
