// Two connected sockets: the near end for tasks, the far end for the case.
#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "chimera/sdk/owned_fd.hpp"
#include "chimera/sdk/reactor.hpp"
#include "expect.hpp"

namespace chimera::conformance {

class socket_pair {
  public:
    socket_pair() {
        int ends[2];
        expect(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
        near_ = sdk::owned_fd(ends[0]);
        far_ = sdk::owned_fd(ends[1]);
    }
    int near() const noexcept { return near_.get(); }
    int far() const noexcept { return far_.get(); }

    /// Sends from the far end; the buffers must have room.
    void send(std::string_view bytes) const {
        const ssize_t n = ::send(far(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        expect(n == static_cast<ssize_t>(bytes.size()), "the far end must be able to send");
    }
    /// What the near end holds: "" when there is nothing, or after the far end closed.
    std::string receive(std::size_t cap = 4096) const {
        std::string buffer(cap, '\0');
        const ssize_t n = ::recv(near(), buffer.data(), cap, 0);
        buffer.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
        return buffer;
    }
    void close_far() noexcept { far_.reset(); }
    void close_near() noexcept { near_.reset(); }

    /// Waits until the near end has something, takes all of it and says so, in the order that the contract gives.
    sdk::task<std::string> read(sdk::io& io) const {
        for (;;) {
            const std::uint32_t seen = co_await io.ready(CHM_IO_READ);
            std::string got = receive();
            io.drained(seen, CHM_IO_READ);
            if (!got.empty()) co_return got;
        }
    }

  private:
    sdk::owned_fd near_, far_;
};

} // namespace chimera::conformance
