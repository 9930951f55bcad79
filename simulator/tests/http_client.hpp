#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace chimera::sim::test {

/// A response as it came, for tests that look at every detail of it.
struct response {
    int status = 0;   ///< 0: the connection ended before a whole head had come
    std::string head; ///< status line and header fields
    std::string body; ///< without chunk framing
    std::vector<std::string> chunks;
    bool complete = false;    ///< ended as HTTP wants it
    bool bad_framing = false; ///< a chunk head that is none
    bool reset = false;       ///< the connection was reset
    bool timed_out = false;

    /// The body's lines (NDJSON) or `data:` events (SSE, without the prefix).
    std::vector<std::string> records() const;
    nlohmann::json json() const { return nlohmann::json::parse(body); }
    bool has_header(std::string_view line) const { return head.find(line) != std::string::npos; }
};

/// A blocking connection to a port of 127.0.0.1, every wait limited.
class http_client {
  public:
    explicit http_client(std::uint16_t port, int timeout_ms = 10'000);
    ~http_client();
    http_client(const http_client&) = delete;
    http_client& operator=(const http_client&) = delete;

    bool connected() const { return fd_ >= 0; }
    void send(std::string_view bytes);
    void shut_sending();
    void close();

    /// Reads one response, leaving what follows it. `head_only`: of a HEAD request.
    response read_response(bool head_only = false);

    /// Reads until `text` has come; false when it does not.
    bool read_until(std::string_view text);

    response get(std::string_view path);
    response post(std::string_view path, std::string_view body, std::string_view headers = {});

    /// True when the other side ends the connection within the timeout and sends nothing before that.
    bool ends();

  private:
    bool receive_more(response& into);

    int fd_ = -1;
    std::string input_;
};

std::string post_text(std::string_view path, std::string_view body, std::string_view headers = {});

/// One request on a connection of its own.
response post_once(std::uint16_t port, std::string_view path, std::string_view body, std::string_view headers = {});

/// The server's counters.
nlohmann::json read_stats(std::uint16_t port);

} // namespace chimera::sim::test
