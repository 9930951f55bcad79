// Heads of HTTP/1.1 messages: their lines, their fields, and what these say about the body.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chimera/abi/base.h"

namespace chimera::http1 {

/// Gives whole lines, so that the way in which a line was cut does not matter. A line ends with CRLF, or with LF alone
/// (RFC 9112 2.2 allows it).
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
    /// The last call of next() met a byte beyond the limit, and therefore gave no line.
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

/// The y of "HTTP/1.y", with which a status line begins. Throws bad_message, which shows the line.
int version_of(std::string_view status_line);
/// 100 to 999, where version_of() has taken the line. The reason, and the blank before it, may be missing. Throws
/// bad_message, which shows the line.
std::int32_t status_of(std::string_view status_line);

/// A line of a head or of trailers: "Name: value", or the continuation of the line before it. follows: there is a line
/// before it. Throws bad_message, which shows the line, for a name that is not a token (RFC 9112 5.1) and for control
/// characters.
void check_field_line(std::string_view line, bool follows);

/// The fields of one head. Folded lines are joined by a blank (RFC 9112 5.2).
class field_list {
  public:
    /// Keeps its memory.
    void clear() noexcept;
    /// Clears, and gives the memory back.
    void release() noexcept { field_list().swap(*this); }
    bool empty() const noexcept { return places_.empty(); }
    /// Throws as check_field_line() does.
    void add(std::string_view line);
    /// In the order in which they came; valid until the next call of a function that is not const.
    std::span<const chm_kv> all();

    enum class extent {
        whole,
        first_line ///< of a folded value, the line that has the name
    };
    /// The values of all fields of this name, as one list. Nothing: there is no such field.
    std::optional<std::string> list(std::string_view name, extent how_much = extent::whole) const;

  private:
    void swap(field_list& o) noexcept {
        text_.swap(o.text_);
        places_.swap(o.places_);
        fields_.swap(o.fields_);
    }

    struct field {
        std::size_t at, name, value, first_line; // place in text_, lengths
    };

    std::string text_;
    std::vector<field> places_;
    std::vector<chm_kv> fields_;
};

/// Transfer-Encoding and Content-Length (RFC 9112 6).
struct declared_body {
    bool has_codings = false; ///< there is a Transfer-Encoding; "identity" alone says nothing
    bool has_length = false;  ///< there is a Content-Length
    bool chunked = false;     ///< the body comes in chunks, whatever the length says
    std::uint64_t length = 0; ///< [has_length, not chunked]

    /// longest: the largest length that counts as one. whose: the decoder, for messages. Throws bad_message
    /// for a Transfer-Encoding that is not "chunked", and, without that, a Content-Length that is not one number.
    static declared_body of(const field_list& fields, std::uint64_t longest, std::string_view whose);
};

/// Whether the sender keeps the connection for another message (RFC 9112 9.3), as far as its Connection field says.
bool stays_open(const field_list& fields, int minor_version);

} // namespace chimera::http1
