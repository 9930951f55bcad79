// Lines of a head, as the bytes come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace chimera::http1 {

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
    /// [not over_limit()] Bytes until the limit.
    std::size_t room() const noexcept { return limit_ - taken_; }
    /// Whether the last call of next() came upon a byte beyond the limit. It gave no line then.
    bool over_limit() const noexcept { return taken_ + searched_ > limit_; }
    /// [not over_limit()] The line at the front of `bytes`, which begin where the last line ended. None yet: called
    /// again with the same bytes and more behind them.
    std::optional<line> next(std::string_view bytes) noexcept {
        const std::size_t length = bytes.find('\n', searched_);
        searched_ = length == std::string_view::npos ? bytes.size() : length + 1;
        if (length == std::string_view::npos || over_limit()) return std::nullopt;
        taken_ += searched_;
        searched_ = 0;
        return line{bytes.substr(0, length > 0 && bytes[length - 1] == '\r' ? length - 1 : length), length + 1};
    }

  private:
    const std::uint32_t limit_;
    std::size_t taken_ = 0;    // bytes of the lines that were given
    std::size_t searched_ = 0; // bytes behind them that have been looked at
};

} // namespace chimera::http1
