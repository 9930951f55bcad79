#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http_request_reader.hpp"

namespace chimera::sim {

/// One accepted socket (owned): bytes in, bytes out, nothing of what they mean. Non-blocking.
class http_connection {
  public:
    explicit http_connection(int fd) : fd_(fd) {}
    ~http_connection() { close(); }
    http_connection(const http_connection&) = delete;
    http_connection& operator=(const http_connection&) = delete;

    enum class input { data, later, ended };
    enum class output {
        sent,    ///< the kernel has everything
        blocked, ///< the rest is kept and goes first; call flush when the socket is writable
        failed   ///< the peer is gone
    };

    /// Reads once into `space`; `data` sets `got`.
    input receive(char* space, std::size_t size, std::string_view& got);

    /// True when the peer has ended or broken the connection and nothing unread lies before that.
    bool peer_is_gone() const;

    /// Hands bytes to the kernel in one system call. Not to be called while blocked.
    output send(std::string_view bytes);
    output flush();
    bool blocked() const { return !pending_.empty(); }

    /// Ends the connection in order (FIN), or by RST with whatever is unsent thrown away.
    void close();
    void reset();

    bool is_open() const { return fd_ >= 0; }
    int fd() const { return fd_; }

    http_request_reader reader;

  private:
    int fd_;
    std::string pending_;
    std::size_t pending_sent_ = 0;
};

/// Head of a response. `length` below 0: chunked (or, `http_1_0`, until the end of the connection).
std::string response_head(int status, std::string_view content_type, std::int64_t length, bool keep_alive,
                          std::string_view extra_headers = {}, bool http_1_0 = false);

} // namespace chimera::sim
