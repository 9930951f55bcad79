#pragma once
#include "profile/document.hpp"
#include "profile/option_value.hpp"
#include <chimera/abi/option.h>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The rules of chm_option: what a value may be. Pure functions; any thread.
namespace chimera::host {

struct checked_value {
    std::string text;  ///< canonical, see option_value
    std::string fault; ///< not empty: what is wrong and what would do, without saying where
};

/// Checks text against one option's type, range and choices.
checked_value check_text(const chm_option&, std::string_view text);

/// Checks a value as it was written. Integers are taken as floats, nothing else is converted; from the command line any
/// bare text is taken as a string.
checked_value check_node(const chm_option&, const node&);

/// The words of an enum's choices, or none.
std::vector<std::string> choices_of(const chm_option&);

/// One line: type, range, default: "integer from 1 to 8, default 2".
std::string describe(const chm_option&);

/// A value for every option of the schema, in its order: given's where it has one (a table; nested tables make dotted
/// keys), else the default. prefix: what given is called, for messages. read_elsewhere: further keys of given that are
/// fine and that the caller reads itself. Faults are appended to *faults.
std::vector<option_value> resolve_options(std::span<const chm_option> schema, const node* given,
                                          const std::string& prefix, std::vector<std::string>* faults,
                                          std::span<const std::string> read_elsewhere = {});

/// "where: key: what", or "where: what" for the command line, which names the key itself.
std::string fault_at(const origin&, const std::string& key, const std::string& what);

} // namespace chimera::host
