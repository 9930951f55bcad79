#include "publish/publish.hpp"

#include "protocol/excerpt.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <vector>

namespace chimera::host {
namespace {

/// "-1.5" and "+2e3"; not "-inf".
bool is_number(std::string_view text) {
    if (text.find_first_not_of("0123456789.+-eE") != std::string_view::npos) return false;
    if (text.starts_with('+')) text.remove_prefix(1);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size();
}

/// Whether a spreadsheet would compute the text. The last four are the wide forms of the first, which some take too.
bool is_formula(std::string_view text) {
    constexpr std::array<std::string_view, 8> beginnings{"=", "+", "-", "@", "\uFF1D", "\uFF0B", "\uFF0D", "\uFF20"};
    return std::ranges::any_of(beginnings, [&](std::string_view b) { return text.starts_with(b); }) && !is_number(text);
}

/// A text as a cell: on a terminal it does nothing, in a spreadsheet it is text (an apostrophe before a formula).
std::string field_of(std::string_view said) {
    std::string text = printable(said);
    const bool formula = is_formula(text);
    if (formula) text.insert(0, 1, '\'');
    if (!formula && text.find_first_of(",\"\n") == std::string::npos) return text;
    std::string out = "\"";
    for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
    return out + '"';
}

std::string value_field(const json& value) {
    if (value.is_null()) return "";
    if (value.is_number()) return value.dump();
    return field_of(value.is_string() ? value.get<std::string>()
                                      : value.dump(-1, ' ', false, json::error_handler_t::replace));
}

std::string line(const std::vector<std::string>& fields) { return fmt::format("{}\r\n", fmt::join(fields, ",")); }

std::vector<std::string> parameter_names(const study_report& report) {
    std::vector<std::string> out;
    for (const planned_configuration& c : report.method.configs)
        for (const auto& [name, value] : c.parameters.items())
            if (std::ranges::find(out, name) == out.end()) out.push_back(name);
    return out;
}

std::vector<std::string> measured_names(const study_report& report) {
    std::vector<std::string> out;
    for (const auto& [name, definition] : report.metrics)
        if (definition.provenance != "not measured") out.push_back(name);
    return out;
}

std::string joined(const std::optional<std::vector<std::string>>& texts) {
    return texts ? fmt::format("{}", fmt::join(*texts, " ")) : "";
}

} // namespace

std::string to_csv(const study_report& report) {
    const std::vector<std::string> parameters = parameter_names(report), figures = measured_names(report);
    std::vector<std::string> fields{"runtime", "config"};
    for (const std::string& p : parameters) fields.push_back(field_of(fmt::format("parameter_{}", p)));
    for (const char* name : {"run", "status", "message", "serialized", "client_limited", "arrival_limited"})
        fields.emplace_back(name);
    for (const std::string& f : figures) fields.push_back(field_of(f));
    std::string out = line(fields);
    for (const reported_run& run : report.runs) {
        const auto config = std::ranges::find(report.method.configs, run.config, &planned_configuration::name);
        fields = {field_of(run.runtime), field_of(run.config)};
        for (const std::string& p : parameters) fields.push_back(value_field(config->parameters.value(p, json())));
        fields.push_back(fmt::format("{}", run.run));
        fields.push_back(field_of(run.status));
        fields.push_back(field_of(run.message.value_or("")));
        fields.emplace_back(!run.serialization ? "" : run.serialization->serialized() ? "yes" : "no");
        fields.push_back(field_of(joined(run.client_limited)));
        fields.push_back(field_of(joined(run.arrival_limited)));
        for (const std::string& f : figures) {
            const auto value = run.value(f);
            fields.push_back(value ? json(*value).dump() : "");
        }
        out += line(fields);
    }
    return out;
}

} // namespace chimera::host
