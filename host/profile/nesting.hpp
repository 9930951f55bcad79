#pragma once
#include <cstddef>
#include <string>
#include <string_view>

/// A limit on how deep a document goes. The tree of a document is walked and freed by functions that call themselves,
/// TOML's own library's too: some tens of thousands of levels, written in 100 KB of text, would use up the stack.
namespace chimera::host {

/// Levels of tables and arrays. The deepest key of a profile has five; a request's body may have more.
inline constexpr std::size_t most_levels = 100;

/// Where a text gets deeper than most_levels: by tables in each other, arrays in each other, or keys of many parts.
struct deep_place {
    std::size_t line = 0, column = 0; ///< counted from 1, columns in bytes; 0: nowhere
};

/// Looks at the brackets, the keys and the strings of a text; whether it is TOML otherwise is not looked at.
deep_place find_too_deep(std::string_view toml);

/// "a.b.c" has three.
std::size_t parts_of(std::string_view dotted_path);

/// "more than 100 levels of tables, arrays and parts of keys"
std::string too_deep();

} // namespace chimera::host
