// Lines of a head or of trailers, as the bytes come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "chimera/sdk/error.hpp"

namespace chimera::socket {

/// Gives whole lines, so that a line is judged in the same way however it was cut on its way. A line ends with CRLF, or
/// with LF alone (RFC 9112 2.2 allows to accept it).
class line_reader {
  public:
    /// A line, and how many bytes it takes with its end.
    struct line {
        std::string_view text;
        std::size_t size;
    };

    /// limit: of all lines together since begin(), with their ends.
    explicit line_reader(std::uint32_t limit) noexcept : limit_(limit) {}

    void begin() noexcept { taken_ = searched_ = 0; }
    /// Bytes until the limit.
    std::size_t room() const noexcept { return limit_ - taken_; }
    /// The line at the front of `bytes`, which begin where the last line ended. None yet: called again with the same
    /// bytes and more behind them. Throws sdk::error(CHM_E_LIMIT), at the first byte beyond the limit.
    std::optional<line> next(std::string_view bytes) {
        const void* const end = std::memchr(bytes.data() + searched_, '\n', bytes.size() - searched_);
        if (!end) {
            searched_ = bytes.size();
            if (taken_ + bytes.size() > limit_) refuse();
            return std::nullopt;
        }
        const auto length = static_cast<std::size_t>(static_cast<const char*>(end) - bytes.data());
        searched_ = 0;
        taken_ += length + 1;
        if (taken_ > limit_) refuse();
        return line{bytes.substr(0, length > 0 && bytes[length - 1] == '\r' ? length - 1 : length), length + 1};
    }

  private:
    [[noreturn]] void refuse() const {
        throw sdk::error(CHM_E_LIMIT, "the server sent more than " + std::to_string(limit_) +
                                          " bytes of header or chunk framing (max_header_bytes)");
    }

    const std::uint32_t limit_;
    std::size_t taken_ = 0;    // bytes of the lines that were given
    std::size_t searched_ = 0; // bytes behind them that have no line's end
};

} // namespace chimera::socket
