#include "workload/prompt_template.hpp"

#include "protocol/excerpt.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <initializer_list>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace chimera::host {

namespace {

bool is_name(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    });
}

constexpr std::array<std::string_view, 3> analysis_names{"agent_label", "model", "data_summary"};
constexpr std::array<std::string_view, 6> report_names{"agent_label", "model",   "summary",
                                                       "findings",    "metrics", "recommendations"};

const builtin_prompt* find_builtin(std::string_view name) {
    const auto& all = builtin_prompts();
    const auto found = std::find_if(all.begin(), all.end(), [&](const builtin_prompt& p) { return p.name == name; });
    return found == all.end() ? nullptr : &*found;
}

/// The first of these names that is built in.
prompt_template from_builtin(std::initializer_list<std::string_view> candidates,
                             std::span<const std::string_view> names) {
    for (const std::string_view candidate : candidates)
        if (const builtin_prompt* prompt = find_builtin(candidate))
            return {"prompts/" + std::string(prompt->name) + ".md", prompt->text, names};
    throw std::logic_error("a built-in prompt is missing");
}

std::string bullets(const std::vector<std::string>& items) {
    std::string out;
    for (const auto& item : items) out += (out.empty() ? "- " : "\n- ") + item;
    return out.empty() ? "(none)" : out;
}

} // namespace

prompt_template::prompt_template(std::string origin, std::string_view text, std::span<const std::string_view> known)
    : origin_(std::move(origin)) {
    std::string literal;
    std::size_t line = 1, line_begin = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::string_view rest = text.substr(at);
        if (rest.starts_with("\\{{")) {
            literal += "{{";
            at += 3;
        } else if (rest.starts_with("{{")) {
            const std::size_t column = at - line_begin + 1;
            const std::size_t end = std::min(rest.find("}}"), rest.find('\n'));
            if (end == std::string_view::npos || rest[end] == '\n') {
                throw template_error(fmt::format("{}:{}:{}: '{{{{' without '}}}}' on its line (write '\\{{{{' for a "
                                                 "literal '{{{{')",
                                                 origin_, line, column));
            }
            const std::string_view name = trimmed(rest.substr(2, end - 2));
            if (!is_name(name) || std::find(known.begin(), known.end(), name) == known.end()) {
                throw template_error(fmt::format("{}:{}:{}: unknown placeholder '{}' (known: {})", origin_, line,
                                                 column, name, fmt::join(known, ", ")));
            }
            if (!literal.empty()) pieces_.push_back({std::exchange(literal, {}), false, line, column});
            pieces_.push_back({std::string(name), true, line, column});
            at += end + 2;
        } else {
            literal += text[at++];
            if (literal.back() == '\n') {
                ++line;
                line_begin = at;
            }
        }
    }
    if (!literal.empty()) pieces_.push_back({std::move(literal), false, line, 1});
}

std::string prompt_template::render(const values& by_name) const {
    std::string out;
    for (const piece& part : pieces_) {
        if (!part.is_placeholder) {
            out += part.text;
            continue;
        }
        const auto value =
            std::find_if(by_name.begin(), by_name.end(), [&](const auto& v) { return v.first == part.text; });
        if (value == by_name.end()) {
            throw template_error(
                fmt::format("{}:{}:{}: no value for placeholder '{}'", origin_, part.line, part.column, part.text));
        }
        out += value->second;
    }
    return out;
}

prompt_template load_prompt_template(const std::filesystem::path& path, std::span<const std::string_view> known) {
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    // A folder can be opened; only the read fails.
    if (file.peek() != std::ifstream::traits_type::eof()) text << file.rdbuf();
    if (errno != 0 || !file.is_open() || file.bad()) {
        const std::string reason = std::generic_category().message(errno == 0 ? EIO : errno);
        throw template_error(fmt::format("{}: cannot read the prompt template: {}", path.string(), reason));
    }
    return {path.string(), text.str(), known};
}

prompt_template analysis_template(const std::filesystem::path& file, std::string_view agent_id) {
    if (!file.empty()) return load_prompt_template(file, analysis_names);
    const std::string own = std::string(agent_id) + "_analysis";
    return from_builtin({own, "analysis"}, analysis_names);
}

prompt_template report_template(const std::filesystem::path& file) {
    if (!file.empty()) return load_prompt_template(file, report_names);
    return from_builtin({"report"}, report_names);
}

std::string make_analysis_prompt(const prompt_template& text, std::string_view agent_label, std::string_view model,
                                 const data_summary& data) {
    const auto with = [&](std::string_view rendered) {
        return text.render({{"agent_label", agent_label}, {"model", model}, {"data_summary", rendered}});
    };
    const std::size_t around = std::min(with("").size(), analysis_prompt_bytes);
    return with(render(data, std::max(least_data_summary_bytes, analysis_prompt_bytes - around)));
}

std::string make_report_prompt(const prompt_template& text, std::string_view agent_label, std::string_view model,
                               const analysis& result) {
    std::vector<std::string> metrics;
    for (const auto& metric : result.metrics) {
        metrics.push_back(metric.value.empty() ? metric.name : metric.name + ": " + metric.value);
    }
    const std::string findings = bullets(result.findings);
    const std::string metric_list = bullets(metrics);
    const std::string recommendations = bullets(result.recommendations);
    return text.render({{"agent_label", agent_label},
                        {"model", model},
                        {"summary", result.summary.empty() ? std::string_view("(none)") : result.summary},
                        {"findings", findings},
                        {"metrics", metric_list},
                        {"recommendations", recommendations}});
}

} // namespace chimera::host
