#include "cli/inspect_command.hpp"

#include "cli/plugin_options.hpp"
#include "cli/standard_output.hpp"
#include "process/messages.hpp"
#include "protocol/excerpt.hpp"
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

json document(const checked_file& file) {
    json exports = nullptr; // beyond the entry; null: not readable
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
                               : file["exports"].empty() ? "nothing but the entry"
                                                         : "besides the entry: " + list_of(file["exports"]));
}

std::string text(const json& j) {
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
    print_result(arguments.json ? j.dump(2, ' ', false, json::error_handler_t::replace) + "\n"
                                : text(printable_document(j)));
    if (error.empty()) return exit_status::success;
    say(fmt::format("chimera-host: {}", on_one_line(error)));
    return exit_status::bad_input;
}

} // namespace chimera::host
