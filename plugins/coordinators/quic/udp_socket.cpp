#include "quic/udp_socket.hpp"

#include <chimera/sdk/clock.hpp>
#include <chimera/sdk/error.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

namespace chimera::quic {
namespace {

constexpr std::size_t batch = 32, largest = 16384 + 512;
constexpr int most_batches = 16; ///< of one turn: a flood must not hold the worker

address address_of(const sockaddr* from, socklen_t length) {
    address a;
    a.size = static_cast<std::uint8_t>(std::min<std::size_t>(length, a.bytes.size()));
    std::memcpy(a.bytes.data(), from, a.size);
    return a;
}
sockaddr_storage storage_of(const address& a) noexcept {
    sockaddr_storage s{};
    std::memcpy(&s, a.bytes.data(), a.size);
    return s;
}

sdk::owned_fd open_for(const address& a) {
    sdk::owned_fd fd(socket(storage_of(a).ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) throw sdk::error(CHM_E_IO, std::string("no UDP socket: ") + std::strerror(errno));
    // Bursts of a whole group wait here while its hub is busy.
    const int size = 4 << 20;
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    return fd;
}

struct host_and_port {
    std::string host, port;
};
host_and_port split(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0 || colon + 1 == text.size())
        throw sdk::error(CHM_E_INVAL, "\"" + text + "\" is not host:port (example: 127.0.0.1:4433)");
    std::string host = text.substr(0, colon);
    if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    return {std::move(host), text.substr(colon + 1)};
}

} // namespace

bool is_numeric(const std::string& text) {
    std::array<unsigned char, sizeof(in6_addr)> ignored{};
    const std::string host = split(text).host;
    return inet_pton(AF_INET, host.c_str(), ignored.data()) == 1 ||
           inet_pton(AF_INET6, host.c_str(), ignored.data()) == 1;
}

std::vector<address> resolve(const std::string& text, bool numeric_only) {
    const host_and_port to = split(text);
    addrinfo hints{};
    hints.ai_socktype = SOCK_DGRAM;
    hints.ai_flags = AI_NUMERICSERV | (numeric_only ? AI_NUMERICHOST : 0);
    addrinfo* found = nullptr;
    if (const int rc = getaddrinfo(to.host.c_str(), to.port.c_str(), &hints, &found); rc != 0)
        throw sdk::error(CHM_E_RESOLVE, text + ": " + gai_strerror(rc));
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, freeaddrinfo);
    std::vector<address> all;
    for (const addrinfo* a = found; a != nullptr; a = a->ai_next) all.push_back(address_of(a->ai_addr, a->ai_addrlen));
    return all;
}

std::string text_of(const address& a) {
    const sockaddr_storage s = storage_of(a);
    std::array<char, NI_MAXHOST> host{};
    std::array<char, NI_MAXSERV> port{};
    if (getnameinfo(reinterpret_cast<const sockaddr*>(&s), a.size, host.data(), host.size(), port.data(), port.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return "an address";
    const std::string name = host.data();
    return (name.find(':') == std::string::npos ? name : "[" + name + "]") + ":" + port.data();
}

udp_socket::udp_socket(sdk::owned_fd fd, const impairment& i, bool connected)
    : fd_(std::move(fd)), impaired_(i), connected_(connected), delays_(i.delay_ns > 0),
      random_(static_cast<std::uint32_t>(i.seed)), in_(batch * largest) {}

udp_socket udp_socket::bound_to(const address& at, const impairment& i) {
    sdk::owned_fd fd = open_for(at);
    const sockaddr_storage s = storage_of(at);
    if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&s), at.size) != 0)
        throw sdk::error(CHM_E_CONNECT, "the hub cannot listen at " + text_of(at) + ": " + std::strerror(errno));
    return {std::move(fd), i, false};
}

udp_socket udp_socket::connected_to(const address& to, const impairment& i) {
    sdk::owned_fd fd = open_for(to);
    const sockaddr_storage s = storage_of(to);
    if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&s), to.size) != 0)
        throw sdk::error(CHM_E_CONNECT, "no way to " + text_of(to) + ": " + std::strerror(errno));
    return {std::move(fd), i, true};
}

address udp_socket::local() const {
    sockaddr_storage s{};
    socklen_t length = sizeof s;
    getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&s), &length);
    return address_of(reinterpret_cast<const sockaddr*>(&s), length);
}

bool udp_socket::receive(const std::function<void(const address&, std::span<const std::byte>)>& to) {
    std::array<mmsghdr, batch> headers{};
    std::array<iovec, batch> pieces{};
    std::array<sockaddr_storage, batch> from{};
    for (int turn = 0; turn < most_batches; ++turn) {
        for (std::size_t i = 0; i < batch; ++i) {
            pieces[i] = {in_.data() + i * largest, largest};
            headers[i].msg_hdr = {};
            headers[i].msg_hdr.msg_iov = &pieces[i];
            headers[i].msg_hdr.msg_iovlen = 1;
            headers[i].msg_hdr.msg_name = &from[i];
            headers[i].msg_hdr.msg_namelen = sizeof from[i];
        }
        const int n = recvmmsg(fd_.get(), headers.data(), batch, 0, nullptr);
        if (n < 0) {
            if (errno == EINTR) continue;
            if (errno == ECONNREFUSED && connected_) throw sdk::error(CHM_E_CONNECT, "nobody listens there");
            return true; // EAGAIN; other errors of the network show as silence, which times out
        }
        for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i)
            to(address_of(reinterpret_cast<const sockaddr*>(&from[i]), headers[i].msg_hdr.msg_namelen),
               std::span(in_).subspan(i * largest, headers[i].msg_len));
        if (static_cast<std::size_t>(n) < batch) return true;
    }
    return false;
}

bool udp_socket::write(const address& to, std::span<const std::byte> datagrams, std::size_t segment) {
    sockaddr_storage s = storage_of(to);
    iovec piece{const_cast<std::byte*>(datagrams.data()), datagrams.size()};
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(std::uint16_t))> control{};
    msghdr header{};
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    if (!connected_) {
        header.msg_name = &s;
        header.msg_namelen = to.size;
    }
    if (datagrams.size() > segment) {
        header.msg_control = control.data();
        header.msg_controllen = control.size();
        cmsghdr* c = CMSG_FIRSTHDR(&header);
        c->cmsg_level = SOL_UDP;
        c->cmsg_type = UDP_SEGMENT;
        c->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
        const auto size = static_cast<std::uint16_t>(segment);
        std::memcpy(CMSG_DATA(c), &size, sizeof size);
    }
    for (;;) {
        if (sendmsg(fd_.get(), &header, MSG_NOSIGNAL) >= 0) {
            ++writes;
            bytes += datagrams.size();
            return true;
        }
        if (errno == EINTR) continue;
        // Everything but a full buffer is a lost datagram to QUIC, which sends it again or gives up in time.
        return errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS;
    }
}

void udp_socket::impair(const address& to, std::span<const std::byte> datagrams, std::size_t segment) {
    std::uniform_real_distribution<double> percent(0, 100);
    while (!datagrams.empty()) {
        const auto one = datagrams.first(std::min(segment, datagrams.size()));
        datagrams = datagrams.subspan(one.size());
        if (impaired_.loss_pct > 0 && percent(random_) < impaired_.loss_pct) continue;
        kept_.push_back({sdk::now_ns() + impaired_.delay_ns, to, one.size(), {one.begin(), one.end()}});
    }
}

bool udp_socket::send(const address& to, std::span<const std::byte> datagrams, std::size_t segment) {
    if (impaired_.any()) {
        impair(to, datagrams, segment);
        return delays_ || flush(0);
    }
    if (kept_.empty() && write(to, datagrams, segment)) return true;
    kept_.push_back({0, to, segment, {datagrams.begin(), datagrams.end()}});
    return false;
}

bool udp_socket::flush(std::uint64_t now) {
    while (!kept_.empty() && kept_.front().due <= (delays_ ? now : UINT64_MAX)) {
        if (!write(kept_.front().to, kept_.front().bytes, kept_.front().segment)) return false;
        kept_.pop_front();
    }
    return true;
}

} // namespace chimera::quic
