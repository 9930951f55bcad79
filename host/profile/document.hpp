#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// A profile as it was written: a tree of values that each know where they come from, a place in a file or an argument
/// of the command line. Nothing is checked here but TOML's syntax.
namespace chimera::host {

struct origin {
    std::string where; ///< "file:line:column", "--set key=value", ...
    bool from_file = false;
};

struct member;
struct node {
    struct date {}; ///< TOML has dates; no key takes one
    using list = std::vector<node>;
    using table = std::vector<member>; ///< in the order of the text, keys unique

    std::variant<bool, std::int64_t, double, std::string, date, list, table> value;
    origin at;
    std::optional<std::string> raw; ///< from the command line: the text as it was typed

    bool is_table() const { return std::holds_alternative<table>(value); }
    bool is_list() const { return std::holds_alternative<list>(value); }
    /// The member called key, or null; also null where this is no table.
    node* find(std::string_view key);
    const node* find(std::string_view key) const;
    /// The member called key, made or replaced. This must be a table.
    node& assign(std::string key, node value);
};

struct member {
    std::string key;
    origin at;
    node value;
};

/// What is written at this node, for messages: "a string", "a table", ...
const char* kind_of(const node&);

/// Where in a list the element with this id or index is; an index may be just past the end. Nothing where none is.
std::optional<std::size_t> element_index(const node::list& items, std::string_view id_or_index);

/// Parses a file's text. On a syntax error *fault is "file:line:column: what; what to do" and the result is empty.
node parse_document(std::string_view text, const std::string& file, std::string* fault);

/// Applies one "key=value" of --set: key is a dotted path whose steps into a list are an index or an element's id;
/// missing tables are made, an index just past the end appends. argument: what the values' origin and messages call it,
/// cut where it is long. Returns what is wrong, empty where nothing is.
std::string apply_set(node& root, const std::string& assignment, const std::string& argument);

} // namespace chimera::host
