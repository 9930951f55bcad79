#include "exchange.hpp"

#include <algorithm>
#include <cerrno>
#include <span>
#include <string_view>
#include <system_error>

#include "chimera/sdk/clock.hpp"
#include "chimera/sdk/text.hpp"
#include "http1/http_text.hpp"

namespace chimera::socket {

void request_text::write(const stream_socket::base_url& url, const chm_request& request) {
    const std::string_view method = sdk::view(request.method);
    const std::string_view path = sdk::view(request.path);
    const std::string_view body = sdk::view(request.body);
    http1::check_request(request);

    target.assign(url.path_prefix).append(path);
    if (target.empty()) target = "/";
    is_head = method == "HEAD";

    bytes.assign(method).append(" ").append(target).append(" HTTP/1.1\r\n");
    bool has_host = false;
    for (const chm_kv& kv : std::span(request.headers, request.n_headers)) {
        const std::string_view name = sdk::view(kv.key);
        const std::string_view value = sdk::view(kv.value);
        has_host = has_host || http1::same_name(name, "host");
        bytes.append(name).append(": ").append(value).append("\r\n");
    }
    if (!has_host) bytes.append("Host: ").append(url.host_header).append("\r\n");
    if (http1::says_length(method, body))
        bytes.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
    bytes.append("\r\n").append(body);
}

void exchange::begin(const chm_request& request) {
    request_.write(url_, request);
    parser_.begin(request_.is_head);
    if (settings_.fill) {
        filling_ = std::make_unique<filling>();
        filling_->bytes.reserve(2 * settings_.read_size);
    }
    timing_ = {};
    timing_.size = sizeof timing_;
    arrivals_.begin();
    arrived_ns_ = 0;
    body_bytes_ = 0;
    unseen_ = false;
    phase_ = phase::choosing;
}

sdk::poll_result exchange::poll_head(chm_waker* waker, chm_head& head) {
    if (phase_ == phase::closed || phase_ == phase::head_out || phase_ == phase::body || phase_ == phase::over)
        throw sdk::error(CHM_E_STATE, "poll_head was called after the head was handed out or the exchange was over");
    return sdk::poll_result{guard([&] { return advance_head(waker, head); })};
}

sdk::poll_result exchange::poll_chunk(chm_waker* waker, chm_str& view) {
    if (phase_ == phase::head_out) {
        parser_.release_head(); // valid until this call
        if (!unsent()) request_.release();
        phase_ = phase::body;
    } else if (phase_ != phase::body) {
        if (phase_ == phase::over && parser_.head_done() && parser_.done()) return sdk::poll_result::end;
        throw sdk::error(CHM_E_STATE, "poll_chunk was called before the head was ready or after a failure");
    }
    return sdk::poll_result{
        guard([&] { return settings_.fill ? advance_fill(waker, view) : advance_body(waker, view); })};
}

void exchange::close() noexcept {
    if (phase_ != phase::over) connection_.close();
    connector_.cancel();
    alarm_.silence();
    // An agent that thinks holds a connection, not the memory of its last request and response.
    buffer_ = {};
    parser_.release_head();
    filling_ = {};
    request_.release();
    phase_ = phase::closed;
}

template <class Step>
chm_rc exchange::guard(Step&& step) {
    try {
        return step();
    } catch (const sdk::error& e) {
        fail(e);
    } catch (...) {
        connection_.close();
        phase_ = phase::over;
        throw;
    }
}

void exchange::fail(const sdk::error& why) {
    const std::string text = url_.origin + request_.target + ": " + doing() + why.what();
    connection_.close();
    phase_ = phase::over;
    throw sdk::error(why.code(), text);
}

std::string exchange::doing() const {
    if (phase_ == phase::body) return "after " + std::to_string(body_bytes_) + " body bytes: ";
    if (phase_ != phase::talking) return {};
    if (answered_ && !parser_.head_untouched()) return "reading the head of the response: ";
    return unsent() ? "sending the request: " : "waiting for the first byte of the response: ";
}

// --- head ---

chm_rc exchange::advance_head(chm_waker* waker, chm_head& head) {
    if (phase_ == phase::choosing) choose();
    do {
        if (phase_ == phase::connecting && !connect(waker)) return CHM_PENDING;
        if (!talk(waker)) return CHM_PENDING;
    } while (phase_ == phase::connecting);

    phase_ = phase::head_out;
    unseen_ = !buffer_.empty();
    const auto headers = parser_.headers();
    head.status = parser_.status();
    head.headers = headers.data();
    head.n_headers = headers.size();
    return CHM_READY;
}

void exchange::choose() {
    sent_ = 0;
    send_error_ = 0;
    answered_ = false;
    if (connection_.idle_and_open()) {
        timing_.reused = 1;
        timing_.connected_ns = connection_.connected_ns();
        last_activity_ns_ = sdk::now_ns();
        phase_ = phase::talking;
        return;
    }
    connection_.close();
    connector_.begin();
    phase_ = phase::connecting;
}

bool exchange::connect(chm_waker* waker) {
    while (!connector_.poll(connection_, waker)) {
        if (!alarm_.passed(connector_.deadline(), waker)) return false;
        connector_.expire(connection_);
    }
    timing_.connected_ns = connection_.connected_ns();
    last_activity_ns_ = timing_.connected_ns;
    phase_ = phase::talking;
    return true;
}

/// True when the head is complete, or when the phase is connecting again, for a retry.
bool exchange::talk(chm_waker* waker) {
    if (sent_ == 0 && unsent()) send_some(0); // the socket is new or idle: there is room
    for (;;) {
        const std::uint32_t seen = connection_.poll(unsent() ? CHM_IO_READ | CHM_IO_WRITE : CHM_IO_READ, waker);
        if (seen == 0) {
            const std::uint64_t limit = wait_limit();
            if (!alarm_.passed(limit, waker)) {
                buffer_.give_back();
                return false;
            }
            if (take_head(0)) return true; // the reactor may lag behind the kernel, where a worker was blocked
            if (wait_limit() == limit) time_out();
            continue;
        }
        if (unsent() && (seen & (CHM_IO_WRITE | CHM_IO_ERR | CHM_IO_HUP))) send_some(seen);
        if ((seen & (CHM_IO_READ | CHM_IO_ERR | CHM_IO_HUP)) && take_head(seen)) return true;
    }
}

bool exchange::take_head(std::uint32_t seen) {
    switch (receive(seen)) {
    case received::nothing:
        return false;
    case received::end:
        if (retry()) return true;
        if (!answered_ && send_error_ != 0) refuse_receive(send_error_);
        if (!answered_)
            throw sdk::error(CHM_E_CLOSED, "the server closed the connection before the first byte of the response");
        parser_.end_of_stream(buffer_.unparsed());
        return false;
    case received::bytes:
        answered_ = true;
        break;
    }
    buffer_.consumed(parser_.parse_head(buffer_.unparsed()));
    // Only 1xx responses so far: the first byte is still to come.
    timing_.first_byte_ns = parser_.head_untouched()     ? 0
                            : timing_.first_byte_ns != 0 ? timing_.first_byte_ns
                            : arrived_ns_ != 0           ? arrived_ns_
                                                         : last_activity_ns_;
    timing_.readable_ns = arrived_ns_;
    return parser_.head_done();
}

/// A connection that had served before and was closed before any byte of this response: once more, on a fresh one.
bool exchange::retry() {
    if (answered_ || timing_.reused == 0) return false;
    timing_.reused = 0;
    timing_.retries = 1;
    timing_.connected_ns = timing_.sent_ns = 0;
    sent_ = 0;
    send_error_ = 0;
    connection_.close();
    connector_.begin();
    phase_ = phase::connecting;
    return true;
}

void exchange::send_some(std::uint32_t seen) {
    while (unsent()) {
        const ssize_t n = connection_.send(std::string_view(request_.bytes).substr(sent_));
        if (n > 0) {
            sent_ += static_cast<std::size_t>(n);
            last_activity_ns_ = sdk::now_ns();
            if (sent_ == request_.bytes.size()) {
                timing_.sent_ns = last_activity_ns_;
                if (timing_.reused == 0) request_.release(); // no retry() will need it
            }
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (seen) connection_.drained(seen, CHM_IO_WRITE);
            return;
        } else {
            send_error_ = errno; // the server may have answered before it closed: the receive will tell
        }
    }
}

// --- body ---

chm_rc exchange::advance_body(chm_waker* waker, chm_str& view) {
    for (;;) {
        if (unseen_ && !parser_.done()) {
            const auto [consumed, body] = parser_.parse_body(buffer_.unparsed());
            buffer_.consumed(consumed);
            unseen_ = !body.empty() && !buffer_.empty(); // a fault, or trailers: told when this piece was handed out
            if (!body.empty()) {
                body_bytes_ += body.size();
                timing_.readable_ns = arrived_ns_;
                view = {body.data(), body.size()};
                return CHM_READY;
            }
        }
        if (parser_.done()) {
            complete();
            return CHM_END;
        }
        const std::uint32_t seen = connection_.poll(CHM_IO_READ, waker);
        if (seen == 0 && !alarm_.passed(wait_limit(), waker)) {
            buffer_.give_back();
            return CHM_PENDING;
        }
        switch (receive(seen)) {
        case received::nothing:
            if (seen == 0) time_out(); // and the kernel, ahead of the reactor, has nothing either
            break;
        case received::bytes:
            unseen_ = true;
            break;
        case received::end:
            parser_.end_of_stream(buffer_.unparsed());
            break;
        }
    }
}

chm_rc exchange::advance_fill(chm_waker* waker, chm_str& view) {
    filling& f = *filling_;
    if (f.handed_out != 0) {
        f.bytes.erase(0, f.handed_out);
        f.handed_out = 0;
        f.since_ns = arrived_ns_; // a receive brings at most read_size: the rest came with the last one
    }
    if (f.put_off) throw sdk::error(*f.put_off);
    chm_rc rc = CHM_READY;
    try {
        while (f.bytes.size() < settings_.read_size) {
            chm_str piece{};
            rc = parser_.done() && !unseen_ ? CHM_END : advance_body(waker, piece);
            if (rc != CHM_READY) break;
            if (f.bytes.empty()) f.since_ns = arrived_ns_;
            f.bytes.append(piece.ptr, piece.len);
        }
    } catch (const sdk::error& e) {
        if (f.bytes.empty()) throw;
        f.put_off = e;
        rc = CHM_END; // bytes from before the failure are handed out first
    }
    if (rc == CHM_PENDING) return CHM_PENDING;
    if (f.bytes.empty()) {
        complete();
        return CHM_END;
    }
    f.handed_out = std::min(f.bytes.size(), settings_.read_size);
    view = {f.bytes.data(), f.handed_out};
    timing_.readable_ns = f.since_ns;
    return CHM_READY;
}

void exchange::complete() noexcept {
    const bool reusable = parser_.keep_alive() && buffer_.empty() && timing_.sent_ns != 0 && connection_;
    if (reusable)
        connection_.forget_waker();
    else
        connection_.close();
    alarm_.silence();
    buffer_.give_back();
    phase_ = phase::over;
}

// --- receive ---

exchange::received exchange::receive(std::uint32_t seen) {
    char* const to = buffer_.room(settings_.read_size);
    std::uint64_t stamp_ns = 0;
    const ssize_t n = connection_.receive(to, settings_.read_size, stamp_ns);
    if (n > 0) {
        const auto size = static_cast<std::size_t>(n);
        if (seen && size < settings_.read_size) connection_.drained(seen, CHM_IO_READ);
        buffer_.received(size);
        last_activity_ns_ = sdk::now_ns();
        arrived_ns_ =
            arrivals_.monotonic(stamp_ns, std::max(timing_.sent_ns, timing_.first_byte_ns), last_activity_ns_);
        return received::bytes;
    }
    if (n == 0) return received::end;
    if (errno != EAGAIN && errno != EWOULDBLOCK) {
        const int why = errno;
        if (why == ECONNRESET && phase_ == phase::talking && timing_.reused != 0 && !answered_) return received::end;
        refuse_receive(why);
    }
    if (seen) connection_.drained(seen, CHM_IO_READ);
    if (seen & (CHM_IO_ERR | CHM_IO_HUP)) { // sticky: asked again, it would say the same for ever
        if (const int why = connection_.pending_error()) refuse_receive(why);
        throw sdk::error(CHM_E_AFFINITY, "the reactor reports an error that the socket does not have: it belongs to "
                                         "another thread");
    }
    return received::nothing;
}

void exchange::refuse_receive(int why) const {
    if (why == EPIPE) throw sdk::error(CHM_E_CLOSED, "the server closed the connection");
    throw sdk::error(CHM_E_IO, std::generic_category().message(why));
}

std::uint64_t exchange::wait_limit() const noexcept {
    const auto after = [](std::uint64_t from, std::uint64_t limit) { return limit == 0 ? 0 : from + limit; };
    if (timing_.sent_ns != 0 && timing_.first_byte_ns == 0)
        return after(timing_.sent_ns, settings_.first_byte_timeout_ns);
    return after(last_activity_ns_, settings_.idle_timeout_ns);
}

void exchange::time_out() const {
    const bool first = timing_.sent_ns != 0 && timing_.first_byte_ns == 0;
    const std::uint64_t limit = first ? settings_.first_byte_timeout_ns : settings_.idle_timeout_ns;
    throw sdk::error(CHM_E_TIMEOUT, (unsent() ? "no progress for " : "nothing came for ") +
                                        std::to_string(limit / 1'000'000U) + " ms (" +
                                        (first ? "first_byte_timeout_ms)" : "idle_timeout_ms)"));
}

} // namespace chimera::socket
