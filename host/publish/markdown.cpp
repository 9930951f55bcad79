#include "publish/markdown_parts.hpp"
#include "publish/publish.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace chimera::host {
namespace {

std::string section(std::string_view title, const std::string& text) {
    return text.empty() ? "" : fmt::format("## {}\n\n{}", title, text);
}

std::string bullets(const std::vector<std::string>& sentences) {
    std::string out;
    for (const std::string& s : sentences) out += fmt::format("- {}\n", s);
    return out.empty() ? out : out + "\n";
}

std::string parameters(const planned_configuration& config) {
    std::string out;
    for (const auto& [name, value] : config.parameters.items())
        out += fmt::format("{}{} = {}", out.empty() ? "" : ", ", name,
                           value.is_string() ? value.get<std::string>() : value.dump());
    return out;
}

template <class T>
std::string recorded(const std::optional<T>& value) {
    return value ? fmt::format("{}", *value) : "not recorded";
}

std::string method(const study_report& report) {
    const method_report& m = report.method;
    std::string out = bullets(m.sentences);
    out += fmt::format("Agents: {}. Servers: {}. Seed: {}. Order: {}.\n\n",
                       m.agents.empty() ? "not recorded" : fmt::format("{}", fmt::join(m.agents, ", ")),
                       recorded(m.backend), recorded(m.seed), recorded(m.order));
    const bool groups = std::ranges::any_of(m.runtimes, [](const auto& r) { return r.coordinator.has_value(); });
    std::vector<std::string> head{"runtime", "what it is", "executor", "transport", "foreign runtime"};
    if (groups) head.emplace_back("coordinator");
    markdown_table runtimes(head);
    for (const planned_runtime& r : m.runtimes) {
        const auto or_none = [&r](const std::optional<std::string>& plugin) {
            return !r.executor || plugin ? recorded(plugin) : "none";
        };
        std::vector<std::string> cells{r.name, recorded(r.description), recorded(r.executor), or_none(r.transport),
                                       or_none(r.foreign)};
        if (groups) cells.push_back(or_none(r.coordinator));
        runtimes.add(std::move(cells));
    }
    markdown_table configs({"configuration", "parameters"});
    for (const planned_configuration& c : m.configs) configs.add({c.name, parameters(c)});
    return out + runtimes.text() + configs.text();
}

std::string origin(const study_report& report) {
    if (!report.origin) return "Not recorded.\n\n";
    const provenance_report& from = *report.origin;
    std::string out = from.first_begun == from.last_begun
                          ? fmt::format("- begun: {}\n", from.first_begun)
                          : fmt::format("- begun: {} to {}\n", from.first_begun, from.last_begun);
    for (const provenance_line& line : from.lines)
        out += fmt::format("- {}: {}{}\n", line.subject, line.text,
                           line.where.empty() ? "" : fmt::format("; only in {}", line.where));
    if (from.runs_without > 0) out += fmt::format("- not recorded: {} runs\n", from.runs_without);
    return out + "\n";
}

std::string definitions(const study_report& report) {
    markdown_table t({"metric", "in files", "unit", "how it came about", "definition"});
    for (const auto& [name, m] : report.metrics) t.add({label_of(name), name, m.unit, m.provenance, m.text});
    return "Measured: read off a clock or a counter. Derived: computed from measured figures. Estimated: computed from "
           "less than the definition needs. Not measured: no run has it.\n\n" +
           t.text();
}

} // namespace

std::string to_markdown(const study_report& given) {
    const study_report report = markdown_report(given);
    std::string out = fmt::format("# {}\n\n", report.title);
    out += claims_line(report.claims);
    if (report.description) out += *report.description + ".\n\n";
    out += answer_markdown(report);
    out += section("Findings", bullets(report.findings));
    out += section("Hypotheses and criteria", questions_markdown(report));
    out += section("Published claims", claims_markdown(report));
    out += section("Cost", costs_markdown(report));
    out += section("Question", report.question + "\n\n");
    out += section("Method", method(report));
    out += section("Where it comes from", origin(report));
    out += section("Results", results_markdown(report));
    out += section("Limits", bullets(report.limits));
    out += section("How to repeat it", code_block("sh", given.repeat));
    out += section("Definitions", definitions(report));
    return out + fmt::format("Report document version {}, made by {}.\n", report.schema_version, report.generated_by);
}

} // namespace chimera::host
