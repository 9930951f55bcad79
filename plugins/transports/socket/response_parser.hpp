// One HTTP/1.1 response, incrementally, in place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "body_framing.hpp"
#include "http1/chunk_reader.hpp"
#include "http1/line_reader.hpp"
#include "response_head.hpp"

namespace chimera::socket {

using http1::body_progress;

/// Limits that a response may not pass; see settings.
struct response_limits {
    std::uint32_t header_bytes;
    std::uint64_t chunk_bytes;
};

/// Its messages name the options that set the limits.
class response_chunks final : public http1::chunk_reader {
  public:
    explicit response_chunks(response_limits limits) noexcept
        : chunk_reader({.chunk_bytes = limits.chunk_bytes, .framing_bytes = limits.header_bytes}) {}

  private:
    std::exception_ptr error_of(limit which) const override;
};

/// Parses the response to one request after another. Every function throws sdk::error: CHM_E_PROTO (bad framing),
/// CHM_E_LIMIT, CHM_E_CLOSED (ended early). Which one, with which message and behind which bytes of body, depends on
/// the bytes alone, not on how they were cut on their way.
class response_parser {
  public:
    explicit response_parser(response_limits limits) noexcept
        : limits_(limits), lines_(limits.header_bytes), chunks_(limits) {}

    /// For the response to the next request. no_body: it was a HEAD.
    void begin(bool no_body);

    /// Parses the final head, skipping 1xx ones; stops after it. Returns how many bytes it has consumed: the others
    /// must be presented again, with more behind them.
    std::size_t parse_head(std::span<const char> bytes);
    bool head_done() const noexcept { return head_done_; }
    /// True while nothing of the final head has come, only (any number of) 1xx responses.
    bool head_untouched() const noexcept { return !touched_; }

    /// Valid after head_done(), until begin().
    std::int32_t status() const noexcept { return head_.status(); }
    std::span<const chm_kv> headers() { return head_.fields().all(); }

    /// Parses body and trailers, after the head and before done(). Where it gave a piece of the body and not consumed
    /// all, the rest is presented again before anything is awaited: it may be a fault.
    body_progress parse_body(std::span<char> bytes);
    /// True when the message is complete: nothing is parsed any more, whatever comes.
    bool done() const noexcept { return done_; }
    /// The peer closed: completes a body that ends in this way. unparsed: what was not consumed.
    void end_of_stream(std::span<const char> unparsed);
    /// True when the connection can serve another request after done().
    bool keep_alive() const noexcept { return framing_.keep_alive; }

  private:
    void end_of_head();

    const response_limits limits_;
    http1::line_reader lines_;
    response_chunks chunks_;
    response_head head_;
    body_framing framing_;
    std::uint64_t left_ = 0; // of a counted body
    bool no_body_ = false;
    bool touched_ = false;
    bool head_done_ = false;
    bool done_ = false;
};

} // namespace chimera::socket
