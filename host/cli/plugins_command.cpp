#include "cli/plugins_command.hpp"

#include "registry/registry.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <string_view>

namespace chimera::host {
namespace {

std::string_view name_of_type(std::uint32_t type) {
    switch (type) {
    case CHM_OPT_BOOL:
        return "bool";
    case CHM_OPT_INT:
        return "int";
    case CHM_OPT_FLOAT:
        return "float";
    case CHM_OPT_STRING:
        return "string";
    case CHM_OPT_ENUM:
        return "enum";
    default:
        return "unknown";
    }
}

std::string_view name_of_kind(plugin_kind kind) { return kind == plugin_kind::executor ? "executor" : "transport"; }

std::string accepted(const chm_option& o) {
    if (o.type == CHM_OPT_ENUM) return o.choices;
    if (o.min <= o.max) return fmt::format("{} {:.15g}..{:.15g}", name_of_type(o.type), o.min, o.max);
    return std::string(name_of_type(o.type));
}

nlohmann::ordered_json document(const plugin_listing& p) {
    nlohmann::ordered_json j{
        {"id", p.id},
        {"version", p.version},
        {"description", p.description},
        {"path", p.path.string()},
        {"shadowed_by",
         p.shadowed_by.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(p.shadowed_by.string())},
        {"error", p.error.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(p.error)}};
    j["factories"] = nlohmann::ordered_json::array();
    for (const auto& f : p.factories) {
        nlohmann::ordered_json factory{{"kind", name_of_kind(f.kind)}, {"options", nlohmann::ordered_json::array()}};
        for (const chm_option& o : f.options) {
            nlohmann::ordered_json option{
                {"name", o.name}, {"type", name_of_type(o.type)}, {"default", o.default_value}, {"help", o.help}};
            if (o.type == CHM_OPT_ENUM) option["choices"] = o.choices;
            if (o.min <= o.max && (o.type == CHM_OPT_INT || o.type == CHM_OPT_FLOAT)) {
                option["min"] = o.min;
                option["max"] = o.max;
            }
            factory["options"].push_back(std::move(option));
        }
        j["factories"].push_back(std::move(factory));
    }
    return j;
}

void print(const plugin_listing& p) {
    fmt::print("{} {}{}\n  {}\n", p.id, p.version, p.shadowed_by.empty() ? "" : "  (not used)", p.path.string());
    if (!p.shadowed_by.empty()) fmt::print("  {} is found first\n", p.shadowed_by.string());
    if (!p.error.empty()) {
        fmt::print("  cannot be used: {}\n\n", p.error);
        return;
    }
    fmt::print("  {}\n", p.description);
    for (const auto& f : p.factories) {
        fmt::print("  {}{}\n", name_of_kind(f.kind), f.options.empty() ? ", no options" : ":");
        for (const chm_option& o : f.options)
            fmt::print("    {:<24} {} (default {}; {})\n", o.name, o.help, *o.default_value ? o.default_value : "empty",
                       accepted(o));
    }
    fmt::print("\n");
}

} // namespace

exit_status plugins_command(bool json, bool allow_untrusted) {
    registry_settings settings;
    settings.allow_untrusted = allow_untrusted;
    registry plugins(settings);
    const std::vector<plugin_listing> found = plugins.list();
    if (json) {
        nlohmann::ordered_json j{{"schema_version", 1}, {"plugins", nlohmann::ordered_json::array()}};
        for (const plugin_listing& p : found) j["plugins"].push_back(document(p));
        fmt::print("{}\n", j.dump(2));
        return exit_status::success;
    }
    fmt::print("searched:\n");
    for (const auto& folder : settings.search) fmt::print("  {}\n", folder.string());
    fmt::print("\n");
    for (const plugin_listing& p : found) print(p);
    return exit_status::success;
}

} // namespace chimera::host
