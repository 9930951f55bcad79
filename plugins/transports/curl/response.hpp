// The head of a response, where its body ends, and the chunked coding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string_view>
#include <vector>

#include <chimera/abi/transport.h>

#include "http1/chunk_reader.hpp"
#include "http1/message_head.hpp"

namespace chimera::curl {

/// How to read the bytes after a head. curl knows only the fields that it has interpreted itself, and reads only the
/// first line of a folded field.
struct body_framing {
    /// There is no body: the response ends with the head.
    bool empty = false;
    /// The body comes in chunks.
    bool chunked = false;
    /// curl sees where the body ends: at a length, at the last chunk or at the connection's end. False: this plugin
    /// ends the exchange, and the connection with it.
    bool ended_by_curl = true;
    /// [not ended_by_curl, not chunked] Bytes of the body.
    std::uint64_t length = 0;
    /// The connection may serve another request, as far as the head tells.
    bool reusable = true;

    /// For a final head. no_body: the request was a HEAD. Throws sdk::error(CHM_E_PROTO) for lengths and codings that
    /// leave the end open; the message shows them.
    static body_framing of(std::int32_t status, int minor_version, bool no_body, const http1::field_list& fields);
};

/// Decodes the chunks, which curl hands over undecoded (CURLOPT_HTTP_TRANSFER_DECODING 0). curl reads them too, to find
/// their end, but accepts any bytes after a size, and extensions without limit. Where curl itself gives up, this class
/// gives up at the same byte.
class chunk_reader final : public http1::chunk_reader {
  public:
    /// curl counts with a sign.
    chunk_reader() noexcept : http1::chunk_reader({.chunk_bytes = INT64_MAX, .framing_bytes = 64 * 1024}) {}

  private:
    /// One line of trailers: curl takes 4 KiB, and calls more a lack of memory.
    static constexpr std::size_t max_trailer = 4000;

    std::exception_ptr error_of(limit which) const override;
    void check_trailer(std::string_view line, char next) const override;
};

/// Interim (1xx) heads are passed over. curl 7.88 takes nearly anything for a field, so every line is checked here.
class response_head {
  public:
    /// All lines of one exchange together: interim heads and the final head.
    static constexpr std::size_t max_bytes = 64 * 1024;
    static constexpr const char* too_large = "the head is larger than 64 KiB";

    enum class outcome {
        more,
        interim, ///< the end of a 1xx head
        complete ///< the end of the final head
    };

    /// Takes one line as curl delivers it, with its line ending. complete comes exactly once. Throws sdk::error:
    /// CHM_E_PROTO for a response that is not HTTP/1.x or has no certain end, CHM_E_LIMIT beyond max_bytes.
    outcome add(std::string_view line);
    /// Of all lines until now.
    std::size_t bytes() const noexcept { return bytes_; }
    bool complete() const noexcept { return complete_; }
    /// [complete] Fills head; the headers are valid until clear().
    void fill(chm_head& head) const noexcept;
    /// [complete]
    const body_framing& framing() const noexcept { return framing_; }
    /// Ready for the next exchange; keeps its memory. no_body: the request is a HEAD.
    void clear(bool no_body) noexcept;

  private:
    void begin(std::string_view status_line);
    void finish();

    std::size_t bytes_ = 0;
    bool in_head_ = false;
    bool complete_ = false;
    bool no_body_ = false;
    std::int32_t status_ = 0;
    int minor_version_ = 1;
    http1::field_list fields_;
    std::span<const chm_kv> headers_; // [complete]
    body_framing framing_;
};

/// Pieces of a body, kept apart: one call of curl's is one piece. Memory is reused once the queue has run empty, so a
/// steady stream allocates nothing.
class piece_queue {
  public:
    /// Copies a piece. It may move the memory of earlier ones: views are taken only while nothing is pushed.
    void push(std::string_view piece) {
        if (empty()) clear();
        bytes_.insert(bytes_.end(), piece.begin(), piece.end());
        ends_.push_back(bytes_.size());
    }
    /// [not empty] The next piece, valid until the next push.
    std::string_view pop() noexcept {
        const std::size_t end = ends_[next_++], begin = begin_;
        begin_ = end;
        return {bytes_.data() + begin, end - begin};
    }
    bool empty() const noexcept { return next_ == ends_.size(); }
    /// Bytes not yet popped.
    std::size_t bytes() const noexcept { return bytes_.size() - begin_; }
    void clear() noexcept {
        bytes_.clear();
        ends_.clear();
        next_ = begin_ = 0;
    }

  private:
    std::vector<char> bytes_;
    std::vector<std::size_t> ends_;
    std::size_t next_ = 0;  // index of the next piece's end
    std::size_t begin_ = 0; // and where it begins
};

} // namespace chimera::curl
