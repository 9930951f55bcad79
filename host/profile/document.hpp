// A profile as it was written: a tree of values, each with its place in a file or its argument on the command line.
// Only TOML's syntax and the depth are checked here.
//
// Rationale for a tree of our own: a toml::node loses its place when it is copied (a sweep copies the document for
// every cell), cannot be given another one (the argument of a --set), and its tables are sorted by key. See
// docs/architecture.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace chimera::host {

struct origin {
    std::string where; ///< "file:line:column", "--set key=value", ...
    bool from_file = false;
};

struct member;
struct node {
    struct date {}; ///< TOML has dates; no key of a profile is one
    using list = std::vector<node>;
    using table = std::vector<member>; ///< in the order of the text; keys are unique

    std::variant<bool, std::int64_t, double, std::string, date, list, table> value;
    origin at;
    std::optional<std::string> raw; ///< from the command line: the text as it was typed

    bool is_table() const { return std::holds_alternative<table>(value); }
    bool is_list() const { return std::holds_alternative<list>(value); }
    /// The member called key; null if there is none, or if this is not a table.
    node* find(std::string_view key);
    const node* find(std::string_view key) const;
    /// Adds or replaces the member called key. Precondition: this is a table.
    node& assign(std::string key, node value);
};

struct member {
    std::string key;
    origin at;
    node value;
};

/// The type of a node, for messages: "a string", "a table", ...
const char* kind_of(const node&);

/// The node at a dotted path ("workload.agents.0.id"), or null.
const node* node_at(const node& root, std::string_view path);

/// The position of the list element with this id, name or index. The index may be one past the end. Nothing if there is
/// no such element.
std::optional<std::size_t> element_index(const node::list& items, std::string_view id_or_index);

/// Parses a file's text. On an error *fault is "file:line:column: what is wrong; what to do" and the result is empty.
node parse_document(std::string_view text, const std::string& file, std::string* fault);

/// Applies one "key=value" of --set. key is a dotted path; a step into a list is an index or an element's id. Missing
/// tables are made; an index one past the end appends. argument: the text that messages and the values' origin show,
/// cut if it is long. Returns the fault; empty: none.
std::string apply_set(node& root, const std::string& assignment, const std::string& argument);

/// Merges the document `patch` into another. Tables are merged key by key; anything else is replaced. In a list, the
/// patch's keys are ids or indices of elements, and "*" is every element. A table with the key "plugin" replaces the
/// other table, because options of one plugin mean nothing to another. Returns the fault; empty: none.
std::string apply_patch(node& root, const node& patch);

/// The patch that puts a value at a dotted path such as "workload.agents.*.options.num_gpu".
node patch_at(std::string_view path, node value);

/// A limit on the depth of a document, in tables, arrays and parts of keys. Our functions and those of toml++ walk and
/// free a tree recursively: without a limit, 100 KB of brackets would overflow the stack. The deepest key of a profile
/// has five levels; a request's body may have more.
inline constexpr std::size_t most_levels = 100;

struct deep_place {
    std::size_t line = 0, column = 0; ///< counted from 1, columns in bytes; 0: nowhere
};

/// Where a text first exceeds most_levels, by nested tables, nested arrays or keys of many parts. Looks only at
/// brackets, keys and strings; the text need not be valid TOML.
deep_place find_too_deep(std::string_view toml);

/// The number of parts of a dotted path: "a.b.c" has three.
std::size_t parts_of(std::string_view dotted_path);

/// "more than 100 levels of tables, arrays and parts of keys"
std::string too_deep();

} // namespace chimera::host
