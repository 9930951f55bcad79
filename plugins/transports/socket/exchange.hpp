// One request and its response: a state machine that is polled.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "chimera/sdk/plugin.hpp"
#include "receive_buffer.hpp"
#include "request_text.hpp"
#include "response_parser.hpp"
#include "settings.hpp"
#include "stream_socket/arrival_clock.hpp"
#include "stream_socket/base_url.hpp"
#include "stream_socket/connection.hpp"
#include "stream_socket/connector.hpp"
#include "stream_socket/deadline_alarm.hpp"

namespace chimera::socket {

/// The one exchange that a session has open at a time, used again and again together with its connection and its
/// memory. Everything on the task's worker.
class exchange final : public sdk::exchange_base<exchange> {
  public:
    /// All arguments outlive the exchange.
    exchange(const stream_socket::base_url& url, const settings& limits, stream_socket::resolver& names,
             chm_reactor* reactor)
        : url_(url), settings_(limits), connector_(url, names, limits.connect_timeout_ns),
          connection_(reactor, limits.completions ? sdk::recv_ops_of(reactor) : nullptr, limits.kernel_timestamps),
          alarm_(reactor), parser_({limits.max_header_bytes, limits.max_chunk_bytes}) {}

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
        closed,   // no exchange
        choosing, // begun: is there a connection to use again?
        connecting,
        talking, // sends the request, waits for the head, which may come before all is sent
        body,    // the head was handed out
        over     // complete, or failed
    };
    enum class received { nothing, bytes, end };

    template <class Step>
    chm_rc guard(Step&& step);
    [[noreturn]] void fail(const sdk::error& why);

    chm_rc advance_head(chm_waker* waker, chm_head& head);
    void choose();
    bool connect(chm_waker* waker);
    bool talk(chm_waker* waker);
    bool take_head(std::uint32_t seen);
    bool retry();
    chm_rc advance_body(chm_waker* waker, chm_str& view);
    chm_rc advance_fill(chm_waker* waker, chm_str& view);
    void send_some(std::uint32_t seen);
    received receive(std::uint32_t seen);
    [[noreturn]] void refuse_receive(int why) const;
    std::uint64_t wait_limit() const noexcept;
    [[noreturn]] void time_out() const;
    void complete() noexcept;

    bool unsent() const noexcept { return sent_ < request_.bytes.size() && send_error_ == 0; }
    std::string doing() const;

    const stream_socket::base_url& url_;
    const settings& settings_;
    stream_socket::connector connector_;
    stream_socket::connection connection_;
    stream_socket::deadline_alarm alarm_;
    response_parser parser_;
    receive_buffer buffer_;
    stream_socket::arrival_clock arrivals_;
    request_text request_;
    std::string filled_; // body bytes that wait for read_size of them to be there (delivery = fill)

    // Of the exchange in progress.
    phase phase_ = phase::closed;
    chm_exchange_timing timing_{};
    std::size_t sent_ = 0;
    int send_error_ = 0;                // errno of a send that failed; the response may be there all the same
    bool answered_ = false;             // a byte of a response has come over this connection
    bool unseen_ = false;               // buffer_ has bytes that the parser was not shown
    std::size_t handed_out_ = 0;        // bytes at the front of filled_ that the caller has seen
    std::optional<sdk::error> put_off_; // a failure that waits until filled_ is handed out
    std::uint64_t body_bytes_ = 0;
    std::uint64_t last_activity_ns_ = 0;
    std::uint64_t arrived_ns_ = 0;      // the latest receive: when the kernel had the bytes; 0: it does not say
    std::uint64_t filled_since_ns_ = 0; // arrived_ns_ of the receive that the front of filled_ came with
};

} // namespace chimera::socket
