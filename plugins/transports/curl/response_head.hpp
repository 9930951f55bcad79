// The head of a response, put together from curl's header lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <chimera/abi/transport.h>

#include "body_framing.hpp"

namespace chimera::curl {

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
    /// CHM_E_PROTO for what is not HTTP/1.x or has no certain end, CHM_E_LIMIT beyond max_bytes.
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

} // namespace chimera::curl
