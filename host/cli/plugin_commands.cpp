#include "cli/commands.hpp"

#include "cli/output.hpp"
#include "process/messages.hpp"
#include "protocol/excerpt.hpp"
#include "publish/publish.hpp"
#include "registry/checked_file.hpp"
#include "registry/registry.hpp"
#include "registry/trial.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace chimera::host {

namespace {

using json = nlohmann::ordered_json;

std::string accepted(const json& option) {
    if (option.contains("choices")) return option["choices"];
    std::string type = option["type"];
    if (!option.contains("min")) return type;
    // JSON has no infinity: null.
    const auto bound = [](const json& b) { return b.is_null() ? "any" : fmt::format("{:.15g}", b.get<double>()); };
    return fmt::format("{} {}..{}", type, bound(option["min"]), bound(option["max"]));
}

/// One line for each option of a factory.
std::string option_lines(const json& factory) {
    std::string lines;
    for (const json& o : factory["options"]) {
        const std::string by_default = o["default"];
        lines += fmt::format("    {:<24} {} (default {}; {})\n", o["name"].get<std::string>(),
                             o["help"].get<std::string>(), by_default.empty() ? "empty" : by_default, accepted(o));
    }
    return lines;
}

json document(const plugin_listing& p) {
    return {{"id", p.id},
            {"version", p.said.value("version", "")},
            {"description", p.said.value("description", "")},
            {"path", p.path.string()},
            {"shadowed_by", or_null(p.shadowed_by.string())},
            {"error", or_null(p.error)},
            {"factories", p.said.value("factories", json::array())}};
}

std::string listing_text(const json& p) {
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
        print_result(json_text(j));
        return exit_status::success;
    }
    std::string all = "searched:\n";
    for (const auto& folders : {settings.search, settings.own})
        for (const auto& folder : folders) all += fmt::format("  {}\n", on_one_line(folder.string()));
    for (const plugin_listing& p : found) all += "\n" + listing_text(printable_document(document(p)));
    print_result(all);
    return exit_status::success;
}

namespace {

json document(const checked_file& file) {
    json exports = nullptr; // without the entry; null: not readable
    if (file.elf().exported) {
        exports = json::array();
        for (const std::string& symbol : *file.elf().exported)
            if (symbol != CHM_ENTRY_SYMBOL) exports.push_back(symbol);
    }
    return {{"path", file.path().string()},
            {"owner", file.owner()},
            {"mode", fmt::format("{:04o}", file.mode())},
            {"trusted", file.distrust().empty()},
            {"distrust", or_null(file.distrust())},
            {"word_size", or_null(file.elf().word_size)},
            {"machine", or_null(file.elf().machine)},
            {"type", or_null(file.elf().type)},
            {"nodelete", file.elf().nodelete},
            {"needed", file.elf().needed},
            {"exports", std::move(exports)}};
}

std::string list_of(const json& words) {
    return words.empty() ? "none" : fmt::format("{}", fmt::join(words.get<std::vector<std::string>>(), ", "));
}

std::string file_lines(const json& file) {
    std::string lines =
        fmt::format("  file        {}\n  owner       user {}, mode {}, {}\n", file["path"].get<std::string>(),
                    file["owner"].get<unsigned>(), file["mode"].get<std::string>(),
                    file["trusted"].get<bool>() ? "trusted" : "not trusted: " + file["distrust"].get<std::string>());
    if (file["word_size"].is_null()) return lines;
    std::string kind = file["word_size"];
    for (const char* key : {"machine", "type"})
        if (file[key].is_string()) kind += " " + file[key].get<std::string>();
    return lines + fmt::format("  ELF         {}, {}\n  needs       {}\n  exports     {}\n", kind,
                               file["nodelete"].get<bool>() ? "nodelete" : "not linked with -z nodelete",
                               list_of(file["needed"]),
                               file["exports"].is_null() ? "not readable"
                               : file["exports"].empty() ? "only the entry"
                                                         : "besides the entry: " + list_of(file["exports"]));
}

std::string inspection_text(const json& j) {
    const json& entry = j["plugin"];
    std::string t;
    if (entry.contains("id"))
        t = fmt::format("{} {}, contract {}\n  {}\n", entry["id"].get<std::string>(),
                        entry["version"].get<std::string>(), entry["abi"].get<std::string>(),
                        entry["description"].get<std::string>());
    if (j["file"].is_object()) t += file_lines(j["file"]);
    if (entry.contains("flags")) t += fmt::format("  flags       {}\n", list_of(entry["flags"]));
    for (const json& factory : entry.value("factories", json::array())) {
        t += fmt::format("  {}\n", factory["kind"].get<std::string>());
        if (factory.contains("extensions"))
            t += fmt::format("    flags       {}\n    extensions  {}\n", list_of(factory["flags"]),
                             list_of(factory["extensions"]));
        if (factory.contains("no_instance"))
            t += fmt::format("    extensions  not known: {}\n", factory["no_instance"].get<std::string>());
        t += fmt::format("    options{}\n", factory["options"].empty() ? "     none" : "") + option_lines(factory);
    }
    return t;
}

} // namespace

exit_status inspect_command(const inspect_arguments& arguments) {
    registry_settings settings;
    settings.allow_untrusted = arguments.allow_untrusted;
    const registry plugins(settings);
    json j{{"schema_version", 1}, {"file", nullptr}, {"plugin", json::object()}};
    std::string error;
    try {
        const auto found = plugins.locate(arguments.plugin);
        const auto file = std::make_shared<const checked_file>(found);
        j["file"] = document(*file);
        if (error = file->fault(arguments.allow_untrusted); !error.empty()) {
            error = found.string() + ": " + error;
        } else {
            trial tried = try_plugin(file, trial_depth::instance, settings.trial_limit);
            j["plugin"] = std::move(tried.said);
            error = std::move(tried.fault);
        }
    } catch (const plugin_error& not_found) {
        error = not_found.what();
    }
    j["error"] = or_null(error);
    print_result(arguments.json ? json_text(j) : inspection_text(printable_document(j)));
    if (error.empty()) return exit_status::success;
    say(fmt::format("chimera-host: {}", on_one_line(error)));
    return exit_status::bad_input;
}

} // namespace chimera::host
