// One HTTP/1.1 response, incrementally, in place.
#pragma once

#include <boost/beast/http/basic_parser.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chimera/abi/base.h"

namespace chimera::socket {

/// Limits that a response may not pass; see settings.
struct response_limits {
    std::uint32_t header_bytes;
    std::uint64_t chunk_bytes;
};

/// Parses the response to one request after another. Every function throws sdk::error: CHM_E_PROTO (bad framing),
/// CHM_E_LIMIT, CHM_E_CLOSED (ended early).
class response_parser {
  public:
    explicit response_parser(response_limits limits) noexcept : limits_(limits) {}

    /// For the response to the next request. no_body: it was a HEAD.
    void begin(bool no_body);

    /// Parses the final head, skipping 1xx ones; stops after it. Returns how many bytes it has consumed: the others
    /// must be presented again, with more behind them.
    std::size_t parse_head(std::span<char> bytes);
    bool head_done() const noexcept { return head_done_; }
    /// True while nothing of the final head has come, only (any number of) 1xx responses.
    bool head_untouched() const { return !message_->got_some(); }

    /// Valid after head_done(), until begin().
    std::int32_t status() const noexcept { return message_->status; }
    std::span<const chm_kv> headers();

    struct progress {
        std::size_t consumed;
        std::string_view body; ///< all body bytes of the input in one piece: moved together over the framing
    };
    /// Parses body and trailers, after the head and before done().
    progress parse_body(std::span<char> bytes);
    /// True when the message is complete.
    bool done() const { return message_->is_done(); }
    /// The peer closed: completes a body that ends in this way.
    void end_of_stream();
    /// True when the connection can serve another request after done().
    bool keep_alive() const { return message_->keep_alive(); }

  private:
    struct field {
        std::size_t at, name, value; // place in text_, lengths
    };

    class message final : public boost::beast::http::basic_parser<false> {
      public:
        message(response_parser& owner, bool no_body);
        std::int32_t status = 0;
        char* body_begin = nullptr;
        char* body_end = nullptr;

      private:
        using error_code = boost::beast::error_code;
        using text = boost::beast::string_view;
        std::size_t gather(text body);
        void on_request_impl(boost::beast::http::verb, text, text, int, error_code&) override {}
        void on_response_impl(int code, text reason, int version, error_code& ec) override;
        void on_field_impl(boost::beast::http::field, text name, text value, error_code& ec) override;
        void on_header_impl(error_code&) override {}
        void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
        std::size_t on_body_impl(text body, error_code&) override { return gather(body); }
        void on_chunk_header_impl(std::uint64_t size, text extensions, error_code& ec) override;
        std::size_t on_chunk_body_impl(std::uint64_t, text body, error_code&) override { return gather(body); }
        void on_finish_impl(error_code&) override {}

        response_parser& owner_;
    };

    void next_message();
    void check(const boost::beast::error_code& ec, std::size_t unconsumed) const;

    const response_limits limits_;
    bool no_body_ = false;
    bool head_done_ = false;
    std::size_t head_bytes_ = 0; // of all heads since begin()
    std::optional<message> message_;
    // Reused from response to response.
    std::string text_;
    std::vector<field> fields_;
    std::vector<chm_kv> headers_;
};

} // namespace chimera::socket
