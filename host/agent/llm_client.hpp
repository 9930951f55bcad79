// One agent's connection to its server: sends prompts, reads streamed replies, records when everything happened.
#pragma once

#include "agent/agent_waits.hpp"
#include "agent/llm_endpoint.hpp"
#include "measure/recorder.hpp"
#include "protocol/content_decoder.hpp"
#include "protocol/llm_stream.hpp"

#include <chimera/abi/timing.h>
#include <chimera/sdk/clock.hpp>
#include <chimera/sdk/exchange.hpp>
#include <chimera/sdk/task.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace chimera::host {

/// Counts the bytes that an agent has taken without a wait. A wait starts the count over, also a wait inside a poll: a
/// transport that blocks there, as a bridge may, keeps its worker busy, and that must show in the measurement.
class piece_run {
  public:
    /// A piece that came `after_ns` after the work on the one before.
    void add(std::size_t bytes, std::uint64_t after_ns) noexcept {
        if (after_ns > a_wait_ns) taken_ = 0;
        taken_ += std::max(bytes, least_of_piece);
    }
    /// Other tasks should run first.
    bool is_long() const noexcept { return taken_ >= most; }
    void begin() noexcept { taken_ = 0; }

  private:
    static constexpr std::uint64_t a_wait_ns = 500'000; // a receive without a wait takes some microseconds
    static constexpr std::size_t least_of_piece = 512, most = 65'536; // about a millisecond of small records
    std::size_t taken_ = 0;
};

/// The next piece of a body, or a limit on the wait for it. `timed_chunk arriving(x, timer, deadline_ns, run); co_await
/// arriving;` gives the result of sdk::exchange::chunk, or nothing if the deadline passed without a piece. It looks for
/// bytes before it looks at the clock, so a worker that comes late does not make the server late. With deadline_ns = 0
/// it adds no cost to sdk::exchange::chunk and uses no timer.
///
/// If `run` is long, it lets other tasks run first. Otherwise a server that is faster than the reader would keep the
/// task in one poll, and would block the worker, the other agents and the end of the run.
class [[nodiscard]] timed_chunk final : public sdk::awaitable {
  public:
    /// Borrows all of them for its life.
    timed_chunk(sdk::exchange& x, think_timer& timer, std::uint64_t deadline_ns, piece_run& run) noexcept
        : chunk_(x.chunk()), timer_(timer), deadline_ns_(deadline_ns), run_(run) {}

    bool poll(chm_waker* waker) override {
        if (run_.is_long()) {
            run_.begin();
            waker->vt->wake_by_ref(waker);
            return false;
        }
        if (chunk_.poll(waker)) return true;
        run_.begin();
        if (deadline_ns_ == 0) return false;
        if (!pause_) pause_.emplace(timer_, deadline_ns_);
        return timed_out_ = pause_->poll(waker);
    }
    std::optional<std::string_view> await_resume() const { return timed_out_ ? std::nullopt : chunk_.await_resume(); }
    /// The deadline passed without a piece.
    bool timed_out() const noexcept { return timed_out_; }

  private:
    sdk::exchange::chunk_awaitable chunk_;
    think_timer& timer_;
    const std::uint64_t deadline_ns_;
    piece_run& run_;
    std::optional<think_timer::pause> pause_;
    bool timed_out_ = false;
};

/// The transport and where it runs in this execution; all outlive the client.
struct llm_transport {
    chm_transport* transport = nullptr;
    chm_executor* executor = nullptr;
    chm_reactor* reactor = nullptr;
};

/// Used and destroyed on its task's worker.
class llm_client {
  public:
    /// No I/O yet. Throws sdk::error when the transport refuses the URL. Endpoint and timer outlive
    /// the client.
    llm_client(const llm_endpoint&, const llm_transport&, recorder&, think_timer&);

    /// Begins a record; awaited, it sends the prompt and reads the whole reply. A failure is in the record's `error`,
    /// which names the URL. The record is valid until the next call. intended: the scheduled time of the call.
    sdk::task<const request_record*> call(std::string name, std::string prompt, nanoseconds_t intended);

  private:
    request_body body_of(const request_record& r) const;
    sdk::task<const request_record*> carry_out(request_record& r);
    sdk::exchange start(const request_target& target, request_record& r);
    bool accept(request_record& r, const sdk::exchange& x, const chm_head& head);
    sdk::task<std::unique_ptr<const request_target>> refuse(request_record& r, sdk::exchange& x, const chm_head& head,
                                                            const request_target& from);
    bool take(request_record& r, const sdk::exchange& x, std::string_view piece);
    feed_result feed(std::string_view piece);
    [[noreturn]] void refuse_long_reply() const;
    void gave_up(request_record& r);
    void finish(request_record& r);
    void conclude(request_record& r);
    static void remark_on(request_record& r, const stream_state& got);
    /// Records the transport's timing so far. Returns when the latest bytes became readable; 0 if the transport cannot
    /// say.
    nanoseconds_t read_timing(request_record& r, const sdk::exchange& x) const;

    const llm_endpoint& endpoint_;
    recorder& recorder_;
    const chm_timing_ext* timing_; ///< may be null
    const bool shares_;            ///< the transport's sessions may share connections
    sdk::session session_;
    llm_stream stream_;
    think_timer& timer_;
    std::unique_ptr<content_decoder> decoder_; ///< of the current response; null: nothing to decode
    std::uint64_t calls_ = 0;
    std::uint32_t redirects_ = 0; ///< followed in the current call
    piece_run run_;
    nanoseconds_t taken_at_ = 0; ///< end of the work on the latest piece
    // Of the current response:
    nanoseconds_t wait_until_ = 0;       ///< for the next piece; 0: as long as the transport does
    nanoseconds_t finish_reason_at_ = 0; ///< recorded: the last piece of content with or before a finish reason
    std::uint64_t taken_ = 0;            ///< bytes of the body; a small piece counts as least_of_piece
    bool too_long_ = false;              ///< more than max_reply_bytes
    std::size_t rest_ = 0;               ///< bytes after the answer
};

} // namespace chimera::host
