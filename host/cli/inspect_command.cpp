#include "cli/inspect_command.hpp"

#include "cli/plugin_options.hpp"
#include "registry/plugin_file.hpp"
#include "registry/registry.hpp"
#include "registry/trial.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace chimera::host {
namespace {

using json = nlohmann::ordered_json;

json or_null(const std::string& text) { return text.empty() ? json(nullptr) : json(text); }

json document(const plugin_file& file) {
    json exports = nullptr; // beyond the entry; null: not readable
    if (file.elf.exported) {
        exports = json::array();
        for (const std::string& symbol : *file.elf.exported)
            if (symbol != CHM_ENTRY_SYMBOL) exports.push_back(symbol);
    }
    return {{"path", file.path.string()},
            {"owner", file.owner},
            {"mode", fmt::format("{:04o}", file.mode)},
            {"trusted", file.distrust.empty()},
            {"distrust", or_null(file.distrust)},
            {"word_size", or_null(file.elf.word_size)},
            {"machine", or_null(file.elf.machine)},
            {"type", or_null(file.elf.type)},
            {"nodelete", file.elf.nodelete},
            {"needed", file.elf.needed},
            {"exports", std::move(exports)}};
}

std::string list_of(const json& words) {
    return words.empty() ? "none" : fmt::format("{}", fmt::join(words.get<std::vector<std::string>>(), ", "));
}

void print_file(const json& file) {
    fmt::print("  file        {}\n", file["path"].get<std::string>());
    fmt::print("  owner       user {}, mode {}, {}\n", file["owner"].get<unsigned>(), file["mode"].get<std::string>(),
               file["trusted"].get<bool>() ? "trusted" : "not trusted: " + file["distrust"].get<std::string>());
    if (file["word_size"].is_null()) return;
    std::string kind = file["word_size"];
    for (const char* key : {"machine", "type"})
        if (file[key].is_string()) kind += " " + file[key].get<std::string>();
    fmt::print("  ELF         {}, {}\n", kind,
               file["nodelete"].get<bool>() ? "nodelete" : "not linked with -z nodelete");
    fmt::print("  needs       {}\n", list_of(file["needed"]));
    fmt::print("  exports     {}\n", file["exports"].is_null() ? "not readable"
                                     : file["exports"].empty() ? "nothing but the entry"
                                                               : "besides the entry: " + list_of(file["exports"]));
}

void print(const json& j) {
    const json& entry = j["plugin"];
    if (entry.contains("id"))
        fmt::print("{} {}, contract {}\n  {}\n", entry["id"].get<std::string>(), entry["version"].get<std::string>(),
                   entry["abi"].get<std::string>(), entry["description"].get<std::string>());
    print_file(j["file"]);
    if (entry.contains("flags")) fmt::print("  flags       {}\n", list_of(entry["flags"]));
    for (const json& factory : entry.value("factories", json::array())) {
        fmt::print("  {}\n", factory["kind"].get<std::string>());
        if (factory.contains("extensions"))
            fmt::print("    flags       {}\n    extensions  {}\n", list_of(factory["flags"]),
                       list_of(factory["extensions"]));
        if (factory.contains("no_instance"))
            fmt::print("    extensions  not known: {}\n", factory["no_instance"].get<std::string>());
        fmt::print("    options{}\n", factory["options"].empty() ? "     none" : "");
        print_options(factory);
    }
}

exit_status refuse(const std::string& why) {
    fmt::print(stderr, "chimera-host: {}\n", why);
    return exit_status::bad_input;
}

} // namespace

exit_status inspect_command(const inspect_arguments& arguments) {
    registry_settings settings;
    settings.allow_untrusted = arguments.allow_untrusted;
    const registry plugins(settings);
    json j{{"schema_version", 1}};
    std::string error;
    try {
        const auto found = plugins.locate(arguments.plugin);
        const plugin_file file = look_at_plugin_file(found);
        j["file"] = document(file);
        j["plugin"] = json::object();
        if (error = file.fault(arguments.allow_untrusted); !error.empty()) {
            error = found.string() + ": " + error;
        } else {
            trial tried = try_plugin(file.path, trial_depth::instance, settings.trial_limit);
            j["plugin"] = std::move(tried.said);
            error = std::move(tried.fault);
        }
    } catch (const plugin_error& not_found) {
        return refuse(not_found.what());
    }
    j["error"] = or_null(error);
    if (arguments.json)
        fmt::print("{}\n", j.dump(2, ' ', false, json::error_handler_t::replace));
    else
        print(j);
    return error.empty() ? exit_status::success : refuse(error);
}

} // namespace chimera::host
