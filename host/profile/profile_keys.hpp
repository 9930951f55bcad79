#pragma once
#include "profile/profile.hpp"
#include <chimera/abi/option.h>
#include <span>
#include <variant>

/// The keys of a profile: one table for checks, defaults, --set, printing and the reference.
namespace chimera::host {

/// A member of an enum type, accessed as the index of its word in the option's choices.
struct choice_field {
    void* enumerator;
    std::size_t (*get)(const void*);
    void (*set)(void*, std::size_t);
};

/// The member of a profile that holds a key's value.
using key_field =
    std::variant<bool*, int*, std::uint64_t*, double*, std::string*, std::filesystem::path*, std::vector<std::string>*,
                 std::optional<std::int64_t>*, std::optional<double>*, choice_field, std::vector<named_text>*>;

/// The profiles in which a key has an effect. In others it is refused, and not printed.
enum class key_scope {
    always,
    report_workload,
    calls_workload,
    llm_workload, ///< report and calls: agents that call servers
    coordination_workload,
    coordinated, ///< there is a [coordinator]
    coordinated_report,
    simulator,
    alerts
};

/// Why a key of this scope has no effect in such a profile: "needs workload.kind = \"report\"". Empty: it has one.
/// simulator and alerts are not judged here.
std::string lack_of(key_scope, workload_kind, bool has_coordinator);

/// A key of the table that T represents. option.name is its path in that table. option.default_value is null if the key
/// has no default, or is required.
template <class T>
struct profile_key {
    chm_option option;
    key_field (*field)(T&);
    key_scope scope = key_scope::always;
    bool required = false;
};

std::span<const profile_key<profile>> profile_keys();
std::span<const profile_key<plugin_choice>> plugin_keys(); ///< of [executor], [foreign], [transport], [coordinator]
std::span<const profile_key<agent_spec>> agent_keys();     ///< of each [[workload.agents]], and of their template
const profile_key<int>& agent_count_key();                 ///< beside that template

/// Stores a value that check_text() accepted; an item of a list is appended. Paths are stored as given. Not for tables
/// of named_text, whose members the reader stores.
void store(const key_field&, const chm_option&, const std::string& text);

/// The value in the form that store() takes; nothing if it is unset or empty. For lists and tables use the vector
/// itself.
std::optional<std::string> fetch(const key_field&, const chm_option&);

} // namespace chimera::host
