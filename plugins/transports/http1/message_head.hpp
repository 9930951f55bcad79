// The lines of a head, without their ends, and the fields that they make.
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
    bool empty() const noexcept { return places_.empty(); }
    /// Throws what check_field_line() throws.
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
    struct field {
        std::size_t at, name, value, first_line; // place in text_, lengths
    };

    std::string text_;
    std::vector<field> places_;
    std::vector<chm_kv> fields_;
};

} // namespace chimera::http1
