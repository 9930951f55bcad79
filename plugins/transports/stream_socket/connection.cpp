#include "connection.hpp"

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include "chimera/sdk/clock.hpp"
#include "chimera/sdk/error.hpp"

namespace chimera::stream_socket {

namespace {

sdk::error failure(int why) {
    const bool kernel = why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM;
    const chm_rc code = why == ETIMEDOUT ? CHM_E_TIMEOUT : kernel ? CHM_E_IO : CHM_E_CONNECT;
    return {code, std::generic_category().message(why)};
}

} // namespace

chm_waker* nobody() noexcept {
    static constexpr chm_waker_vt vtable{[](chm_waker* w) noexcept { return w; }, [](chm_waker*) noexcept {},
                                         [](chm_waker*) noexcept {}, [](chm_waker*) noexcept {}};
    static chm_waker waker{&vtable};
    return &waker;
}

bool connection::open(const address& to) {
    fd_ = sdk::owned_fd(::socket(to.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd_) throw failure(errno);
    const int one = 1;
    if (!to.is_unix_socket()) setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    // The kernel stamps nothing on a unix socket. There recv is called without room for control messages, in which a
    // peer could put descriptors, which would then be ours to close.
    stamped_ = kernel_timestamps_ && !to.is_unix_socket();
    if (stamped_) { // a kernel that cannot gives no stamps
        const int software = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
        setsockopt(fd_.get(), SOL_SOCKET, SO_TIMESTAMPING, &software, sizeof software);
    }
    if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.length) < 0 && errno != EINPROGRESS) {
        const int why = errno;
        close();
        if (why == EAGAIN && to.is_unix_socket()) return false;
        throw failure(why);
    }
    try { // not before connect: a socket that was never connected reports a hang-up
        io_ = sdk::io(reactor_, fd_.get());
    } catch (...) {
        close();
        throw;
    }
    return true;
}

bool connection::poll_open(chm_waker* waker) {
    while (const std::uint32_t seen = io_.poll(CHM_IO_WRITE, waker)) {
        sockaddr_storage peer{};
        socklen_t length = sizeof peer;
        if (const int why = pending_error()) {
            close();
            throw failure(why);
        }
        if (getpeername(fd_.get(), reinterpret_cast<sockaddr*>(&peer), &length) == 0) {
            established();
            return true;
        }
        if (seen & (CHM_IO_ERR | CHM_IO_HUP)) { // will never be forgotten, nor explained
            close();
            throw sdk::error(CHM_E_CONNECT, "the reactor reports an error that the socket does not have");
        }
        io_.drained(seen, CHM_IO_WRITE);
    }
    return false;
}

void connection::established() {
    connected_ns_ = sdk::now_ns();
    if (!receives_) return;
    const std::uint32_t stamps = stamped_ ? std::uint32_t{CHM_RECV_STAMPS} : 0;
    try {
        io_ = sdk::io();
        receiver_ = sdk::receiver(reactor_, *receives_, fd_.get(), stamps);
    } catch (...) {
        close();
        throw;
    }
}

std::uint32_t connection::poll(std::uint32_t interest, chm_waker* waker) {
    if (!receiver_) return io_.poll(interest, waker);
    std::uint32_t seen = 0;
    if (interest & CHM_IO_WRITE) {
        if (!io_) io_ = sdk::io(reactor_, fd_.get());
        // A hang-up shows in the next send; the receiver reports bytes that can still be received.
        seen = io_.poll(CHM_IO_WRITE, waker);
        if (seen) seen = (seen & ~0xFFU) | CHM_IO_WRITE;
    }
    if ((interest & CHM_IO_READ) && receiver_.ready(waker)) seen |= CHM_IO_READ;
    return seen;
}

void connection::drained(std::uint32_t seen, std::uint32_t bits) noexcept {
    if (receiver_) bits &= ~std::uint32_t{CHM_IO_READ};
    if (bits != 0) io_.drained(seen, bits);
}

void connection::close() noexcept {
    receiver_ = sdk::receiver();
    io_ = sdk::io();
    fd_.reset();
}

ssize_t connection::send(std::string_view bytes) noexcept {
    for (;;) {
        const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n >= 0 || errno != EINTR) return n;
    }
}

ssize_t connection::receive(char* to, std::size_t capacity, std::uint64_t& stamp_ns) noexcept {
    stamp_ns = 0;
    if (receiver_) return take_received(to, capacity, stamp_ns);
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(scm_timestamping))];
    iovec into{to, capacity};
    for (;;) {
        msghdr message{};
        message.msg_iov = &into;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        const ssize_t n = stamped_ ? ::recvmsg(fd_.get(), &message, 0) : ::recv(fd_.get(), to, capacity, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0 || !stamped_) return n;
        const cmsghdr* const first = CMSG_FIRSTHDR(&message); // the only one that was asked for
        if (first && first->cmsg_level == SOL_SOCKET && first->cmsg_type == SCM_TIMESTAMPING) {
            timespec stamp; // the first of three: the software's
            std::memcpy(&stamp, CMSG_DATA(first), sizeof stamp);
            stamp_ns =
                static_cast<std::uint64_t>(stamp.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(stamp.tv_nsec);
        }
        return n;
    }
}

ssize_t connection::take_received(char* to, std::size_t capacity, std::uint64_t& stamp_ns) noexcept {
    chm_received got{};
    switch (receiver_.poll(nullptr, to, capacity, got)) {
    case CHM_READY:
        stamp_ns = got.kernel_ns;
        return static_cast<ssize_t>(got.count);
    case CHM_END:
        return 0;
    case CHM_PENDING:
        errno = EAGAIN;
        return -1;
    default:
        errno = got.os_error != 0 ? got.os_error : EIO;
        return -1;
    }
}

int connection::pending_error() const noexcept {
    int why = 0;
    socklen_t length = sizeof why;
    return getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &why, &length) < 0 ? errno : why;
}

bool connection::idle_and_open() {
    if (!fd_) return false;
    char byte = 0;
    const ssize_t n = ::recv(fd_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) return false;
    if (receiver_) return !receiver_.ready(nullptr);
    if (!io_) io_ = sdk::io(reactor_, fd_.get());
    return true;
}

void connection::forget_waker() noexcept {
    // While something is ready, the reactor does not take the new waker; then the registration itself goes, or the
    // connection, as nothing may come now.
    if (receiver_) {
        io_ = sdk::io();
        if (receiver_.ready(nobody())) close();
    } else if (fd_ && io_ && io_.poll(CHM_IO_READ, nobody()) != 0) {
        io_ = sdk::io();
    }
}

} // namespace chimera::stream_socket
