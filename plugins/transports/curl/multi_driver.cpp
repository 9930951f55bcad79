#include "multi_driver.hpp"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <new>

namespace chimera::curl {

namespace {

void check(CURLMcode code, const char* what) {
    if (code != CURLM_OK)
        throw sdk::error(code == CURLM_OUT_OF_MEMORY ? CHM_E_NOMEM : CHM_E_FAIL,
                         std::string(what) + ": " + curl_multi_strerror(code));
}

/// Looks without taking the error away from curl.
bool has_error(int fd) noexcept {
    pollfd p{fd, 0, 0};
    return ::poll(&p, 1, 0) > 0;
}

/// Not a TCP socket: 0.
std::uint64_t bytes_received(int fd) noexcept {
    tcp_info info{};
    socklen_t size = sizeof info;
    return ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_bytes_received : 0;
}

/// Bytes that wait in the socket. Unlike a receive it leaves an error to curl.
int waiting(int fd) noexcept {
    int bytes = 0;
    return ::ioctl(fd, FIONREAD, &bytes) == 0 ? bytes : 0;
}

/// More than fits is left out: a head of that size is refused anyway.
void look_ahead(int fd, std::string& bytes) {
    if (waiting(fd) <= 0) return;
    char buffer[16384];
    const ssize_t n = ::recv(fd, buffer, sizeof buffer, MSG_PEEK | MSG_DONTWAIT);
    if (n > 0) bytes.append(buffer, static_cast<std::size_t>(n));
}

multi_driver& self_of(void* self) noexcept { return *static_cast<multi_driver*>(self); }

} // namespace

multi_driver::multi_driver(chm_reactor& reactor) : reactor_(reactor), multi_(curl_multi_init()) {
    if (!multi_) throw std::bad_alloc();
    const auto set = [this](CURLMoption option, auto value) {
        check(curl_multi_setopt(multi_.get(), option, value), "curl_multi_setopt");
    };
    set(CURLMOPT_SOCKETFUNCTION, &on_socket);
    set(CURLMOPT_SOCKETDATA, this);
    set(CURLMOPT_TIMERFUNCTION, &on_timer);
    set(CURLMOPT_TIMERDATA, this);
    set(CURLMOPT_MAXCONNECTS, 1L); // a session owns one connection
    set(CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
}

void multi_driver::adopt(CURL* easy) {
    set_option(easy, CURLOPT_CLOSESOCKETFUNCTION, &on_close);
    set_option(easy, CURLOPT_CLOSESOCKETDATA, this);
}

void multi_driver::add(CURL* easy) { check(curl_multi_add_handle(multi_.get(), easy), "curl_multi_add_handle"); }

void multi_driver::remove(CURL* easy) noexcept {
    for (watched& w : sockets_) w.io = sdk::io(); // a resolver that is given up closes its descriptor before it says so
    curl_multi_remove_handle(multi_.get(), easy);
    sockets_.clear();
    out_of_memory_ = false;
    due_ns_ = never;
    timer_ = {};
    armed_ns_ = never;
}

bool multi_driver::end_unread() noexcept {
    bool any = false;
    for (const curl_socket_t fd : connections_) {
        if (waiting(fd) <= 0) continue;
        ::shutdown(fd, SHUT_RDWR);
        any = true;
    }
    return any;
}

std::uint64_t multi_driver::taken() const noexcept {
    if (read_fd_ < 0) return 0;
    const std::uint64_t received =
        bytes_received(read_fd_); // first: bytes that come now are better missed than counted
    const auto left = static_cast<std::uint64_t>(std::max(waiting(read_fd_), 0));
    return received > left ? received - left : 0;
}

multi_driver::turned multi_driver::turn(chm_waker* waker, std::string* ahead) {
    if (due_ns_ != never && sdk::now_ns() >= due_ns_) {
        due_ns_ = never;
        act(CURL_SOCKET_TIMEOUT, 0);
        return turned::timeout;
    }
    for (watched& w : sockets_) {
        if (!w.io) w.io = sdk::io(&reactor_, w.fd);
        const std::uint32_t seen = w.io.poll(w.interest, waker);
        if (!seen) continue;

        if ((seen & CHM_IO_ERR) && !has_error(w.fd))
            throw sdk::error(CHM_E_AFFINITY, "the reactor reports an error that the socket does not have: the reactor "
                                             "belongs to another thread");
        // An error or a hang-up shows itself in the next read or write, with its cause.
        const bool broken = (seen & (CHM_IO_ERR | CHM_IO_HUP)) != 0;
        const std::uint32_t ready = broken ? w.interest : seen & w.interest;
        const bool read = (ready & CHM_IO_READ) != 0;
        const curl_socket_t fd = w.fd;
        if (read) {
            readable_ns_ = sdk::now_ns();
            read_fd_ = fd;
        }
        const std::uint64_t serial = w.serial;
        if (read && ahead) look_ahead(fd, *ahead);
        act(fd, (read ? CURL_CSELECT_IN : 0) | (ready & CHM_IO_WRITE ? CURL_CSELECT_OUT : 0));

        // The socket may be gone by now, and its number may be another's.
        if (watched* still = find(fd); still && still->serial == serial) still->io.recheck(seen, ready);
        return read ? turned::read : turned::written;
    }
    return turned::nothing;
}

std::optional<CURLcode> multi_driver::finished() noexcept {
    std::optional<CURLcode> result;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left))
        if (message->msg == CURLMSG_DONE) result = message->data.result;
    return result;
}

bool multi_driver::expired(std::uint64_t deadline_ns, chm_waker* waker) {
    const std::uint64_t wanted = std::min(deadline_ns, due_ns_);
    if (wanted == never) return false;
    if (!timer_) timer_ = sdk::timer(&reactor_);
    armed_ns_ = std::min(armed_ns_, wanted);
    if (!timer_.poll(armed_ns_, waker)) return false;
    armed_ns_ = never;
    return true;
}

void multi_driver::act(curl_socket_t fd, int events) {
    int running = 0;
    check(curl_multi_socket_action(multi_.get(), fd, events, &running), "curl_multi_socket_action");
    if (out_of_memory_) throw std::bad_alloc();
}

multi_driver::watched* multi_driver::find(curl_socket_t fd) noexcept {
    const auto at = std::find_if(sockets_.begin(), sockets_.end(), [fd](const watched& w) { return w.fd == fd; });
    return at == sockets_.end() ? nullptr : &*at;
}

void multi_driver::forget(curl_socket_t fd) noexcept {
    std::erase_if(sockets_, [fd](const watched& w) { return w.fd == fd; });
}

int multi_driver::on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) noexcept {
    multi_driver& driver = self_of(self);
    if (what == CURL_POLL_REMOVE) {
        driver.received_at_removal_ = bytes_received(fd);
        driver.forget(fd);
        return 0;
    }
    const std::uint32_t interest = (what & CURL_POLL_IN ? std::uint32_t{CHM_IO_READ} : 0U) |
                                   (what & CURL_POLL_OUT ? std::uint32_t{CHM_IO_WRITE} : 0U);
    if (watched* known = driver.find(fd)) {
        known->interest = interest;
        return 0;
    }
    try {
        driver.sockets_.push_back({fd, interest, driver.next_serial_++, {}});
    } catch (const std::bad_alloc&) {
        driver.out_of_memory_ = true;
    }
    return 0;
}

int multi_driver::on_timer(CURLM*, long timeout_ms, void* self) noexcept {
    self_of(self).due_ns_ =
        timeout_ms < 0 ? never : sdk::now_ns() + static_cast<std::uint64_t>(timeout_ms) * 1'000'000U;
    return 0;
}

int multi_driver::on_close(void* self, curl_socket_t fd) noexcept {
    self_of(self).received_at_removal_ = bytes_received(fd); // it may never have been announced
    self_of(self).forget(fd);
    std::erase(self_of(self).connections_, fd);
    if (self_of(self).read_fd_ == fd) self_of(self).read_fd_ = -1;
    return ::close(fd);
}

} // namespace chimera::curl
