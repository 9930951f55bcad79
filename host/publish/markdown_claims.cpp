#include "publish/markdown_parts.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace chimera::host {
namespace {

std::string with_spaces(std::string_view word) {
    std::string out(word);
    std::ranges::replace(out, '_', ' ');
    return out;
}

/// The claims with one of these verdicts.
std::string table_of(const claims_report& report, std::string_view title,
                     std::initializer_list<claim_verdict> verdicts) {
    const bool derived = std::ranges::find(verdicts, claim_verdict::not_derivable) == verdicts.end();
    markdown_table t(derived ? std::vector<std::string>{"statement", "published", "recomputed", "verdict", "note"}
                             : std::vector<std::string>{"statement", "published", "why"});
    for (const judged_claim& c : report.claims) {
        if (std::ranges::find(verdicts, c.verdict) == verdicts.end()) continue;
        if (derived)
            t.add({c.statement, c.said, c.kind == claim_kind::formula ? c.found + " (arithmetic)" : c.found,
                   with_spaces(word_of(c.verdict)), c.note});
        else
            t.add({c.statement, c.said, c.note});
    }
    return t.empty() ? "" : fmt::format("### {}\n\n{}", title, t.text());
}

} // namespace

std::string claims_line(const claims_report& report) {
    if (report.claims.empty()) return "";
    return fmt::format("Published claims: {} judged: holds {}, wrong {}, other sign {}, not derivable {}.\n\n",
                       report.claims.size(), report.holds, report.wrong, report.other_sign, report.not_derivable);
}

std::string claims_markdown(const study_report& report) {
    const claims_report& c = report.claims;
    if (c.claims.empty()) return "";
    using enum claim_verdict;
    const bool arithmetic = std::ranges::find(c.claims, claim_kind::formula, &judged_claim::kind) != c.claims.end();
    return std::string(arithmetic ? "Arithmetic: computed from other published figures, not from runs.\n\n" : "") +
           table_of(c, "Claims that do not hold", {wrong, other_sign}) + table_of(c, "Claims that hold", {holds}) +
           table_of(c, "Claims that cannot be judged", {not_derivable});
}

} // namespace chimera::host
