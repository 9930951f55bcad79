#include "tls_front.hpp"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "expect.hpp"

namespace chimera::conformance {

namespace {

using namespace std::string_view_literals;

constexpr auto http1 = "\x08http/1.1"sv, http2 = "\x02h2"sv; // as ALPN writes them

int choose_protocol(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered, unsigned int n,
                    void* wanted) noexcept {
    const auto ours = *static_cast<const std::string_view*>(wanted);
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, size, reinterpret_cast<const unsigned char*>(ours.data()),
                              static_cast<unsigned>(ours.size()), offered, n) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/// Bytes on their way in one direction.
struct passage {
    std::array<char, 16384> bytes;
    std::size_t at = 0, end = 0;

    bool empty() const noexcept { return at == end; }
    void fill(std::size_t n) noexcept { at = 0, end = n; }
};

/// One connection.
class carrier {
  public:
    carrier(SSL_CTX* context, int outer, int inner) : ssl_(SSL_new(context), SSL_free), outer_(outer), inner_(inner) {
        for (const int fd : {outer, inner}) ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
        SSL_set_fd(ssl_.get(), outer);
        SSL_set_mode(ssl_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    }

    /// Until the client (false) or the server inside (true) has ended.
    bool carry() {
        for (bool ready = false; !ready;) {
            const int n = SSL_accept(ssl_.get());
            if (n > 0)
                ready = true;
            else if (!wait_for_outer(n))
                return false;
        }
        for (;;) {
            outer_events_ = inner_events_ = 0;
            moved_ = false;
            if (in_.empty() && !decrypt()) return false;
            if (out_.empty() && !take_from_server()) return true;
            if (!in_.empty() && !give_to_server()) in_.fill(0); // nobody reads it
            if (!out_.empty() && !encrypt()) return false;
            if (moved_) continue;
            pollfd both[2] = {{outer_, outer_events_, 0}, {inner_events_ ? inner_ : -1, inner_events_, 0}};
            ::poll(both, 2, -1);
            if (outer_events_ == 0 && (both[0].revents & (POLLHUP | POLLERR))) return false;
        }
    }
    void end() { SSL_shutdown(ssl_.get()); }

  private:
    bool wait_for_outer(int result) {
        const int why = SSL_get_error(ssl_.get(), result);
        if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) return false;
        pollfd p{outer_, static_cast<short>(why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT), 0};
        ::poll(&p, 1, -1);
        return true;
    }
    /// Notes what has to happen before the call is tried again; false: the connection has ended.
    bool later(int result) {
        switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_READ:
            outer_events_ |= POLLIN;
            return true;
        case SSL_ERROR_WANT_WRITE:
            outer_events_ |= POLLOUT;
            return true;
        default:
            return false;
        }
    }
    bool decrypt() {
        const int n = SSL_read(ssl_.get(), in_.bytes.data(), static_cast<int>(in_.bytes.size()));
        if (n <= 0) return later(n);
        in_.fill(static_cast<std::size_t>(n));
        return moved_ = true;
    }
    bool encrypt() {
        const int n = SSL_write(ssl_.get(), out_.bytes.data() + out_.at, static_cast<int>(out_.end - out_.at));
        if (n <= 0) return later(n);
        out_.at += static_cast<std::size_t>(n);
        return moved_ = true;
    }
    bool take_from_server() {
        const ssize_t n = ::recv(inner_, out_.bytes.data(), out_.bytes.size(), 0);
        if (n > 0) {
            out_.fill(static_cast<std::size_t>(n));
            return moved_ = true;
        }
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) inner_events_ |= POLLIN;
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    }
    bool give_to_server() {
        const ssize_t n = ::send(inner_, in_.bytes.data() + in_.at, in_.end - in_.at, MSG_NOSIGNAL);
        if (n > 0) {
            in_.at += static_cast<std::size_t>(n);
            return moved_ = true;
        }
        if (n < 0 && errno == EAGAIN) inner_events_ |= POLLOUT;
        return errno == EAGAIN || errno == EINTR;
    }

    std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
    int outer_, inner_;
    passage in_, out_;
    short outer_events_ = 0, inner_events_ = 0;
    bool moved_ = false;
};

} // namespace

tls_front::tls_front(const tls_identity& identity, bool speaks_http2)
    : context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free) {
    expect(context_ && SSL_CTX_use_certificate(context_.get(), identity.certificate.get()) &&
               SSL_CTX_use_PrivateKey(context_.get(), identity.key.get()),
           "the kit's TLS must be set up");
    SSL_CTX_set_num_tickets(context_.get(), 0); // a client that has not read them would be reset by our close
    SSL_CTX_set_alpn_select_cb(context_.get(), choose_protocol,
                               const_cast<std::string_view*>(speaks_http2 ? &http2 : &http1));
}

void tls_front::carry(int outer, int inner, const stream_end& end) const {
    carrier both(context_.get(), outer, inner);
    const bool served = both.carry();
    if (served && end.reset) return;
    if (served) both.end();
    ::shutdown(inner, SHUT_RDWR);
    ::shutdown(outer, SHUT_RDWR);
}

} // namespace chimera::conformance
