// Takes a response apart, in whatever pieces it comes: head, framing, body.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "http1/chunk_reader.hpp"
#include "http1/message_head.hpp"

namespace chimera::socket {

/// Status and header fields. Functions that take a line throw sdk::error(CHM_E_PROTO), which shows the line.
class response_head {
  public:
    /// Forgets everything; memory is reused.
    void clear() noexcept;

    /// False as soon as `bytes` cannot be the beginning of a status line; true for too few of them.
    static bool may_begin(std::string_view bytes) noexcept;
    /// [may_begin() is false] Throws as status_line() would; the message shows the first bytes.
    [[noreturn]] static void refuse_beginning(std::string_view bytes);
    /// So many bytes are enough for refuse_beginning(): more bytes do not change its message.
    static constexpr std::size_t telling_bytes = 32;

    /// "HTTP/1.1 200 OK", also without the reason, and without the blank before it.
    void status_line(std::string_view line);
    /// "Name: value", or the continuation of the field before it.
    void field_line(std::string_view line) { fields_.add(line); }

    /// 0 before status_line().
    std::int32_t status() const noexcept { return status_; }
    /// The y of HTTP/1.y.
    int minor_version() const noexcept { return minor_version_; }
    http1::field_list& fields() noexcept { return fields_; }
    const http1::field_list& fields() const noexcept { return fields_; }

  private:
    std::int32_t status_ = 0;
    int minor_version_ = 0;
    http1::field_list fields_;
};

/// RFC 9112 6.3, and whether the connection can serve another request afterwards (9.3).
struct body_framing {
    enum class kind { none, counted, chunked, until_close };

    kind body = kind::none;
    std::uint64_t length = 0; ///< of a counted body; not 0
    bool keep_alive = false;

    /// of a final head. head_request: the request was a HEAD. Throws sdk::error(CHM_E_PROTO) for a Content-Length that
    /// is not one number, and for a Transfer-Encoding that is not "chunked".
    static body_framing of(const response_head& head, bool head_request);
};

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

    /// Valid after head_done(), until release_head().
    std::int32_t status() const noexcept { return head_.status(); }
    std::span<const chm_kv> headers() { return head_.fields().all(); }
    /// The head is not needed any more: gives its memory back.
    void release_head() noexcept { head_.fields().release(); }

    /// [after the head, before done()] Parses body and trailers. If it gave a piece of the body and did not consume all
    /// bytes, present the rest again before you wait: it may have a fault.
    body_progress parse_body(std::span<char> bytes);
    /// True when the message is complete: nothing is parsed any more, whatever comes.
    bool done() const noexcept { return done_; }
    /// The peer closed: completes a body that ends in this way. unparsed: the bytes that were not consumed.
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
