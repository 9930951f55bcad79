#pragma once

#include <string>

namespace chimera::sim {

/// A listening TCP socket, non-blocking, TCP_NODELAY inherited by what it accepts.
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

} // namespace chimera::sim
