#include "cli/plugins_command.hpp"

#include "cli/plugin_options.hpp"
#include "cli/standard_output.hpp"
#include "protocol/excerpt.hpp"
#include "registry/plugin_listing.hpp"
#include "registry/registry.hpp"

#include <fmt/format.h>

namespace chimera::host {
namespace {

using json = nlohmann::ordered_json;

json document(const plugin_listing& p) {
    return {{"id", p.id},
            {"version", p.said.value("version", "")},
            {"description", p.said.value("description", "")},
            {"path", p.path.string()},
            {"shadowed_by", or_null(p.shadowed_by.string())},
            {"error", or_null(p.error)},
            {"factories", p.said.value("factories", json::array())}};
}

std::string text(const json& p) {
    const auto word = [&p](const char* key) { return p[key].get<std::string>(); };
    const bool shadowed = p["shadowed_by"].is_string();
    std::string t =
        fmt::format("{} {}{}\n  {}\n", word("id"), word("version"), shadowed ? "  (not used)" : "", word("path"));
    if (shadowed) t += fmt::format("  {} is found first\n", word("shadowed_by"));
    if (p["error"].is_string()) return t + fmt::format("  cannot be used: {}\n", word("error"));
    t += fmt::format("  {}\n", word("description"));
    for (const json& factory : p["factories"])
        t += fmt::format("  {}{}\n", factory["kind"].get<std::string>(),
                         factory["options"].empty() ? ", no options" : ":") +
             option_lines(factory);
    return t;
}

} // namespace

exit_status plugins_command(bool as_json, bool allow_untrusted) {
    registry_settings settings;
    settings.allow_untrusted = allow_untrusted;
    const registry plugins(settings);
    const std::vector<plugin_listing> found = plugins.list();
    if (as_json) {
        json j{{"schema_version", 1}, {"plugins", json::array()}};
        for (const plugin_listing& p : found) j["plugins"].push_back(document(p));
        print_result(j.dump(2, ' ', false, json::error_handler_t::replace) + "\n"); // a file's name may be any bytes
        return exit_status::success;
    }
    std::string all = "searched:\n";
    for (const auto& folders : {settings.search, settings.own})
        for (const auto& folder : folders) all += fmt::format("  {}\n", on_one_line(folder.string()));
    for (const plugin_listing& p : found) all += "\n" + text(printable_document(document(p)));
    print_result(all);
    return exit_status::success;
}

} // namespace chimera::host
