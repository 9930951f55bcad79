// The parts that a Markdown report is made of.
#pragma once

#include "study/report.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::host {

/// What a figure that was not measured looks like.
inline constexpr const char* missing = "not measured";

/// A text as text: on one line, and nothing in it is markup, a link or HTML.
std::string markdown_text(std::string_view);

/// The report without its runs and distributions, every text of it through markdown_text().
study_report markdown_report(study_report);

/// A fenced block; the fence is longer than any in the lines.
std::string code_block(std::string_view language, const std::vector<std::string>& lines);

/// A number with its unit's digits: two decimals for "%", four significant digits or more otherwise; nothing:
/// `missing`.
std::string number(std::optional<double>, std::string_view unit = {});
std::string count(std::optional<std::size_t>);
/// "low to high".
std::string range(const std::optional<statistics::interval>&, std::string_view unit = {}, const char* absent = missing);

class markdown_table {
  public:
    explicit markdown_table(std::vector<std::string> heading) : columns_(heading.size()) { add(std::move(heading)); }

    /// Requires as many cells as the heading has.
    void add(std::vector<std::string> cells);
    bool empty() const { return rows_.size() == 1; }
    /// The table and an empty line.
    std::string text() const;

  private:
    std::size_t columns_;
    std::vector<std::string> rows_;
};

/// "Published claims: 71 judged: holds 40, ...", a paragraph; empty without claims.
std::string claims_line(const claims_report&);
/// The section of published claims, those that do not hold first; empty without claims.
std::string claims_markdown(const study_report&);

/// The sections of hypotheses, criteria and references, and of costs; empty without them.
std::string answers_markdown(const study_report&);
std::string costs_markdown(const study_report&);

/// The section "Results" of a report that markdown_report() made.
std::string results_markdown(const study_report&);

} // namespace chimera::host
