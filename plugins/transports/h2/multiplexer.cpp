#include "multiplexer.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "chimera/sdk/clock.hpp"
#include "chimera/sdk/error.hpp"
#include "http1/http_text.hpp"

namespace chimera::h2 {

namespace {

constexpr std::size_t produced_at_once = 65536;

multiplexer& self(void* user_data) noexcept { return *static_cast<multiplexer*>(user_data); }

std::string_view text(const std::uint8_t* bytes, std::size_t size) noexcept {
    return {reinterpret_cast<const char*>(bytes), size};
}

/// An exception does not pass through nghttp2, which is C.
template <class F>
int kept_inside(F&& f) noexcept {
    try {
        return f();
    } catch (...) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
}

struct freed_options {
    void operator()(nghttp2_option* o) const noexcept { nghttp2_option_del(o); }
};
struct freed_callbacks {
    void operator()(nghttp2_session_callbacks* c) const noexcept { nghttp2_session_callbacks_del(c); }
};

} // namespace

multiplexer::multiplexer(const settings& limits, std::uint32_t assumed_streams)
    : settings_(limits), raw_(make(assumed_streams, this)) {
    const std::array<nghttp2_settings_entry, 2> mine{
        {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}, {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.stream_window}}};
    if (nghttp2_submit_settings(raw_.get(), NGHTTP2_FLAG_NONE, mine.data(), mine.size()) != 0 ||
        nghttp2_session_set_local_window_size(raw_.get(), NGHTTP2_FLAG_NONE, 0,
                                              static_cast<std::int32_t>(limits.connection_window)) != 0)
        throw std::bad_alloc();
}

nghttp2_session* multiplexer::make(std::uint32_t assumed_streams, multiplexer* mine) {
    nghttp2_session_callbacks* c = nullptr;
    if (nghttp2_session_callbacks_new(&c) != 0) throw std::bad_alloc();
    const std::unique_ptr<nghttp2_session_callbacks, freed_callbacks> callbacks(c);
    nghttp2_session_callbacks_set_on_begin_frame_callback(
        c, [](nghttp2_session*, const nghttp2_frame_hd* head, void* user) {
            self(user).frame_of_ = head->stream_id;
            self(user).complaint_.clear();
            return 0;
        });
    nghttp2_session_callbacks_set_on_begin_headers_callback(
        c, [](nghttp2_session*, const nghttp2_frame* frame, void* user) { return self(user).begins_headers(*frame); });
    nghttp2_session_callbacks_set_on_header_callback(c, [](nghttp2_session*, const nghttp2_frame* frame,
                                                           const std::uint8_t* name, std::size_t name_size,
                                                           const std::uint8_t* value, std::size_t value_size,
                                                           std::uint8_t, void* user) {
        return kept_inside([&] { return self(user).header(*frame, text(name, name_size), text(value, value_size)); });
    });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        c, [](nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes, std::size_t size,
              void* user) { return kept_inside([&] { return self(user).data(id, text(bytes, size)); }); });
    nghttp2_session_callbacks_set_on_frame_recv_callback(
        c, [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
            return kept_inside([&] { return self(user).received(*frame); });
        });
    nghttp2_session_callbacks_set_on_frame_send_callback(
        c, [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
            return kept_inside([&] { return self(user).sent(*frame); });
        });
    nghttp2_session_callbacks_set_on_stream_close_callback(
        c, [](nghttp2_session*, std::int32_t id, std::uint32_t error, void* user) {
            return kept_inside([&] { return self(user).closed(id, error); });
        });
    nghttp2_session_callbacks_set_error_callback2(
        c, [](nghttp2_session*, int, const char* message, std::size_t size, void* user) {
            return kept_inside([&] {
                self(user).complain({message, size});
                return 0;
            });
        });
    nghttp2_option* o = nullptr;
    if (nghttp2_option_new(&o) != 0) throw std::bad_alloc();
    const std::unique_ptr<nghttp2_option, freed_options> options(o);
    nghttp2_option_set_no_auto_window_update(o, 1); // see taken() and feed()
    nghttp2_option_set_peer_max_concurrent_streams(o, assumed_streams);
    // How long a request's head may be is the server's to say.
    nghttp2_option_set_max_send_header_block_length(o, std::size_t{1} << 30U);
    nghttp2_session* raw = nullptr;
    if (nghttp2_session_client_new2(&raw, c, mine, o) != 0) throw std::bad_alloc();
    return raw;
}

// --- streams ---

void multiplexer::submit(stream& s) {
    if (!open()) { // nghttp2 would let it wait
        s.fail(CHM_E_CLOSED, goodbye_.empty() ? "the connection takes no more streams" : goodbye_);
        s.not_processed = true;
        s.sent_away = goaway_ && served_;
        return;
    }
    streams_.reserve(streams_.size() + 1);
    tails_.reserve(streams_.size() + 1);
    nghttp2_data_provider provider{};
    provider.read_callback = [](nghttp2_session*, std::int32_t id, std::uint8_t* to, std::size_t capacity,
                                std::uint32_t* flags, nghttp2_data_source*,
                                void* user) { return self(user).body(id, to, capacity, flags); };
    const std::vector<nghttp2_nv>& fields = s.request.fields();
    const std::int32_t id = nghttp2_submit_request(raw_.get(), nullptr, fields.data(), fields.size(),
                                                   s.request.body().empty() ? nullptr : &provider, &s);
    if (id < 0) {
        s.fail(id == NGHTTP2_ERR_NOMEM ? CHM_E_NOMEM : CHM_E_CLOSED, nghttp2_strerror(id));
        s.not_processed = id != NGHTTP2_ERR_NOMEM; // all numbers of streams are used up
        if (s.not_processed) retired_ = true;
        return;
    }
    s.id = id;
    s.attached = true;
    s.last_activity_ns = sdk::now_ns();
    s.place = streams_.size();
    streams_.push_back(&s);
}

void multiplexer::cancel(stream& s) noexcept {
    if (!s.attached) return;
    nghttp2_session_set_stream_user_data(raw_.get(), s.id, nullptr);
    nghttp2_submit_rst_stream(raw_.get(), NGHTTP2_FLAG_NONE, s.id, NGHTTP2_CANCEL);
    detach(s);
}

void multiplexer::taken(const stream& s, std::size_t bytes) noexcept {
    if (s.attached && !s.ended) nghttp2_session_consume_stream(raw_.get(), s.id, bytes);
}

void multiplexer::detach(stream& s) noexcept {
    if (!s.attached) return;
    s.attached = false;
    if (s.headers_sent && --sent_streams_ == 0) vacant_since_ns_ = sdk::now_ns();
    streams_[s.place] = streams_.back();
    streams_[s.place]->place = s.place;
    streams_.pop_back();
    std::erase(tails_, &s);
}

void multiplexer::fail_all(chm_rc code, std::string_view why, bool lost) noexcept {
    while (!streams_.empty()) {
        stream& s = *streams_.back();
        nghttp2_session_set_stream_user_data(raw_.get(), s.id, nullptr);
        detach(s);
        if (!s.ended) {
            s.fail(code, why);
            s.lost = lost;
        }
        wake(s);
    }
}

void multiplexer::wake(stream& s) noexcept {
    sdk::waker w = s.waiter.take();
    if (!w) return;
    try {
        woken_.push_back(std::move(w));
    } catch (const std::bad_alloc&) { // better under the lock than never
        w.wake();
    }
}

/// Ends one stream that cannot go on.
void multiplexer::refuse(stream& s, chm_rc code, std::string why, std::uint32_t error) {
    s.fail(code, std::move(why));
    nghttp2_session_set_stream_user_data(raw_.get(), s.id, nullptr);
    nghttp2_submit_rst_stream(raw_.get(), NGHTTP2_FLAG_NONE, s.id, error);
    detach(s);
    wake(s);
}

/// After a GOAWAY nghttp2 would refuse a stream that waits only when its turn comes: as another one ends, minutes
/// later.
void multiplexer::send_away_unsent() {
    for (std::size_t i = streams_.size(); i-- > 0;) { // a refused one's place gets the last one, which was looked at
        stream& s = *streams_[i];
        // Known to nghttp2 as a stream: its headers are on their way, and the server says which of those it has seen.
        if (nghttp2_session_find_stream(raw_.get(), s.id)) continue;
        s.not_processed = true;
        s.sent_away = served_;
        refuse(s, CHM_E_IO, goodbye_, NGHTTP2_CANCEL);
    }
}

// --- bytes ---

void multiplexer::feed(std::string_view bytes, std::uint64_t readable_ns, std::uint64_t now_ns) {
    constexpr std::string_view http1_begins = "HTTP/1.";
    if (!begun_) { // an HTTP/1 server answers the preface in its own way
        beginning_.append(bytes.substr(0, http1_begins.size() - std::min(http1_begins.size(), beginning_.size())));
        begun_ = !http1_begins.starts_with(beginning_) || beginning_ == http1_begins;
        if (beginning_ == http1_begins)
            throw sdk::error(CHM_E_PROTO, "the server answers HTTP/1.1: use the socket or curl transport");
    }
    readable_ns_ = readable_ns;
    received_ns_ = now_ns;
    reached_ = 0;
    received_bytes_ = 0;
    const ssize_t n =
        nghttp2_session_mem_recv(raw_.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    if (n == NGHTTP2_ERR_NOMEM || n == NGHTTP2_ERR_CALLBACK_FAILURE) throw std::bad_alloc();
    if (n < 0)
        throw sdk::error(CHM_E_PROTO,
                         std::string("the server breaks HTTP/2: ") + nghttp2_strerror(static_cast<int>(n)));
    // Whatever the readers do: a slow one holds back its own stream only.
    if (received_bytes_ != 0) nghttp2_session_consume_connection(raw_.get(), received_bytes_);
}

void multiplexer::produce(std::string& to) {
    if (vacant_since_ns_ == 0) vacant_since_ns_ = sdk::now_ns();
    while (to.size() < produced_at_once) {
        const std::uint8_t* bytes = nullptr;
        const ssize_t n = nghttp2_session_mem_send(raw_.get(), &bytes);
        if (n == 0) return;
        if (n < 0) throw sdk::error(CHM_E_NOMEM, nghttp2_strerror(static_cast<int>(n)));
        to.append(text(bytes, static_cast<std::size_t>(n)));
    }
}

void multiplexer::flushed() {
    if (tails_.empty()) return;
    const std::uint64_t now = sdk::now_ns();
    for (stream* s : tails_) {
        s->sent_ns = s->last_activity_ns = now;
        wake(*s);
    }
    tails_.clear();
}

// --- nghttp2's callbacks ---

/// nghttp2's, which comes before it resets the stream or ends the connection.
void multiplexer::complain(std::string_view what) {
    stream* const s = find(frame_of_);
    (s ? s->complaint : complaint_) = http1::shown(what);
}

/// A frame of this stream is at hand. One reading of the clock for each change of the stream within one receive.
void multiplexer::reach(std::int32_t id) noexcept {
    if (reached_ == id) return;
    reached_ns_ = reached_ == 0 ? received_ns_ : sdk::now_ns();
    reached_ = id;
}

int multiplexer::begins_headers(const nghttp2_frame& frame) noexcept {
    reach(frame.hd.stream_id);
    return 0;
}

int multiplexer::header(const nghttp2_frame& frame, std::string_view name, std::string_view value) {
    stream* const s = find(frame.hd.stream_id);
    if (!s) return 0;
    s->answered = true;
    s->head_bytes += name.size() + value.size();
    if (s->head_bytes > settings_.max_header_bytes) {
        refuse(*s, CHM_E_LIMIT,
               "the head of the response is longer than " + std::to_string(settings_.max_header_bytes) +
                   " bytes (max_header_bytes)",
               NGHTTP2_CANCEL);
        return 0;
    }
    if (s->head_done) return 0; // a trailer
    if (name == ":status") {    // three digits: nghttp2 has looked
        s->status = 0;
        for (const char c : value) s->status = 10 * s->status + (c - '0');
        return 0;
    }
    const std::size_t at = s->head_text.size();
    s->head_text.append(name).append(value);
    s->fields.push_back({at, at + name.size(), s->head_text.size()});
    return 0;
}

void multiplexer::head_complete(stream& s) {
    s.answered = served_ = true;
    s.last_activity_ns = received_ns_;
    if (s.head_done) return;
    if (s.status < 200) {
        s.forget_head();
        return;
    }
    s.head_done = true;
    s.first_byte_ns = readable_ns_ != 0 ? readable_ns_ : received_ns_;
    s.head_readable_ns = readable_ns_;
    s.head_behind_ns = reached_ns_ - received_ns_;
}

int multiplexer::data(std::int32_t id, std::string_view bytes) {
    received_bytes_ += bytes.size();
    reach(id);
    stream* const s = find(id);
    if (!s) return 0;
    if (s->incoming.empty()) {
        s->incoming_readable_ns = readable_ns_;
        s->incoming_behind_ns = reached_ns_ - received_ns_;
    }
    s->incoming.append(bytes);
    s->last_activity_ns = received_ns_;
    wake(*s);
    return 0;
}

int multiplexer::received(const nghttp2_frame& frame) {
    if (frame.hd.type == NGHTTP2_GOAWAY) {
        const nghttp2_goaway& g = frame.goaway;
        goaway_ = true;
        goodbye_ = std::string("the server said goodbye (") + nghttp2_http2_strerror(g.error_code);
        if (g.opaque_data_len != 0) goodbye_ += ": " + http1::shown(text(g.opaque_data, g.opaque_data_len));
        goodbye_ += ")";
        send_away_unsent();
        return 0;
    }
    if (frame.hd.stream_id == 0) return 0;
    stream* const s = find(frame.hd.stream_id);
    if (!s) return 0;
    if (frame.hd.type == NGHTTP2_RST_STREAM) s->reset_by_peer = true;
    if (frame.hd.type == NGHTTP2_HEADERS) head_complete(*s);
    if ((frame.hd.type == NGHTTP2_HEADERS || frame.hd.type == NGHTTP2_DATA) &&
        (frame.hd.flags & NGHTTP2_FLAG_END_STREAM))
        s->ended = s->head_done;
    if (frame.hd.type == NGHTTP2_HEADERS || s->ended) wake(*s);
    return 0;
}

int multiplexer::sent(const nghttp2_frame& frame) {
    if (frame.hd.type == NGHTTP2_GOAWAY) {
        const nghttp2_goaway& g = frame.goaway;
        if (g.error_code == NGHTTP2_NO_ERROR) return 0;
        broken_ = nghttp2_http2_strerror(g.error_code);
        const std::string more = complaint_.empty() ? http1::shown(text(g.opaque_data, g.opaque_data_len)) : complaint_;
        if (!more.empty()) broken_ += ": " + more;
        return 0;
    }
    const bool window = frame.hd.type == NGHTTP2_WINDOW_UPDATE && frame.hd.stream_id != 0;
    if (frame.hd.type != NGHTTP2_HEADERS && frame.hd.type != NGHTTP2_DATA && !window) return 0;
    stream* const s = find(frame.hd.stream_id);
    if (!s) return 0;
    if (window) { // until now the server may have waited for the reader
        s->last_activity_ns = sdk::now_ns();
        return 0;
    }
    // The stream may have waited for the connection or for the server's stream limit: its time limits begin here.
    if (!std::exchange(s->headers_sent, true)) {
        ++sent_streams_;
        wake(*s);
    }
    s->last_activity_ns = sdk::now_ns();
    if (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) tails_.push_back(s);
    return 0;
}

ssize_t multiplexer::body(std::int32_t id, std::uint8_t* to, std::size_t capacity, std::uint32_t* flags) noexcept {
    stream* const s = find(id);
    if (!s) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    const std::string& all = s->request.body();
    const std::size_t n = std::min(capacity, all.size() - s->body_sent);
    std::copy_n(all.data() + s->body_sent, n, to);
    s->body_sent += n;
    if (s->body_sent == all.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(n);
}

int multiplexer::closed(std::int32_t id, std::uint32_t error) {
    stream* const s = find(id);
    if (!s) return 0;
    detach(*s);
    wake(*s);
    if (s->ended) return 0;
    const std::string name = nghttp2_http2_strerror(error);
    if (error == NGHTTP2_REFUSED_STREAM) {
        s->not_processed = !s->answered;
        s->sent_away = s->not_processed && goaway_ && served_;
        s->fail(CHM_E_IO, goodbye_.empty() ? "the server refused the stream" : goodbye_);
    } else if (!s->reset_by_peer) {
        s->fail(CHM_E_PROTO,
                "the server's response breaks HTTP/2 (" + (s->complaint.empty() ? name : s->complaint) + ")");
    } else if (error == NGHTTP2_HTTP_1_1_REQUIRED) {
        s->fail(CHM_E_PROTO, "the server wants HTTP/1.1 for this: use the socket or curl transport");
    } else if (error == NGHTTP2_NO_ERROR) {
        s->fail(CHM_E_CLOSED, "the server closed the stream before the end of the response");
    } else {
        s->fail(CHM_E_IO, "the server reset the stream (" + name + ")");
    }
    return 0;
}

} // namespace chimera::h2
