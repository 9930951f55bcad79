// The chunked coding, undone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace chimera::curl {

/// Takes what curl hands over undecoded (CURLOPT_HTTP_TRANSFER_DECODING 0) and judges it byte by byte. curl reads the
/// chunks too, for their end, but it takes sizes followed by anything, and extensions without end.
class chunk_reader {
  public:
    /// Sizes and extensions of one chunk; all trailers together.
    static constexpr std::size_t max_framing = 64 * 1024;
    /// One line of trailers: curl takes 4 KiB, and calls more a lack of memory.
    static constexpr std::size_t max_trailer = 4000;

    /// Ready for the next body; keeps its memory.
    void clear() noexcept;
    /// Cuts the bytes up to and with the next run of body bytes off the front of `raw`, and returns this run. Empty:
    /// raw is used up, or the body is done(). Throws sdk::error(CHM_E_PROTO, CHM_E_LIMIT).
    std::string_view next(std::string_view& raw);
    /// The last chunk and the trailers have been read; what follows is not part of the response.
    bool done() const noexcept { return at_ == place::over; }

  private:
    enum class place { first_digit, digit, blank, extension, size_lf, data, data_cr, data_lf, trailers, over };

    bool take_usual(std::string_view& raw) noexcept;
    void framing(char c);
    void behind_size(char c);
    void trailer(char c);
    void count();

    place at_ = place::first_digit;
    std::uint64_t left_ = 0;        // of the chunk's data; while its size is read: the size so far
    std::size_t framing_bytes_ = 0; // of this chunk's header, or of the trailers
    bool trailer_seen_ = false;
    std::string trailer_; // the line in hand
};

} // namespace chimera::curl
