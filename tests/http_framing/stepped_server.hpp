// A loopback HTTP server without a thread: it accepts, reads and sends only when the test lets it.
#pragma once

#include <string>
#include <string_view>

#include "chimera/sdk/owned_fd.hpp"

namespace chimera::http_framing {

/// Client and server take turns on one thread. So each byte is a receive of its own where the test wants that, without
/// a pause and without chance.
class stepped_server {
  public:
    /// Throws std::system_error.
    stepped_server();
    /// "http://127.0.0.1:PORT"
    const std::string& url() const noexcept { return url_; }
    /// Takes the connections and the bytes that have come. True: a whole request is there, which is thereby taken. A
    /// new connection takes the place of the one before.
    bool take_request();
    /// On the connection of the last request: takes off the front of `bytes` as much as there is room for. False: the
    /// client is gone.
    bool send(std::string_view& bytes);
    /// FIN behind the last byte.
    void end_sending() noexcept;
    /// RST; the client loses what it has not read.
    void reset() noexcept;

  private:
    sdk::owned_fd listener_;
    std::string url_;
    sdk::owned_fd connection_;
    std::string received_;
};

} // namespace chimera::http_framing
