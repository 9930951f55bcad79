// The parts that a Markdown report is made of.
#pragma once

#include "study/analysis.hpp"

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

/// "### title", a sentence and a table; nothing where the table is empty.
std::string part(std::string_view title, std::string_view said, const markdown_table&);

// Of a report that markdown_report() made:

/// False for a study of single agents, which have no parallel efficiency.
bool is_about_agents_together(const study_report&);
/// The sections "Answer" and "Ground truth", which a report begins with.
std::string answer_markdown(const study_report&);
std::string recovery_table(const study_report&);
std::string ranked_table(const study_report&);
std::string stability_table(const study_report&);
std::string outlier_table(const study_report&);
std::string agent_tables(const study_report&);
std::string improvement_tables(const study_report&);
std::string order_tables(const study_report&);
std::string parity_table(const study_report&);
/// "Published claims: 71 judged: holds 40, ...", a paragraph; empty without claims.
std::string claims_line(const claims_report&);
/// The section of published claims, those that do not hold first; empty without claims.
std::string claims_markdown(const study_report&);

/// The sections of hypotheses, criteria and references, and of costs; empty without them.
std::string questions_markdown(const study_report&);
std::string costs_markdown(const study_report&);

/// The section "Results".
std::string results_markdown(const study_report&);

/// Of the same: growth of memory and latency in runs that last, and alerts that tripped. Empty where there are none.
std::string over_time_markdown(const study_report&);

} // namespace chimera::host
