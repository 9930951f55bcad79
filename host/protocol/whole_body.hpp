#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace chimera::host {

/// Gathers a body, or the rest of one, that is one document in place of a stream: JSON over several lines, or HTML.
class whole_body {
  public:
    static constexpr std::size_t most_bytes = std::size_t{64} << 10U;

    /// Whether a line begins such a document: with `{`, `[` or `<`, blanks aside.
    static bool begins_with(std::string_view line) noexcept;

    bool gathering() const noexcept { return !text_.empty(); }

    /// Takes a line. True: nothing more is to come, since the document is complete, has become too long, or cannot
    /// become JSON.
    bool add(std::string_view line);

    std::string_view text() const noexcept { return text_; }
    bool is_markup() const noexcept;

    void reset() noexcept;

  private:
    std::string text_;
    std::size_t depth_ = 0; ///< of JSON: brackets that are open
};

} // namespace chimera::host
