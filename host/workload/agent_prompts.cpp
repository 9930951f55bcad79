#include "workload/agent_prompts.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <stdexcept>

namespace chimera::host {

namespace {

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
