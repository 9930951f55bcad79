#pragma once
#include "profile/document.hpp"
#include "profile/profile.hpp"
#include <string>
#include <vector>

/// Tables whose keys are the user's own, not the profile's: [backend.headers] and [backend.body].
namespace chimera::host {

/// What the values of a free table become.
enum class free_values {
    texts, ///< strings, taken as they are: headers
    json,  ///< any value but a date, as JSON; members of nested tables get dotted keys: a request's body
};

/// The table's members in their order. An empty string gives an empty text, which means: leave this one out. path: what
/// the table is called, for messages. Faults are appended to *faults.
std::vector<named_text> read_free_table(const node&, free_values, const std::string& path,
                                        std::vector<std::string>* faults);

/// An inline table that read_free_table() reads back as the same members: { "X-Team" = "a" }.
std::string inline_toml(const std::vector<named_text>&, free_values);

/// A basic string of TOML, with its quotes. What could act on a terminal or cannot be seen is escaped.
std::string toml_string(std::string_view text);

} // namespace chimera::host
