// A chunked body (RFC 9112 7.1), byte by byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <string_view>

namespace chimera::http1 {

struct chunk_limits {
    std::uint64_t chunk_bytes;   ///< that one chunk may declare
    std::uint32_t framing_bytes; ///< the size and extensions of one chunk; all trailers, with their ends
};

/// How far a call has got into a body.
struct body_progress {
    std::size_t consumed;
    std::string_view body; ///< all body bytes of the input in one piece: moved together over the framing
};

/// Decodes the chunked coding. The result depends only on the bytes, never on how they were cut: the same fault gives
/// the same error after the same bytes of body. Both ways to read throw bad_message and error_of(), and only when no
/// body bytes have to be handed out first.
class chunk_reader {
  public:
    /// Those of 64 bits; zeros in front count.
    static constexpr std::uint32_t most_digits = 16;

    explicit chunk_reader(const chunk_limits& limits) noexcept : limits_(limits) {}
    chunk_reader(const chunk_reader&) = delete;
    chunk_reader& operator=(const chunk_reader&) = delete;

    /// For the next body; keeps its memory.
    void begin() noexcept;
    /// In place: moves all body bytes together. Present the bytes that it does not consume again: at once if it gave a
    /// piece of the body, else together with more bytes.
    body_progress read(std::span<char> bytes);
    /// Cuts everything up to and with the next run of body bytes off the front of `bytes`, and returns this run. Empty:
    /// the bytes are used up, or the body is done().
    std::string_view next_run(std::string_view& bytes);
    /// The last chunk and the trailers are over; what follows is not part of the message.
    bool done() const noexcept { return at_ == place::over; }

  protected:
    enum class limit : std::uint8_t {
        digits,  ///< most_digits
        chunk,   ///< chunk_limits::chunk_bytes
        framing, ///< chunk_limits::framing_bytes
    };

    ~chunk_reader() = default;
    const chunk_limits& limits() const noexcept { return limits_; }
    /// The error for a byte beyond this limit, in the words of the limit's owner.
    virtual std::exception_ptr error_of(limit which) const = 0;
    /// A trailer goes on with `next`, which is not its line feed. May throw an error that cannot wait until the line is
    /// whole.
    virtual void check_trailer(std::string_view line, char next) const;

  private:
    /// The meaning of the next byte.
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
    enum class fault : std::uint8_t { none, size, size_end, data_end, too_many_digits, chunk_too_large, too_long };

    [[gnu::always_inline]] inline const char* skip_usual(const char* at, const char* end) noexcept; // on a token's way
    fault framing(char c) noexcept;
    fault behind_size(char c) noexcept;
    void trailer(char c);
    [[noreturn]] void tell(fault why, char at) const;

    const chunk_limits limits_;
    place at_ = place::first_digit;
    bool trailer_seen_ = false;
    std::uint32_t framing_bytes_ = 0; // of this chunk's header, or of the trailers
    std::uint64_t left_ = 0;          // of this chunk; while its size is read: of the digits so far
    std::string trailer_;             // the line in hand
};

} // namespace chimera::http1
