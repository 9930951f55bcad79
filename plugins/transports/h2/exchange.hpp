// One request and its response: a stream of a connection, polled.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "chimera/abi/timing.h"
#include "chimera/sdk/plugin.hpp"
#include "core.hpp"
#include "stream.hpp"
#include "stream_socket/exchange_clocks.hpp"

namespace chimera::h2 {

/// The one exchange that a session has open at a time, used again and again together with its memory and, as long as
/// it takes streams, its connection. Everything on the task's worker.
class exchange final : public sdk::exchange_base<exchange> {
  public:
    /// url outlives the exchange.
    exchange(std::shared_ptr<core> whole, const core::user& who, const stream_socket::base_url& url)
        : core_(std::move(whole)), who_(who), url_(url), alarm_(who.reactor) {}
    exchange(const exchange&) = delete;
    exchange& operator=(const exchange&) = delete;
    ~exchange();

    /// True from begin() to close().
    bool open() const noexcept { return phase_ != phase::closed; }
    /// [not open] Throws sdk::error(CHM_E_INVAL). No I/O yet.
    void begin(const chm_request& request);

    // The contract's functions; see chm_exchange_vt.
    sdk::poll_result poll_head(chm_waker* waker, chm_head& head);
    sdk::poll_result poll_chunk(chm_waker* waker, chm_str& view);
    void close() noexcept;
    const chm_exchange_timing& timing() const noexcept { return timing_; }

  private:
    enum class phase {
        closed, // no exchange
        begun,  // without a stream
        head,   // the stream is there, the head is awaited
        body,   // the head was handed out
        ended,  // complete
        failed
    };

    template <class Look>
    chm_rc await(chm_waker* waker, Look&& look);
    template <class Step>
    chm_rc guard(Step&& step);
    void choose();
    bool retry() noexcept;
    chm_rc take_head(chm_head& head);
    chm_rc take_body(multiplexer& frames, chm_str& view);
    std::uint64_t wait_limit(const multiplexer& frames) const noexcept;
    [[noreturn]] void time_out(bool headers_sent) const;
    [[noreturn]] void fail(const sdk::error& why);
    std::string doing() const;
    bool own_connection() const noexcept { return !core_->limits.shared; }

    const std::shared_ptr<core> core_;
    const core::user who_;
    const stream_socket::base_url& url_;
    std::shared_ptr<connection> connection_;
    stream_socket::deadline_alarm alarm_;
    stream stream_;

    // Of the exchange in progress.
    phase phase_ = phase::closed;
    chm_exchange_timing timing_{};
    std::vector<chm_kv> headers_;
    std::string handed_out_; // the piece that the caller has
    std::uint64_t body_bytes_ = 0;
    bool retried_ = false;   // once is enough
    bool late_look_ = false; // a limit has passed, and the driver was asked to look once more
};

} // namespace chimera::h2
