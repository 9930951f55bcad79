#include "publish/csv.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <vector>

namespace chimera::host {
namespace {

using json = nlohmann::ordered_json;

std::string field(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string out = "\"";
    for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
    return out + '"';
}

std::string value_field(const json& value) {
    if (value.is_null()) return "";
    return field(value.is_string() ? value.get<std::string>() : value.dump());
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
