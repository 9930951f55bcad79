// Two connected sockets.
#pragma once

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <array>

#include "chimera/sdk/owned_fd.hpp"

namespace chimera::test {

/// Stream sockets that do not block.
struct socket_pair {
    socket_pair() {
        std::array<int, 2> fds{};
        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()) == 0);
        a = sdk::owned_fd(fds[0]);
        b = sdk::owned_fd(fds[1]);
    }
    sdk::owned_fd a, b;
};

} // namespace chimera::test
