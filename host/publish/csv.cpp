#include "publish/csv.hpp"

#include "protocol/excerpt.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <vector>

namespace chimera::host {
namespace {

using json = nlohmann::ordered_json;

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
std::string field(std::string_view said) {
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
    return field(value.is_string() ? value.get<std::string>()
                                   : value.dump(-1, ' ', false, json::error_handler_t::replace));
}

std::string line(const std::vector<std::string>& fields) { return fmt::format("{}\r\n", fmt::join(fields, ",")); }

std::vector<std::string> parameter_names(const json& report) {
    std::vector<std::string> out;
    for (const json& c : report["method"]["configs"])
        for (const auto& [name, value] : c["parameters"].items())
            if (std::ranges::find(out, name) == out.end()) out.push_back(name);
    return out;
}

std::vector<std::string> metric_names(const json& report) {
    std::vector<std::string> out;
    for (const auto& [name, metric] : report["metrics"].items())
        if (metric["provenance"] != "not measured") out.push_back(name);
    return out;
}

std::string joined(const json& texts) {
    std::string out;
    for (const json& t : texts) out += (out.empty() ? "" : " ") + t.get<std::string>();
    return out;
}

} // namespace

std::string to_csv(const json& report) {
    const std::vector<std::string> parameters = parameter_names(report), metrics = metric_names(report);
    std::vector<std::string> fields{"runtime", "config"};
    for (const std::string& p : parameters) fields.push_back(field("parameter_" + p));
    for (const char* name : {"run", "status", "message", "serialized", "client_limited", "arrival_limited"})
        fields.emplace_back(name);
    for (const std::string& m : metrics) fields.push_back(field(m));
    std::string out = line(fields);
    for (const json& run : report["runs"]) {
        const json& configs = report["method"]["configs"];
        const auto config = std::ranges::find(configs, run["config"], [](const json& c) { return c["name"]; });
        fields = {value_field(run["runtime"]), value_field(run["config"])};
        for (const std::string& p : parameters)
            fields.push_back(value_field(config->at("parameters").value(p, json())));
        fields.push_back(value_field(run["run"]));
        fields.push_back(value_field(run["status"]));
        fields.push_back(value_field(run.value("message", json())));
        const json& verdict = run["serialization"];
        fields.emplace_back(verdict.is_null() ? "" : verdict["verdict"] == "serialized" ? "yes" : "no");
        for (const char* name : {"client_limited", "arrival_limited"}) fields.push_back(field(joined(run[name])));
        for (const std::string& m : metrics) fields.push_back(value_field(run["values"].value(m, json())));
        out += line(fields);
    }
    return out;
}

} // namespace chimera::host
