#include "publish/markdown.hpp"

#include "publish/markdown_results.hpp"
#include "publish/markdown_table.hpp"
#include "publish/markdown_text.hpp"

#include <fmt/format.h>

namespace chimera::host {
namespace {

using json = nlohmann::ordered_json;

std::string section(std::string_view title, const std::string& text) {
    return text.empty() ? "" : fmt::format("## {}\n\n{}", title, text);
}

std::string bullets(const json& sentences) {
    std::string out;
    for (const json& s : sentences) out += fmt::format("- {}\n", s.get<std::string>());
    return out.empty() ? out : out + "\n";
}

std::string parameters(const json& config) {
    std::string out;
    for (const auto& [name, value] : config["parameters"].items())
        out += fmt::format("{}{} = {}", out.empty() ? "" : ", ", name,
                           value.is_string() ? value.get<std::string>() : value.dump());
    return out;
}

std::string recorded(const json& value) {
    if (value.is_null()) return "not recorded";
    return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string method(const json& report) {
    const json& m = report["method"];
    std::string out = bullets(m["sentences"]);
    std::string agents;
    for (const json& a : m["agents"]) agents += (agents.empty() ? "" : ", ") + a.get<std::string>();
    out += fmt::format("Agents: {}. Servers: {}. Seed: {}. Order: {}.\n\n", agents.empty() ? "not recorded" : agents,
                       recorded(m["backend"]), recorded(m["seed"]), recorded(m["order"]));
    markdown_table runtimes({"runtime", "what it is", "executor", "transport", "foreign runtime"});
    for (const json& r : m["runtimes"])
        runtimes.add({r["name"], recorded(r["description"]), recorded(r["executor"]), recorded(r["transport"]),
                      r["executor"].is_null() || r["foreign"].is_string() ? recorded(r["foreign"]) : "none"});
    markdown_table configs({"configuration", "parameters"});
    for (const json& c : m["configs"]) configs.add({c["name"], parameters(c)});
    return out + runtimes.text() + configs.text();
}

std::string definitions(const json& report) {
    markdown_table t({"metric", "unit", "how it came about", "definition"});
    for (const auto& [name, m] : report["metrics"].items()) t.add({name, m["unit"], m["provenance"], m["definition"]});
    return "Measured: read off a clock or a counter. Derived: computed from measured figures. Estimated: computed from "
           "less than "
           "the definition needs. Not measured: no run has it.\n\n" +
           t.text();
}

} // namespace

std::string to_markdown(const json& given) {
    const json report = markdown_document(given);
    std::string out = fmt::format("# {}\n\n", report["title"].get<std::string>());
    if (!report["description"].is_null()) out += report["description"].get<std::string>() + ".\n\n";
    out += section("Question", report["question"].get<std::string>() + "\n\n");
    out += section("Findings", bullets(report["findings"]));
    out += section("Method", method(report));
    out += section("Results", results_markdown(report));
    out += section("Limits", bullets(report["limits"]));
    out += section("How to repeat it", code_block("sh", given["repeat"]));
    out += section("Definitions", definitions(report));
    return out + fmt::format("Report document version {}, made by {}.\n", report["schema_version"].get<int>(),
                             report["generated_by"].get<std::string>());
}

} // namespace chimera::host
