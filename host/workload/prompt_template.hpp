#pragma once

#include "workload/analysis.hpp"
#include "workload/data_summary.hpp"

#include <cstddef>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chimera::host {

/// A template that cannot be used. The message begins with "file:line:column: ".
struct template_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Text with {{name}} placeholders. A name has letters, digits and underscores; blanks around it are ignored; "\{{" is
/// a literal "{{". Immutable, so threads may share it.
class prompt_template {
  public:
    using values = std::vector<std::pair<std::string_view, std::string_view>>;

    /// origin: the file's name, for messages. Throws template_error for a placeholder that is malformed or not in
    /// `known`.
    prompt_template(std::string origin, std::string_view text, std::span<const std::string_view> known);

    /// The text with each placeholder replaced, in one pass: braces in a value stay as they are. Throws template_error
    /// for a placeholder without a value.
    std::string render(const values& by_name) const;

  private:
    struct piece {
        std::string text; ///< literal text, or the name of a placeholder
        bool is_placeholder = false;
        std::size_t line = 1, column = 1;
    };

    std::string origin_;
    std::vector<piece> pieces_;
};

/// Reads a template from a file. Throws template_error, also if the file cannot be read.
prompt_template load_prompt_template(const std::filesystem::path& path, std::span<const std::string_view> known);

/// A template that is part of the binary: host/workload/prompts/<name>.md.
struct builtin_prompt {
    std::string_view name, text;
};
const std::vector<builtin_prompt>& builtin_prompts();

/// The size that an analysis prompt is made to fit: 1000 tokens of about 4 bytes.
inline constexpr std::size_t analysis_prompt_bytes = 4000;
/// The least size of the data summary, even in a long template.
inline constexpr std::size_t least_data_summary_bytes = 1000;

/// The template of an agent's analysis prompt: `file`; if that is empty, the built-in <agent_id>_analysis.md
/// (collector, insight); if there is none, analysis.md. Placeholders: agent_label, model, data_summary. Throws
/// template_error.
prompt_template analysis_template(const std::filesystem::path& file, std::string_view agent_id);

/// The template of the report prompt: `file`; if that is empty, the built-in report.md. Placeholders: agent_label,
/// model, summary, findings, metrics, recommendations. Throws template_error.
prompt_template report_template(const std::filesystem::path& file);

std::string make_analysis_prompt(const prompt_template& text, std::string_view agent_label, std::string_view model,
                                 const data_summary& data);

/// The prompt contains all of the analysis. A part that the reply did not have reads "(none)".
std::string make_report_prompt(const prompt_template& text, std::string_view agent_label, std::string_view model,
                               const analysis& result);

} // namespace chimera::host
