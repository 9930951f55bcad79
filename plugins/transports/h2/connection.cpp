#include "connection.hpp"

#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

#include "chimera/sdk/clock.hpp"

namespace chimera::h2 {

namespace {

constexpr int most_receives = 16;             // in one poll of the service, before others have their turn
constexpr std::size_t kept_to_send = 1 << 16; // of memory, when all of it is sent
constexpr std::size_t largest_record = 16384; // of TLS

/// Where receives go: nothing is left in it when a receive is taken, so a thread needs one.
char* scratch(std::size_t size) {
    static thread_local std::unique_ptr<char[]> bytes;
    static thread_local std::size_t capacity = 0;
    if (capacity < size) {
        bytes = std::make_unique_for_overwrite<char[]>(size);
        capacity = size;
    }
    return bytes.get();
}

} // namespace

connection::connection(const settings& limits, stream_socket::resolver& names, const tls_context* tls,
                       const stream_socket::base_url& url, chm_reactor* reactor, bool locked,
                       std::uint32_t assumed_streams)
    : settings_(limits), url_(url), tls_context_(tls), reactor_(reactor),
      connector_(url_, names, limits.connect_timeout_ns),
      socket_(reactor, sdk::recv_ops_of(reactor), limits.kernel_timestamps), frames_(limits, assumed_streams) {
    if (locked) mutex_.emplace();
    connector_.begin();
}

// --- exchanges ---

bool connection::open() {
    const optional_lock lock(mutex_);
    return phase_ != phase::over && !abandoned_.load(std::memory_order_relaxed) && frames_.open();
}

connection::load connection::load_now() {
    const optional_lock lock(mutex_);
    return {frames_.streams(), frames_.most_streams()};
}

std::uint64_t connection::connected_ns() {
    const optional_lock lock(mutex_);
    return phase_ == phase::connecting ? 0 : socket_.connected_ns();
}

connection::submitted connection::submit(stream& s) {
    submitted result{};
    bool call = false;
    std::vector<sdk::waker> woken;
    locked(woken, [&] {
        result = {served_ != 0 && phase_ == phase::open, phase_ == phase::connecting ? 0 : socket_.connected_ns()};
        ++served_;
        if (phase_ == phase::over) {
            // A connection that failed before it was open says why: the next one would fail too.
            if (never_open_ != CHM_OK) return s.fail(never_open_, why_never_open_);
            s.fail(CHM_E_CLOSED, "the connection was closed");
            s.not_processed = true;
            return;
        }
        frames_.submit(s);
        flush();
        call = needs_driver();
    });
    if (call) driver_.wake();
    return result;
}

void connection::cancel(stream& s) noexcept {
    bool call = false;
    std::vector<sdk::waker> woken;
    locked(woken, [&] {
        if (!s.attached) return;
        frames_.cancel(s);
        try {
            flush();
        } catch (...) { // the driver sees it too
        }
        call = needs_driver();
    });
    if (call) driver_.wake();
}

bool connection::needs_driver() const noexcept {
    return phase_ == phase::open && (out_blocked_ || send_error_ != 0 || frames_.finished());
}

/// Sends the pending bytes, as far as the kernel takes them.
void connection::flush() {
    if (phase_ != phase::open || send_error_ != 0) return;
    for (;;) {
        if (out_sent_ == out_.size()) {
            frames_.flushed();
            out_sent_ = 0;
            out_.clear();
            if (out_.capacity() > kept_to_send) out_.shrink_to_fit();
            if (!frames_.wants_to_send()) break;
            if (tls_) {
                plain_.clear();
                frames_.produce(plain_);
                tls_->write(plain_, out_);
            } else {
                frames_.produce(out_);
            }
            if (out_.empty()) break;
        }
        const ssize_t n = socket_.send(std::string_view(out_).substr(out_sent_));
        if (n > 0) {
            out_sent_ += static_cast<std::size_t>(n);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            out_blocked_ = true;
            return;
        } else {
            send_error_ = errno;
            return;
        }
    }
    out_blocked_ = false;
}

// --- driver ---

/// Whatever goes wrong ends the connection.
template <class Work>
void connection::or_shut(Work&& work) noexcept {
    try {
        work();
    } catch (const sdk::error& e) {
        shut(e.code(), e.what());
    } catch (const std::bad_alloc&) {
        shut(CHM_E_NOMEM, "out of memory");
    } catch (const std::exception& e) {
        shut(CHM_E_FAIL, e.what());
    }
}

connection::progress connection::drive(chm_waker* waker) {
    if (phase_ == phase::over) return progress::over;
    progress made = progress::over;
    or_shut([&] { made = phase_ == phase::connecting && !connect(waker) ? progress::pending : transfer(waker); });
    return made;
}

connection::progress connection::serve(chm_waker* waker) {
    driver_.set(waker);
    if (abandoned_.load(std::memory_order_acquire)) shut(CHM_E_CANCELED, "the transport was destroyed");
    for (int i = 0; i < most_receives; ++i) {
        if (const progress p = drive(waker); p != progress::made) return p;
    }
    waker->vt->wake_by_ref(waker);
    return progress::pending;
}

bool connection::connect(chm_waker* waker) {
    if (!alarm_) alarm_.emplace(reactor_);
    while (!connector_.poll(socket_, waker)) {
        if (!alarm_->passed(connector_.deadline(), waker)) return false;
        connector_.expire(socket_);
    }
    const optional_lock lock(mutex_);
    arrivals_.begin();
    if (tls_context_) tls_.emplace(*tls_context_, url_);
    phase_ = tls_ ? phase::handshaking : phase::open;
    if (tls_ && tls_->handshake(out_)) phase_ = phase::open; // not at once: it has to be answered
    return true;
}

connection::progress connection::transfer(chm_waker* waker) {
    bool blocked = false, finished = false;
    int failed = 0;
    std::string broken, said;
    locked(waking_, [&] {
        if (phase_ == phase::handshaking) { // its bytes do not go through the frames
            while (out_sent_ < out_.size()) {
                const ssize_t n = socket_.send(std::string_view(out_).substr(out_sent_));
                if (n < 0) break;
                out_sent_ += static_cast<std::size_t>(n);
            }
            out_blocked_ = out_sent_ < out_.size();
        } else if (out_sent_ < out_.size() || frames_.wants_to_send()) {
            flush();
        }
        blocked = out_blocked_;
        failed = send_error_;
        finished = phase_ == phase::open && frames_.finished();
        if (!finished) return;
        broken = frames_.broken();
        said = frames_.goodbye();
    });
    if (!broken.empty()) throw sdk::error(CHM_E_PROTO, "the server breaks HTTP/2: " + broken);
    if (finished) throw sdk::error(CHM_E_CLOSED, said.empty() ? "the connection was closed" : said);
    const std::uint32_t seen = socket_.poll(blocked ? CHM_IO_READ | CHM_IO_WRITE : CHM_IO_READ, waker);
    if (seen == 0) {
        if (phase_ == phase::handshaking && alarm_->passed(connector_.deadline(), waker))
            throw sdk::error(CHM_E_TIMEOUT, "TLS handshake: not complete within " +
                                                std::to_string(settings_.connect_timeout_ns / 1'000'000U) +
                                                " ms (connect_timeout_ms)");
        if (failed != 0) refuse(failed);
        return progress::pending;
    }
    if (blocked && (seen & CHM_IO_WRITE)) {
        locked(waking_, [&] {
            flush();
            blocked = out_blocked_;
        });
        if (blocked) socket_.drained(seen, CHM_IO_WRITE);
    }
    if (seen & (CHM_IO_READ | CHM_IO_ERR | CHM_IO_HUP)) receive(seen);
    return progress::made;
}

/// One receive. False: there was nothing.
bool connection::receive(std::uint32_t seen) {
    char* const to = scratch(settings_.read_size + largest_record);
    std::uint64_t stamp_ns = 0;
    const ssize_t n = socket_.receive(to, settings_.read_size, stamp_ns);
    if (n > 0) {
        const std::uint64_t now = sdk::now_ns();
        const auto size = static_cast<std::size_t>(n);
        if (seen && size < settings_.read_size) socket_.drained(seen, CHM_IO_READ);
        locked(waking_, [&] { take({to, size}, stamp_ns, now); });
        return true;
    }
    if (n == 0) {
        std::string said;
        look([&](const multiplexer& frames) { said = frames.goodbye(); });
        closed_by_server(said);
    }
    if (errno != EAGAIN && errno != EWOULDBLOCK) refuse(errno);
    if (seen) socket_.drained(seen, CHM_IO_READ);
    if (seen & (CHM_IO_ERR | CHM_IO_HUP)) { // sticky: asked again, it would say the same for ever
        if (const int why = socket_.pending_error()) refuse(why);
        throw sdk::error(CHM_E_AFFINITY, "the reactor reports an error that the socket does not have: it belongs to "
                                         "another thread");
    }
    return false;
}

/// Under the lock.
void connection::take(std::string_view bytes, std::uint64_t stamp_ns, std::uint64_t now_ns) {
    std::uint64_t readable = arrivals_.monotonic(stamp_ns, socket_.connected_ns(), now_ns);
    // Without a stamp: a service's receive is before the wake of the exchange's task, and says more; an exchange's own
    // is after it.
    if (readable == 0 && settings_.shared) readable = now_ns;
    if (!tls_) {
        frames_.feed(bytes, readable, now_ns);
        flush();
        return;
    }
    tls_->received(bytes);
    if (phase_ == phase::handshaking) {
        if (!tls_->handshake(out_)) return;
        phase_ = phase::open;
    }
    char* const plain = scratch(0) + settings_.read_size;
    while (const std::size_t n = tls_->read(plain, largest_record)) frames_.feed({plain, n}, readable, now_ns);
    flush();
    if (tls_->ended()) closed_by_server(frames_.goodbye());
}

void connection::closed_by_server(const std::string& said) {
    throw sdk::error(CHM_E_CLOSED, "the server closed the connection" + (said.empty() ? said : ": " + said));
}

void connection::refuse(int why) const {
    if (why == EPIPE) throw sdk::error(CHM_E_CLOSED, "the server closed the connection");
    throw sdk::error(CHM_E_IO, std::generic_category().message(why));
}

void connection::catch_up() noexcept {
    if (phase_ != phase::open) return;
    or_shut([&] {
        for (int i = 0; i < most_receives && receive(0); ++i) {
        }
    });
}

void connection::rest() noexcept {
    if (phase_ == phase::over) return;
    if (phase_ != phase::open) return shut(CHM_E_CANCELED, "the exchange was closed");
    alarm_.reset();
    or_shut([&] {
        // While something is ready, the reactor takes no other waker.
        for (int i = 0; i < most_receives; ++i) {
            const std::uint32_t seen = socket_.poll(CHM_IO_READ, stream_socket::nobody());
            if (seen == 0) return;
            receive(seen);
        }
        shut(CHM_E_CLOSED, "the server sends without end to a client that asked for nothing");
    });
}

void connection::shut(chm_rc code, std::string_view why) noexcept {
    if (phase_ == phase::over) return;
    locked(waking_, [&] {
        try {
            if (phase_ != phase::open) {
                never_open_ = code;
                why_never_open_ = why;
            } else if (code != CHM_E_NOMEM) {
                frames_.say_goodbye();
                flush();
            }
        } catch (...) { // it is closed anyway
        }
        phase_ = phase::over;
        frames_.fail_all(code, why, code == CHM_E_CLOSED || code == CHM_E_IO);
    });
    connector_.cancel();
    alarm_.reset();
    socket_.close();
}

void connection::abandon() {
    abandoned_.store(true, std::memory_order_release);
    driver_.wake();
}

} // namespace chimera::h2
