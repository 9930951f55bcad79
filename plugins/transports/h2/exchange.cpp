#include "exchange.hpp"

#include <algorithm>
#include <utility>

#include "chimera/sdk/clock.hpp"
#include "chimera/sdk/text.hpp"

namespace chimera::h2 {

namespace {

constexpr chm_rc again = 3;     // beside the contract's codes: on another connection
constexpr int most_drives = 64; // in one poll, before others have their turn
constexpr std::uint64_t ms = 1'000'000;

} // namespace

exchange::~exchange() {
    if (connection_ && own_connection()) connection_->shut(CHM_E_CANCELED, "the session was closed");
}

void exchange::begin(const chm_request& request) {
    stream_.request.write(url_, request);
    timing_ = {};
    timing_.size = sizeof timing_;
    body_bytes_ = 0;
    late_look_ = retried_ = false;
    phase_ = phase::begun;
}

sdk::poll_result exchange::poll_head(chm_waker* waker, chm_head& head) {
    if (phase_ != phase::begun && phase_ != phase::head)
        throw sdk::error(CHM_E_STATE, "poll_head was called after the head was handed out or the exchange was over");
    return sdk::poll_result{guard([&] {
        for (;;) {
            if (phase_ == phase::begun) choose();
            const chm_rc rc = await(waker, [&](multiplexer&) { return take_head(head); });
            timing_.connected_ns = connection_->connected_ns();
            if (rc != again) return rc;
            phase_ = phase::begun;
        }
    })};
}

sdk::poll_result exchange::poll_chunk(chm_waker* waker, chm_str& view) {
    if (phase_ == phase::ended) return sdk::poll_result::end;
    if (phase_ != phase::body)
        throw sdk::error(CHM_E_STATE, "poll_chunk was called before the head was ready or after a failure");
    return sdk::poll_result{
        guard([&] { return await(waker, [&](multiplexer& frames) { return take_body(frames, view); }); })};
}

void exchange::close() noexcept {
    if (connection_) {
        connection_->cancel(stream_);
        stream_.waiter.clear();
        if (own_connection()) connection_->rest();
    }
    alarm_.silence();
    // An agent that thinks holds a connection, not the memory of its last request and response.
    // (Assigning {} to a string or a vector would keep it.)
    stream_.request.clear();
    std::string().swap(stream_.incoming);
    std::string().swap(stream_.head_text);
    decltype(stream_.fields)().swap(stream_.fields);
    std::string().swap(handed_out_);
    decltype(headers_)().swap(headers_);
    phase_ = phase::closed;
}

/// Calls look() under the connection's lock until it is not pending, drives an own connection in between, and keeps the
/// limits of time.
template <class Look>
chm_rc exchange::await(chm_waker* waker, Look&& look_at) {
    chm_rc rc = CHM_PENDING;
    std::uint64_t limit = 0;
    bool sent = false;
    const auto look = [&] {
        connection_->look([&](multiplexer& frames) {
            rc = look_at(frames);
            limit = wait_limit(frames);
            sent = stream_.headers_sent;
        });
        if (rc == CHM_PENDING) return false;
        late_look_ = false;
        return true;
    };
    for (int i = 0; i < most_drives; ++i) {
        if (look()) return rc;
        if (own_connection()) {
            if (connection_->drive(waker) != connection::progress::pending) continue;
        } else {
            stream_.waiter.set(waker);
            if (look()) return rc;
        }
        if (!alarm_.passed(limit, waker)) {
            late_look_ = false;
            return CHM_PENDING;
        }
        if (std::exchange(late_look_, true)) time_out(sent);
        // The driver may lag behind the kernel, where a worker was blocked.
        if (own_connection()) {
            connection_->catch_up();
        } else {
            connection_->wake_driver();
            break;
        }
    }
    waker->vt->wake_by_ref(waker);
    return CHM_PENDING;
}

template <class Step>
chm_rc exchange::guard(Step&& step) {
    try {
        return step();
    } catch (const sdk::error& e) {
        fail(e);
    } catch (...) {
        phase_ = phase::failed;
        if (connection_) connection_->cancel(stream_);
        throw;
    }
}

void exchange::fail(const sdk::error& why) {
    if (connection_) connection_->cancel(stream_); // from here on the stream is read without the lock
    const std::string text = url_.origin + stream_.request.target() + ": " + doing() + why.what();
    phase_ = phase::failed;
    throw sdk::error(why.code(), text);
}

std::string exchange::doing() const {
    if (phase_ == phase::body) return "after " + std::to_string(body_bytes_) + " body bytes: ";
    if (phase_ != phase::head) return {};
    if (stream_.answered) return "reading the head of the response: ";
    if (timing_.sent_ns != 0) return "waiting for the first byte of the response: ";
    return timing_.connected_ns != 0 ? "sending the request: " : "";
}

/// Puts the stream into a connection: the one at hand, as long as it takes streams.
void exchange::choose() {
    stream_.reset();
    if (own_connection()) {
        if (connection_) {
            connection_->catch_up();
            if (!connection_->open()) {
                connection_->shut(CHM_E_CLOSED, "the connection takes no more streams");
                connection_.reset();
            }
        }
        if (!connection_)
            connection_ = std::make_shared<connection>(core_->limits, core_->names, url_.tls ? &core_->tls() : nullptr,
                                                       url_, who_.reactor, false);
    } else if (!connection_ || !connection_->open() || connection_->load_now().full()) {
        connection_ = core_->connection_for(who_, url_);
    }
    const connection::submitted there = connection_->submit(stream_);
    timing_.reused = there.used ? 1 : 0;
    timing_.connected_ns = there.connected_ns;
    phase_ = phase::head;
}

/// The stream has failed, and may be sent once more over another connection: the server says that it did not process
/// it, or a connection that had served before went without a byte of this response. A server that ends a connection
/// after so many requests may send a stream away again and again: that goes on, as others were served meanwhile.
bool exchange::retry() noexcept {
    const bool may = stream_.not_processed || (stream_.lost && timing_.reused != 0 && !stream_.answered);
    if (!may || (retried_ && !stream_.sent_away)) return false;
    retried_ = retried_ || !stream_.sent_away;
    if (stream_.headers_sent) ++timing_.retries;
    timing_.sent_ns = 0;
    return true;
}

/// Under the lock.
chm_rc exchange::take_head(chm_head& head) {
    timing_.sent_ns = stream_.sent_ns;
    if (!stream_.head_done) {
        if (!stream_.failed) return CHM_PENDING;
        if (retry()) return again;
        throw sdk::error(stream_.code, stream_.why);
    }
    timing_.first_byte_ns = std::max(stream_.first_byte_ns, stream_.sent_ns);
    timing_.readable_ns = stream_.head_readable_ns == 0 ? 0 : std::max(stream_.head_readable_ns, timing_.first_byte_ns);
    timing_.behind_others_ns = stream_.head_behind_ns;
    for (const stream::field& f : stream_.fields) {
        const char* const text = stream_.head_text.data();
        headers_.push_back({{text + f.name, f.value - f.name}, {text + f.value, f.end - f.value}});
    }
    head.status = stream_.status;
    head.headers = headers_.data();
    head.n_headers = headers_.size();
    phase_ = phase::body;
    return CHM_READY;
}

/// Under the lock. Each piece gives its window back. So the caller holds at most one window, and at most another one
/// waits.
chm_rc exchange::take_body(multiplexer& frames, chm_str& view) {
    if (!stream_.incoming.empty()) {
        handed_out_.swap(stream_.incoming);
        stream_.incoming.clear();
        frames.taken(stream_, handed_out_.size());
        body_bytes_ += handed_out_.size();
        timing_.readable_ns =
            stream_.incoming_readable_ns == 0 ? 0 : std::max(stream_.incoming_readable_ns, timing_.first_byte_ns);
        timing_.behind_others_ns = stream_.incoming_behind_ns;
        view = {handed_out_.data(), handed_out_.size()};
        return CHM_READY;
    }
    if (stream_.ended) {
        phase_ = phase::ended;
        return CHM_END;
    }
    if (stream_.failed) throw sdk::error(stream_.code, stream_.why);
    return CHM_PENDING;
}

/// Under the lock. 0: none. A stream that waits for the server's permission waits for other streams, which have limits
/// of their own, as a connection has that is made: the limit moves on. Where the server has no stream of ours and still
/// takes none, it comes.
std::uint64_t exchange::wait_limit(const multiplexer& frames) const noexcept {
    const auto after = [](std::uint64_t from, std::uint64_t limit) { return limit == 0 ? 0 : from + limit; };
    if (!stream_.headers_sent) {
        if (core_->limits.idle_timeout_ns == 0) return 0;
        const std::uint64_t since = frames.vacant_since_ns();
        return after(since == 0 ? sdk::now_ns() : std::max(since, stream_.last_activity_ns),
                     core_->limits.idle_timeout_ns);
    }
    if (stream_.sent_ns != 0 && stream_.first_byte_ns == 0)
        return after(stream_.sent_ns, core_->limits.first_byte_timeout_ns);
    return after(stream_.last_activity_ns, core_->limits.idle_timeout_ns);
}

void exchange::time_out(bool headers_sent) const {
    const bool first = phase_ == phase::head && timing_.sent_ns != 0;
    const std::uint64_t limit = first ? core_->limits.first_byte_timeout_ns : core_->limits.idle_timeout_ns;
    if (!headers_sent)
        throw sdk::error(CHM_E_TIMEOUT, "the server takes no stream, though it has none of this connection, for " +
                                            std::to_string(limit / ms) + " ms (idle_timeout_ms)");
    throw sdk::error(CHM_E_TIMEOUT, (timing_.sent_ns == 0 ? "no progress for " : "nothing came for ") +
                                        std::to_string(limit / ms) + " ms (" +
                                        (first ? "first_byte_timeout_ms)" : "idle_timeout_ms)"));
}

} // namespace chimera::h2
