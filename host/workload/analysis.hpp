#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::host {

struct named_value {
    std::string name;
    std::string value; ///< as the model wrote it; may be empty
};

enum class reply_shape : std::uint8_t {
    markdown, ///< sections under headings
    object,   ///< an object, bare or fenced
    plain,    ///< neither: only a summary was taken from it
};

/// A model's reply to the analysis prompt, taken apart.
struct analysis {
    std::string summary;
    std::vector<std::string> findings;
    std::vector<named_value> metrics;
    std::vector<std::string> recommendations;
    reply_shape shape = reply_shape::plain;
    bool summary_is_fallback = false; ///< no section is a summary: it is the reply's first paragraph
};

/// Reads a reply of any form; never fails. Sections are recognised by their headings: Summary, Key Findings, Insights,
/// Metrics, Recommendations, Next steps, ..., written as "## X", "**X**", "X:" or "1. **X**". Lists may have bullets or
/// numbers, or be paragraphs or (metrics) tables. JSON replies have the same names as keys. A <think> block at the
/// beginning is ignored.
analysis parse_analysis(std::string_view reply);

} // namespace chimera::host
