// The chunked coding, undone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string_view>

#include "http1/chunk_reader.hpp"

namespace chimera::curl {

/// Takes what curl hands over undecoded (CURLOPT_HTTP_TRANSFER_DECODING 0). curl reads the chunks too, for their end,
/// but it takes sizes followed by anything, and extensions without end. Where curl gives up by itself, this does so at
/// the same byte.
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

} // namespace chimera::curl
