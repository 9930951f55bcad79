// A chunked body (RFC 9112 7.1), in place and byte by byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "line_reader.hpp"

namespace chimera::socket {

/// Limits that a response may not pass; see settings.
struct response_limits {
    std::uint32_t header_bytes;
    std::uint64_t chunk_bytes;
};

/// How far a call has got into a body.
struct body_progress {
    std::size_t consumed;
    std::string_view body; ///< all body bytes of the input in one piece: moved together over the framing
};

/// What it does with a byte depends on the bytes before it alone, never on how they were cut. So the same fault gives
/// the same error, behind the same bytes of body.
class chunk_reader {
  public:
    explicit chunk_reader(response_limits limits) noexcept : limits_(limits), trailers_(limits.header_bytes) {}

    /// For the next body.
    void begin() noexcept;
    /// Not to be called when done(). Bytes that it does not consume are to be presented again: at once where it gave a
    /// piece of the body, with more behind them otherwise. Throws sdk::error: CHM_E_PROTO, CHM_E_LIMIT; only where no
    /// piece has to be handed out first.
    body_progress read(std::span<char> bytes);
    /// The last chunk and the trailers are over.
    bool done() const noexcept { return at_ == place::over; }

  private:
    /// What the next byte is.
    enum class place : std::uint8_t {
        first_digit,
        digit,
        blank,
        extension,
        size_lf,
        data,
        data_cr,
        data_lf,
        trailers,
        over
    };
    enum class fault : std::uint8_t { none, size, size_digits, size_end, data_end, chunk_too_large, header_too_long };

    fault framing(char c) noexcept;
    fault behind_size(char c) noexcept;
    std::size_t read_trailers(std::string_view bytes);
    [[noreturn]] void refuse(fault why, char at) const;

    const response_limits limits_;
    line_reader trailers_;
    place at_ = place::first_digit;
    bool trailer_seen_ = false;
    std::uint32_t header_bytes_ = 0; // of this chunk's header
    std::uint64_t left_ = 0;         // of this chunk; while its size is read: of the digits so far
};

} // namespace chimera::socket
