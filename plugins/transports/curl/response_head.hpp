// The head of a response, put together from curl's header lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <chimera/abi/transport.h>

namespace chimera::curl {

/// Interim (1xx) heads are passed over; trailers are counted and dropped.
class response_head {
  public:
    /// All lines of one exchange together: interim heads, the final head, trailers.
    static constexpr std::size_t max_bytes = 64 * 1024;

    enum class outcome {
        more,
        interim,  ///< the end of a 1xx head
        complete, ///< the end of the final head
        too_large,
        malformed,
        switched ///< 101, which nobody asked for
    };

    /// Takes one line as curl delivers it, with its line ending. complete comes exactly once.
    outcome add(std::string_view line);
    bool complete() const noexcept { return complete_; }
    /// [complete] Fills head; the headers are valid until clear().
    void fill(chm_head& head) const noexcept;
    /// Ready for the next exchange; keeps its memory.
    void clear() noexcept;

  private:
    struct field {
        std::size_t name, name_size, value, value_size; // offsets into text_
    };

    void begin(std::string_view status_line);
    bool add_field(std::string_view line);
    void finish();

    std::size_t bytes_ = 0;
    bool in_head_ = false;
    bool complete_ = false;
    std::int32_t status_ = 0;
    std::string text_;
    std::vector<field> fields_;
    std::vector<chm_kv> headers_;
};

} // namespace chimera::curl
