#include "cli/plugin_options.hpp"

#include "protocol/excerpt.hpp"

#include <fmt/format.h>

namespace chimera::host {
namespace {

using json = nlohmann::ordered_json;

std::string accepted(const json& option) {
    if (option.contains("choices")) return option["choices"];
    const std::string type = option["type"];
    if (!option.contains("min")) return type;
    // A bound that JSON cannot hold is infinite.
    const auto bound = [](const json& b) { return b.is_null() ? "any" : fmt::format("{:.15g}", b.get<double>()); };
    return fmt::format("{} {}..{}", type, bound(option["min"]), bound(option["max"]));
}

} // namespace

json printable_document(json document) {
    if (document.is_string()) return on_one_line(document.get_ref<const std::string&>());
    if (document.is_structured())
        for (json& member : document) member = printable_document(std::move(member));
    return document;
}

json or_null(const std::string& text) { return text.empty() ? json(nullptr) : json(text); }

std::string option_lines(const json& factory) {
    std::string lines;
    for (const json& o : factory["options"]) {
        const std::string by_default = o["default"];
        lines += fmt::format("    {:<24} {} (default {}; {})\n", o["name"].get<std::string>(),
                             o["help"].get<std::string>(), by_default.empty() ? "empty" : by_default, accepted(o));
    }
    return lines;
}

} // namespace chimera::host
