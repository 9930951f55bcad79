// my_transport: HTTP/1.1 on one non-blocking socket for each session. The host opens a session for each agent, and
// starts one exchange at a time. It polls the exchange for the head, and then for the pieces of the body. A poll never
// blocks. To wait, it leaves the waker with the reactor (sdk::io::poll returns 0), and returns pending.
#include <chimera/sdk/http1.h>
#include <chimera/sdk/owned_fd.hpp>
#include <chimera/sdk/plugin.hpp>
#include <chimera/sdk/reactor.hpp>

#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace {
namespace sdk = chimera::sdk;

std::string text(chm_str s) { return std::string(sdk::view(s)); }
constexpr int on = 1;

/// A session, its connection and its exchange: there is one at a time, so all are one object. One thread: the task's.
class session final : public sdk::session_base<session>, public sdk::exchange_base<session> {
  public:
    session(const chm_session_args& args, std::size_t read_size)
        : base_(sdk::view(args.base_url)), reactor_(args.reactor), buffer_(read_size, '\0') {
        if (const chm_rc rc = chm_http1_split_url(sdk::str(base_), &url_); rc < 0)
            throw sdk::error(rc, "'" + base_ + "' is not an http:// URL");
        if (reactor_ == nullptr) throw sdk::error(CHM_E_NOSYS, base_ + ": a session needs a reactor");
    }
    /// Copies the request. The I/O begins with the first poll.
    chm_exchange* start(const chm_request& r) {
        if (open_) throw sdk::error(CHM_E_STATE, base_ + ": the exchange before this one is still open");
        request_ = text(r.method) + " " + text(url_.prefix) + text(r.path) + " HTTP/1.1\r\n";
        request_ += "Host: " + text(url_.authority) + "\r\n";
        for (const chm_kv& h : std::span(r.headers, r.n_headers))
            request_ += text(h.key) + ": " + text(h.value) + "\r\n";
        request_ += "Content-Length: " + std::to_string(r.body.len) + "\r\n\r\n" + text(r.body);
        chm_http1_begin(&response_, sdk::view(r.method) == "HEAD");
        char byte = 0; // a used connection must be open and silent
        if (fd_ && (::recv(fd_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN)) disconnect();
        may_retry_ = static_cast<bool>(fd_);
        addresses_.reset();
        sent_ = 0;
        open_ = true;
        return this;
    }
    sdk::poll_result poll_head(chm_waker* waker, chm_head& head) {
        chm_str none{};
        const sdk::poll_result result = poll_response(waker, none);
        head = {head.size, response_.status, response_.headers, response_.n_headers};
        return result;
    }
    sdk::poll_result poll_chunk(chm_waker* waker, chm_str& view) { return poll_response(waker, view); }
    void close() noexcept { // the exchange
        if (response_.state != CHM_HTTP1_DONE || !response_.keep_alive || unread_.len > 0) disconnect();
        io_ = sdk::io(); // drops the waker too: the task is not woken any more
        open_ = false;
    }

  private:
    /// Ready: the head is there, or a piece of the body, which lies in buffer_. Throws on failure.
    sdk::poll_result poll_response(chm_waker* waker, chm_str& piece) {
        for (;;) {
            const chm_rc rc = chm_http1_next(&response_, &unread_, &piece);
            if (rc < 0) throw sdk::error(rc, base_ + (rc == CHM_E_LIMIT ? ": too long a head" : ": not HTTP/1.1"));
            if (rc != CHM_PENDING) return sdk::poll_result{rc};
            if (!fd_) connect();
            if (!io_) io_ = sdk::io(reactor_, fd_.get());
            const bool sending = sent_ < request_.size();
            const std::uint32_t seen = io_.poll(sending ? CHM_IO_WRITE : CHM_IO_READ, waker);
            if (seen == 0) return sdk::poll_result::pending; // the reactor will wake the task
            sending ? send(seen) : receive(seen);
        }
    }
    /// Begins to connect to the next address. The first send tells whether it worked. getaddrinfo may block, unless the
    /// host is an address or in /etc/hosts. A transport for the internet calls it on another thread.
    void connect() {
        if (!addresses_) {
            addrinfo hints{};
            hints.ai_socktype = SOCK_STREAM;
            const int why = getaddrinfo(text(url_.host).c_str(), text(url_.port).c_str(), &hints, &next_);
            if (why != 0) throw sdk::error(CHM_E_RESOLVE, base_ + ": " + gai_strerror(why));
            addresses_ = {next_, freeaddrinfo};
        }
        while (!fd_) {
            if (next_ == nullptr) throw sdk::error(CHM_E_CONNECT, base_ + ": " + std::strerror(refused_));
            const addrinfo& a = *std::exchange(next_, next_->ai_next);
            fd_ = sdk::owned_fd(::socket(a.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
            setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            if (::connect(fd_.get(), a.ai_addr, a.ai_addrlen) < 0 && (refused_ = errno) != EINPROGRESS) fd_.reset();
        }
    }
    /// Readiness stays until it is cleared. Clear it after a short write or read: there is no room, or nothing left.
    void send(std::uint32_t seen) {
        const ssize_t n = ::send(fd_.get(), request_.data() + sent_, request_.size() - sent_, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) return lost(errno);
        if (n > 0) sent_ += static_cast<std::size_t>(n);
        if (sent_ < request_.size()) io_.drained(seen, CHM_IO_WRITE);
    }
    void receive(std::uint32_t seen) {
        const ssize_t n = ::recv(fd_.get(), buffer_.data(), buffer_.size(), 0);
        if (n == 0 && chm_http1_closed(&response_) == CHM_END) return;
        if (n == 0 || (n < 0 && errno != EAGAIN)) return lost(n == 0 ? 0 : errno);
        if (n < static_cast<ssize_t>(buffer_.size())) io_.drained(seen, CHM_IO_READ);
        if (n > 0) unread_ = {buffer_.data(), static_cast<std::size_t>(n)}, may_retry_ = false;
    }
    /// The connection is gone. If nothing was sent, it was refused: try the next address. If it was a used one, the
    /// server may have closed it at the same moment: try once more. Everything else fails.
    void lost(int why) {
        if (!may_retry_ && sent_ > 0)
            throw sdk::error(why ? CHM_E_IO : CHM_E_CLOSED, base_ + ": " + (why ? std::strerror(why) : "closed early"));
        refused_ = why;
        may_retry_ = false;
        sent_ = 0;
        disconnect();
    }
    void disconnect() noexcept {
        io_ = sdk::io(); // before close(fd): after it another connection may get the number
        fd_.reset();
        unread_ = {};
    }
    const std::string base_;
    chm_http1_url url_{}; // into base_
    chm_reactor* reactor_;
    std::string request_;
    std::size_t sent_ = 0;
    std::string buffer_;
    chm_str unread_{}; // the rest in buffer_
    chm_http1 response_{};
    bool open_ = false, may_retry_ = false;
    std::shared_ptr<addrinfo> addresses_; // while connecting
    addrinfo* next_ = nullptr;
    int refused_ = 0; // errno of the address before
    sdk::owned_fd fd_;
    sdk::io io_; // after fd_: deregistered first
};

class transport final : public sdk::transport_base<transport> {
  public:
    static constexpr std::array schema{sdk::int_option("read_size", "16384", 64, 1 << 20, "bytes asked of each recv")};
    transport(const chm_host*, const sdk::options& given)
        : read_size_(static_cast<std::size_t>(given.integer("read_size"))) {}
    chm_session* open(const chm_session_args& args) { return new session(args, read_size_); }
    const void* extension(std::string_view) noexcept { return nullptr; }

  private:
    const std::size_t read_size_;
};
} // namespace

CHIMERA_TRANSPORT_PLUGIN("my_transport", "0.1", "HTTP/1.1, one socket for each session", transport);
