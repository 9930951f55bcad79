// Frames: nghttp2's session, and the streams that share it. No I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nghttp2/nghttp2.h>

#include "settings.hpp"
#include "stream.hpp"

namespace chimera::h2 {

/// Used under the connection's lock. Wakes no task itself: it collects wakers, and the caller wakes them after it has
/// released the lock.
class multiplexer {
  public:
    /// Queues the preface. limits outlives it. assumed_streams: the stream limit until the server sends its own.
    /// Throws std::bad_alloc.
    multiplexer(const settings& limits, std::uint32_t assumed_streams);
    multiplexer(const multiplexer&) = delete;
    multiplexer& operator=(const multiplexer&) = delete;

    // --- streams ---
    /// Queues a request. A stream that cannot begin has failed.
    void submit(stream& s);
    /// The exchange is over or given up: the stream is not touched any more.
    void cancel(stream& s) noexcept;
    /// The reader has taken so many bytes of its body: the server may send as many more.
    void taken(const stream& s, std::size_t bytes) noexcept;
    /// The number of streams, including those that wait for the server's limit.
    std::size_t streams() const noexcept { return streams_.size(); }
    /// How many the server allows at a time.
    std::uint32_t most_streams() const noexcept {
        return nghttp2_session_get_remote_settings(raw_.get(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
    }
    /// New streams may begin: there was no GOAWAY.
    bool open() const noexcept { return !retired_ && nghttp2_session_check_request_allowed(raw_.get()) != 0; }
    /// Nothing more can come of it: it has no stream and takes none, or the protocol was broken.
    bool finished() const noexcept {
        return (!open() && streams_.empty()) ||
               (nghttp2_session_want_read(raw_.get()) == 0 && nghttp2_session_want_write(raw_.get()) == 0);
    }
    /// Every stream has failed. lost: with the connection.
    void fail_all(chm_rc code, std::string_view why, bool lost) noexcept;
    /// Queues a GOAWAY.
    void say_goodbye() noexcept { nghttp2_session_terminate_session(raw_.get(), NGHTTP2_NO_ERROR); }

    // --- bytes ---
    /// Takes the bytes of one receive. readable_ns: when they became readable, for reports; 0: unknown. now_ns: when
    /// they were read. Throws sdk::error(CHM_E_PROTO).
    void feed(std::string_view bytes, std::uint64_t readable_ns, std::uint64_t now_ns);
    bool wants_to_send() const noexcept { return nghttp2_session_want_write(raw_.get()) != 0; }
    /// Appends the bytes to send, if any. Throws sdk::error.
    void produce(std::string& to);
    /// All that was produced has been handed to the kernel.
    void flushed();

    /// Wakers to wake without the lock.
    std::vector<sdk::waker>& woken() noexcept { return woken_; }
    /// The text of the server's GOAWAY; empty: there was none.
    const std::string& goodbye() const noexcept { return goodbye_; }
    /// The violation of the protocol, after we have reported it to the server; empty: none.
    const std::string& broken() const noexcept { return broken_; }
    /// Since when the server has no stream of ours, though it could; 0: it has one, or nothing was sent to it yet.
    std::uint64_t vacant_since_ns() const noexcept { return sent_streams_ != 0 ? 0 : vacant_since_ns_; }

  private:
    struct freed {
        void operator()(nghttp2_session* s) const noexcept { nghttp2_session_del(s); }
    };
    static nghttp2_session* make(std::uint32_t assumed_streams, multiplexer* self);

    // nghttp2's callbacks
    void complain(std::string_view what);
    int begins_headers(const nghttp2_frame& frame) noexcept;
    int header(const nghttp2_frame& frame, std::string_view name, std::string_view value);
    int data(std::int32_t id, std::string_view bytes);
    int received(const nghttp2_frame& frame);
    int sent(const nghttp2_frame& frame);
    int closed(std::int32_t id, std::uint32_t error);
    ssize_t body(std::int32_t id, std::uint8_t* to, std::size_t capacity, std::uint32_t* flags) noexcept;

    stream* find(std::int32_t id) const noexcept {
        return static_cast<stream*>(nghttp2_session_get_stream_user_data(raw_.get(), id));
    }
    void reach(std::int32_t id) noexcept;
    void detach(stream& s) noexcept;
    void wake(stream& s) noexcept;
    void send_away_unsent();
    void head_complete(stream& s);
    void refuse(stream& s, chm_rc code, std::string why, std::uint32_t error);

    const settings& settings_;
    std::vector<stream*> streams_;
    std::vector<stream*> tails_; // their requests' ends are produced, and not flushed
    std::vector<sdk::waker> woken_;
    std::size_t sent_streams_ = 0; // of streams_: those whose headers were sent
    std::uint64_t vacant_since_ns_ = 0;
    std::string goodbye_, broken_;
    std::string complaint_; // about the current frame, which belongs to no stream
    std::string beginning_; // the first bytes of the server, until they show its protocol
    bool begun_ = false;
    bool retired_ = false;      // all numbers of streams are used up
    bool goaway_ = false;       // the server has said so
    bool served_ = false;       // some stream was answered
    std::int32_t frame_of_ = 0; // whose frame is at hand
    // Of the receive at hand:
    std::uint64_t readable_ns_ = 0, received_ns_ = 0, reached_ns_ = 0;
    std::int32_t reached_ = 0;       // the stream whose frame it is; 0: none yet
    std::size_t received_bytes_ = 0; // of bodies, to be given back to the connection's window
    std::unique_ptr<nghttp2_session, freed> raw_;
};

} // namespace chimera::h2
