#include "workload/agent_report.hpp"

#include "workload/markdown.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace chimera::host {

namespace {

/// Text for a table cell: line ends and bars would end the cell.
std::string cell(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '|')
            out += "\\|";
        else
            out += c == '\n' || c == '\r' ? ' ' : c;
    }
    return out;
}

std::string figure(const std::optional<double>& value, int digits) {
    return value ? fmt::format("{:.{}f}", *value, digits) : "-";
}

void add_list(std::string& out, std::string_view title, const std::vector<std::string>& items) {
    out += fmt::format("### {}\n\n", title);
    for (const auto& item : items) out += fmt::format("- {}\n", item);
    out += items.empty() ? "The reply named none.\n\n" : "\n";
}

void add_data(std::string& out, const data_summary& data) {
    out += fmt::format("## Data\n\n| type | files | bytes |\n|---|---:|---:|\n| CSV | {} | {} |\n| JSON | {} | {} |\n"
                       "| Markdown | {} | {} |\n\n",
                       data.csv.files, data.csv.bytes, data.json.files, data.json.bytes, data.markdown.files,
                       data.markdown.bytes);
    if (data.warnings.empty()) return;
    out += "Warnings:\n\n";
    for (const auto& warning : data.warnings) out += fmt::format("- {}\n", cell(to_string(warning)));
    out += '\n';
}

void add_analysis(std::string& out, const analysis& result) {
    out += "## Analysis\n\n";
    if (result.shape == reply_shape::plain) {
        out += "*The reply had no sections; its first paragraph is taken as the summary.*\n\n";
    } else if (result.summary_is_fallback) {
        out += "*The reply had no summary; its first paragraph is taken for it.*\n\n";
    }
    out += fmt::format("### Summary\n\n{}\n\n", result.summary.empty() ? "The reply was empty." : result.summary);
    add_list(out, "Findings", result.findings);
    out += "### Metrics\n\n";
    if (result.metrics.empty()) {
        out += "The reply named none.\n\n";
    } else {
        out += "| metric | value |\n|---|---|\n";
        for (const auto& metric : result.metrics)
            out += fmt::format("| {} | {} |\n", cell(metric.name), cell(metric.value));
        out += '\n';
    }
    add_list(out, "Recommendations", result.recommendations);
}

/// The model's report as a part of this one: its headings move two levels down, outside of fenced text.
std::string as_part(std::string_view text) {
    std::string out;
    bool fenced = false;
    for (const std::string_view line : lines_of(text)) {
        if (is_fence(line)) fenced = !fenced;
        const auto heading = fenced ? std::nullopt : heading_of(line);
        if (heading)
            out += std::string(std::min<std::size_t>(heading->level + 2, 6), '#') + ' ' + heading->text;
        else
            out += line;
        out += '\n';
    }
    if (fenced) out += "```\n"; // close the fence of a reply that was cut off
    return out;
}

} // namespace

std::string render_agent_report(const agent_report& report) {
    std::string out =
        fmt::format("# Report of {}\n\nAgent `{}`, model `{}`.\n\n", report.label, report.agent_id, report.model);
    out += "## Calls\n\n| call | tokens | TTFT ms | tokens/s | total ms |\n|---|---:|---:|---:|---:|\n";
    for (const auto& call : report.calls) {
        out += fmt::format("| {} | {} | {} | {} | {} |\n", cell(call.name),
                           call.tokens ? std::to_string(*call.tokens) : "-", figure(call.ttft_ms, 2),
                           figure(call.tokens_per_second, 2), figure(call.total_ms, 1));
    }
    out += '\n';
    add_data(out, report.data);
    add_analysis(out, report.result);
    out +=
        fmt::format("## Report\n\n{}", trimmed(report.text).empty() ? "The reply was empty.\n" : as_part(report.text));
    return out;
}

} // namespace chimera::host
