#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace chimera::sim {

inline constexpr std::size_t http_header_limit = std::size_t{64} << 10;
inline constexpr std::size_t http_body_limit = std::size_t{64} << 20;

struct http_request {
    std::string method;
    std::string path;  ///< target without the query
    std::string fault; ///< value of X-Chimera-Fault, empty without one
    std::string body;
    bool keep_alive = true;
    bool http_1_0 = false; ///< no chunked replies then
};

/// Reads one connection's requests, one after another, from whatever pieces they come in. Bodies by Content-Length or
/// chunked. Its answer depends on the bytes alone, not on how they were cut. Holds next to no memory between requests.
class http_request_reader {
  public:
    enum class outcome { need_more, complete, failed };

    http_request_reader();
    ~http_request_reader();

    /// Takes more bytes from the connection, then as next().
    outcome feed(std::string_view bytes);

    /// Goes on with bytes that are already here, as after a pipelined request. On `complete`, request() holds it until
    /// the next call; on `failed`, error_status() and error_text() tell why, nothing is held, and
    /// the connection is of no more use.
    outcome next();

    http_request& request() { return request_; }
    int error_status() const { return error_status_; }
    const std::string& error_text() const { return error_text_; }

    /// True once for a request whose client waits for `100 Continue` before it sends the body.
    bool take_continue();

    /// Bytes of requests that are kept here, the served one's body included.
    std::size_t held() const;

    /// Forgets all of them.
    void release();

    /// True when part of a request has come.
    bool in_request() const { return begun_ != nullptr || !unread_.empty(); }

  private:
    struct begun_request;

    outcome read(std::string_view& bytes);
    bool read_head(std::string_view& bytes);
    void begin_body();
    bool read_body(std::string_view& bytes);

    std::unique_ptr<begun_request> begun_; // none between requests
    std::string unread_;
    http_request request_;
    int error_status_ = 0;
    std::string error_text_;
    bool continue_wanted_ = false;
};

} // namespace chimera::sim
