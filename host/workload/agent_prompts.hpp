#pragma once

#include "workload/analysis.hpp"
#include "workload/data_summary.hpp"
#include "workload/prompt_template.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace chimera::host {

/// An analysis prompt is made to fit this: 1000 tokens of about 4 bytes.
inline constexpr std::size_t analysis_prompt_bytes = 4000;
/// The data summary gets at least this much, however long the template around it is.
inline constexpr std::size_t least_data_summary_bytes = 1000;

/// The template of an agent's analysis prompt: `file`, or with an empty one the built-in <agent_id>_analysis.md if
/// there is one (collector, insight), otherwise analysis.md. Placeholders: agent_label, model, data_summary. Throws
/// template_error.
prompt_template analysis_template(const std::filesystem::path& file, std::string_view agent_id);

/// The template of the report prompt: `file`, or with an empty one the built-in report.md. Placeholders: agent_label,
/// model, summary, findings, metrics, recommendations. Throws template_error.
prompt_template report_template(const std::filesystem::path& file);

std::string make_analysis_prompt(const prompt_template& text, std::string_view agent_label, std::string_view model,
                                 const data_summary& data);

/// Carries the analysis whole; a part that the reply did not have reads "(none)".
std::string make_report_prompt(const prompt_template& text, std::string_view agent_label, std::string_view model,
                               const analysis& result);

} // namespace chimera::host
