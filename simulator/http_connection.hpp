#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http_request_reader.hpp"

namespace chimera::sim {

/// A listening TCP socket, non-blocking, its connections inherit TCP_NODELAY.
class listener {
  public:
    /// Throws std::runtime_error naming the address and the reason. Port 0: the kernel chooses.
    listener(const std::string& host, unsigned short port);
    ~listener();
    listener(const listener&) = delete;
    listener& operator=(const listener&) = delete;

    /// A new connection, non-blocking, or -1 when there is none now. When file descriptors have run out, a spare one is
    /// used to take the connection and end it, so that it neither hangs nor wakes the caller for ever; `dropped`
    /// counts.
    int accept();

    /// From now on connections are refused, as after the death of a server; listen_again() takes the same port.
    void refuse();
    void listen_again();

    int fd() const { return fd_; }
    unsigned short port() const { return port_; }
    unsigned long long dropped() const { return dropped_; }

    /// `http://HOST:PORT`, an IPv6 host in brackets.
    std::string url() const;

  private:
    void open();

    std::string host_;
    unsigned short port_;
    int fd_ = -1;
    int spare_ = -1;
    unsigned long long dropped_ = 0;
};

/// One accepted socket (owned): bytes in, bytes out, without a look at them. Non-blocking.
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
