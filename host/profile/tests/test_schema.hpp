#pragma once
#include "profile/load.hpp"
#include <doctest/doctest.h>
#include <fmt/format.h>

/// Two executors and a transport with options of every type, as plugins would describe them.
namespace test_schema {

using namespace chimera::host;

inline constexpr chm_option pool[] = {
    {sizeof(chm_option), CHM_OPT_INT, "workers", "Threads", "2", nullptr, 1, 64},
    {sizeof(chm_option), CHM_OPT_BOOL, "steal", "Take from others", "true", nullptr, 1, 0},
    {sizeof(chm_option), CHM_OPT_FLOAT, "spin.share", "Spinning", "0.50", nullptr, 0, 1},
    {sizeof(chm_option), CHM_OPT_STRING, "spin.label", "Label", "", nullptr, 1, 0},
};
inline constexpr chm_option bridge[] = {
    {sizeof(chm_option), CHM_OPT_INT, "workers", "Threads", "1", nullptr, 1, 64},
    {sizeof(chm_option), CHM_OPT_ENUM, "await", "How to wait", "block", "block|wake|channel", 1, 0},
};
inline constexpr chm_option socket[] = {
    {sizeof(chm_option), CHM_OPT_INT, "read_size", "Bytes", "1024", nullptr, 1, 1 << 20},
};

inline schema_answer lookup(plugin_kind kind, const std::string& plugin, const std::filesystem::path&) {
    if (kind == plugin_kind::executor && (plugin == "pool" || plugin == "/opt/pool.so")) return {pool, {}};
    if (kind == plugin_kind::executor && plugin == "bridge") return {bridge, {}};
    if (kind == plugin_kind::transport && plugin == "socket") return {socket, {}};
    return {{}, fmt::format("no {} plugin \"{}\"", to_string(kind), plugin)};
}

inline const std::string smallest = "[executor]\nplugin = \"pool\"\n[transport]\nplugin = \"socket\"\n";

/// Parses as the file p.toml.
inline profile parse(const std::string& toml, const profile_overrides& overrides = {}) {
    return parse_profile(toml, "p.toml", lookup, overrides);
}

inline profile with_sets(const std::string& toml, std::vector<std::string> sets) {
    profile_overrides overrides;
    overrides.sets = std::move(sets);
    return parse(toml, overrides);
}

/// All faults, a line each; empty if there is none.
inline std::string faults(const std::string& toml, const profile_overrides& overrides = {}) {
    try {
        parse(toml, overrides);
    } catch (const profile_error& error) {
        return error.what();
    }
    return {};
}

inline std::string faults_of_sets(const std::string& toml, std::vector<std::string> sets) {
    profile_overrides overrides;
    overrides.sets = std::move(sets);
    return faults(toml, overrides);
}

inline std::string value_of(const std::vector<option_value>& options, const std::string& key) {
    for (const auto& option : options)
        if (option.key == key) return option.value;
    return "(none)";
}

} // namespace test_schema
