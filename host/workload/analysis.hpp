#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::host {

struct named_value {
    std::string name;
    std::string value; ///< text as the model wrote it; empty when it gave none
};

enum class reply_shape : std::uint8_t {
    markdown, ///< sections under headings
    object,   ///< an object, bare or fenced
    plain,    ///< neither: only a summary was taken from it
};

/// What a model's reply to the analysis prompt says.
struct analysis {
    std::string summary;
    std::vector<std::string> findings;
    std::vector<named_value> metrics;
    std::vector<std::string> recommendations;
    reply_shape shape = reply_shape::plain;
    bool summary_is_fallback = false; ///< no summary was marked as such: it is the reply's first paragraph
};

/// Reads a reply, whatever its form; never fails. Sections are known by their headings (Summary, Key Findings,
/// Insights, Metrics, Recommendations, Next steps, ...; as "## X", "**X**", "X:" or "1. **X**"), lists may be bulleted,
/// numbered, paragraphs or, for metrics, tables. JSON replies have the same names as keys. A <think> block at the
/// beginning is passed over.
analysis parse_analysis(std::string_view reply);

} // namespace chimera::host
