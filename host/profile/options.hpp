// Options of plugins and of the simulator: their values, and the rules of chm_option. Pure functions; any thread.
#pragma once

#include <chimera/abi/option.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::host {

struct node;
struct origin;

/// The kinds of plugins that a profile names.
enum class plugin_kind { executor, transport, coordinator };
inline constexpr std::array plugin_kinds{plugin_kind::executor, plugin_kind::transport, plugin_kind::coordinator};

/// "executor", "transport" or "coordinator", like the profile's tables.
constexpr const char* to_string(plugin_kind kind) {
    switch (kind) {
    case plugin_kind::executor:
        return "executor";
    case plugin_kind::transport:
        return "transport";
    case plugin_kind::coordinator:
        break;
    }
    return "coordinator";
}

/// One option as a plugin or the simulator receives it: a flat dotted key, and the value as canonical text (integers in
/// decimal, floats in the shortest form that reads back the same, "true" or "false").
struct option_value {
    std::string key, value;
    std::uint32_t type = CHM_OPT_STRING; ///< CHM_OPT_*: how the value is written in TOML
    bool operator==(const option_value&) const = default;
};

struct checked_value {
    std::string text;  ///< canonical, see option_value
    std::string fault; ///< not empty: what is wrong and what to give, without the place
};

/// Checks text against one option's type, range and choices.
checked_value check_text(const chm_option&, std::string_view text);

/// Checks a value as it was written. An integer is accepted as a float; nothing else is converted. On the command line,
/// bare text is accepted as a string.
checked_value check_node(const chm_option&, const node&);

/// The words of an enum's choices; empty for other types.
std::vector<std::string> choices_of(const chm_option&);

/// One line with type, range and default: "an integer from 1 to 8, default 2".
std::string describe(const chm_option&);

/// A value for every option of the schema, in the schema's order: from the table `given` (nested tables make dotted
/// keys; null: no table), else the default. prefix: the name of that table, for messages. read_elsewhere: further known
/// keys, which the caller reads itself. Appends faults to *faults.
std::vector<option_value> resolve_options(std::span<const chm_option> schema, const node* given,
                                          const std::string& prefix, std::vector<std::string>* faults,
                                          std::span<const std::string> read_elsewhere = {});

/// "where: key: what" for a file; "where: what" for the command line, whose origin contains the key.
std::string fault_at(const origin&, const std::string& key, const std::string& what);

} // namespace chimera::host
