// One request and its response, and the options that rule them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "chimera/abi/transport.h"
#include "chimera/sdk/options.hpp"
#include "chimera/sdk/plugin.hpp"
#include "receive_buffer.hpp"
#include "response_parser.hpp"
#include "stream_socket/base_url.hpp"
#include "stream_socket/connection.hpp"
#include "stream_socket/connector.hpp"
#include "stream_socket/exchange_clocks.hpp"

namespace chimera::socket {

inline constexpr std::array option_schema{
    sdk::int_option("read_size", "1024", 64, 1 << 20, "Bytes asked of each recv; no piece of a body is larger"),
    sdk::enum_option("delivery", "immediate", "immediate|fill",
                     "Hand over what each recv brought, or accumulate until read_size bytes of body are there"),
    sdk::enum_option(
        "receive", "auto", "auto|readiness",
        "Let the reactor receive into its own buffers where it can, or call recv when it reports readiness"),
    sdk::bool_option("kernel_timestamps", "true", "Report when the kernel received each piece"),
    sdk::int_option("connect_timeout_ms", "10000", 0, 86'400'000,
                    "Limit on name resolution and connecting together; 0: none"),
    sdk::int_option("first_byte_timeout_ms", "300000", 0, 86'400'000,
                    "Limit on the wait from the request sent to the first byte of the final response; 0: none"),
    sdk::int_option("idle_timeout_ms", "60000", 0, 86'400'000,
                    "Limit on a pause inside the request or the response; 0: none"),
    sdk::int_option("max_header_bytes", "65536", 256, 16 << 20,
                    "Limit on the heads of one response, on a chunk's header and on the trailers"),
    sdk::int_option("max_chunk_bytes", "16777216", 1, 1LL << 40, "Limit on the size that one chunk declares"),
};

/// The options as numbers. Times are nanoseconds; 0: no limit.
struct settings {
    explicit settings(const sdk::options& o)
        : read_size(static_cast<std::size_t>(o.integer("read_size"))), fill(o.choice("delivery") == "fill"),
          completions(o.choice("receive") == "auto"), kernel_timestamps(o.flag("kernel_timestamps")),
          connect_timeout_ns(nanoseconds(o, "connect_timeout_ms")),
          first_byte_timeout_ns(nanoseconds(o, "first_byte_timeout_ms")),
          idle_timeout_ns(nanoseconds(o, "idle_timeout_ms")),
          max_header_bytes(static_cast<std::uint32_t>(o.integer("max_header_bytes"))),
          max_chunk_bytes(static_cast<std::uint64_t>(o.integer("max_chunk_bytes"))) {}

    std::size_t read_size;
    bool fill;
    bool completions; // where the reactor offers them
    bool kernel_timestamps;
    std::uint64_t connect_timeout_ns, first_byte_timeout_ns, idle_timeout_ns;
    std::uint32_t max_header_bytes;
    std::uint64_t max_chunk_bytes;

  private:
    static std::uint64_t nanoseconds(const sdk::options& o, std::string_view name) {
        return static_cast<std::uint64_t>(o.integer(name)) * 1'000'000U;
    }
};

/// Head and body of one request in one piece, so that one system call sends both.
struct request_text {
    std::string target; ///< the base URL's path with the request's own behind it
    std::string bytes;
    bool is_head = false; ///< the response will have no body

    /// Replaces the request; memory is reused. Throws sdk::error(CHM_E_INVAL) for a method, path or header that would
    /// break the framing, and for headers that are the transport's own (Content-Length, Transfer-Encoding).
    void write(const stream_socket::base_url& url, const chm_request& request);
    /// The bytes are not needed any more: gives their memory back, which assigning an empty string does not.
    void release() noexcept { std::string().swap(bytes); }
};

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
        choosing, // begun: looks for a connection to use again
        connecting,
        talking,  // sends the request, waits for the head, which may come before all is sent
        head_out, // the head was handed out, and may be in use
        body,
        over // complete, or failed
    };
    enum class received { nothing, bytes, end };

    /// delivery = fill: the body bytes that wait for read_size of them to be there.
    struct filling {
        std::string bytes;
        std::size_t handed_out = 0;        // bytes at the front that the caller has seen
        std::optional<sdk::error> put_off; // a failure that waits until the bytes are handed out
        std::uint64_t since_ns = 0;        // arrived_ns_ of the receive that the front came with
    };

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

    bool unsent() const noexcept { return timing_.sent_ns == 0 && send_error_ == 0; }
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

    // Of the exchange in progress.
    phase phase_ = phase::closed;
    chm_exchange_timing timing_{};
    std::size_t sent_ = 0;
    int send_error_ = 0;               // errno of a send that failed; the response may be there all the same
    bool answered_ = false;            // a byte of a response has come over this connection
    bool unseen_ = false;              // buffer_ has bytes that the parser was not shown
    std::unique_ptr<filling> filling_; // delivery = fill only
    std::uint64_t body_bytes_ = 0;
    std::uint64_t last_activity_ns_ = 0;
    std::uint64_t arrived_ns_ = 0; // the latest receive: when the kernel had the bytes; 0: it does not say
};

} // namespace chimera::socket
