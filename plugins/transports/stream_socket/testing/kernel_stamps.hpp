// For tests of arrival times.
#pragma once

#include <chrono>
#include <stdexcept>
#include <thread>

#include <arpa/inet.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "chimera/sdk/owned_fd.hpp"

namespace chimera::stream_socket::testing {

/// While it lives, the kernel stamps whatever it receives. The kernel begins to do so only a little after the first
/// socket has asked for it, and later on a busy machine: the constructor returns when it does. Throws
/// std::runtime_error where it has not within ten seconds.
class kernel_stamps {
  public:
    kernel_stamps() : fd_(sdk::owned_fd::checked(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket")) {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        const int software = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
        auto* const address = reinterpret_cast<sockaddr*>(&at);
        if (::bind(fd_.get(), address, size) != 0 || ::getsockname(fd_.get(), address, &size) != 0 ||
            ::connect(fd_.get(), address, size) != 0 ||
            ::setsockopt(fd_.get(), SOL_SOCKET, SO_TIMESTAMPING, &software, sizeof software) != 0)
            throw std::runtime_error("a socket that asks for stamps cannot be made");
        for (int i = 0; i < 10'000; ++i) {
            if (stamped()) return;
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        throw std::runtime_error("the kernel stamps nothing");
    }

  private:
    /// Sends itself a byte.
    bool stamped() const {
        char byte = 'x';
        alignas(cmsghdr) char control[256];
        iovec into{&byte, 1};
        msghdr message{};
        message.msg_iov = &into;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        return ::send(fd_.get(), &byte, 1, 0) == 1 && ::recvmsg(fd_.get(), &message, 0) == 1 &&
               CMSG_FIRSTHDR(&message) != nullptr;
    }

    sdk::owned_fd fd_;
};

} // namespace chimera::stream_socket::testing
