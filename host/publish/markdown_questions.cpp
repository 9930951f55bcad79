// Hypotheses, criteria, references and costs.
#include "publish/markdown_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace chimera::host {
namespace {

std::string with_spaces(std::string_view word) {
    std::string out(word);
    std::ranges::replace(out, '_', ' ');
    return out;
}

std::string p_of(std::optional<double> p) { return p ? fmt::format("{:.2g}", *p) : "none"; }

std::string percent(std::optional<double> share) { return share ? fmt::format("{:.0f} %", *share * 100) : "no margin"; }

std::string unit_after(const std::string& unit) { return unit.empty() ? "" : " " + unit; }

std::string of_difference(std::optional<double> value, const std::string& unit) {
    return value ? number(value) + unit_after(unit) : "none";
}

std::string hypotheses(const study_report& report) {
    markdown_table verdicts({"hypothesis", "verdict", "what the data say"});
    markdown_table figures({"hypothesis", "A", "B", "n", "A - B", "95 % CI", "margin", "decided by", "p after Holm",
                            "p of the opposite", "Welch p", "U test p", "power at the margin", "detectable"});
    for (const judged_hypothesis& h : report.hypotheses) {
        verdicts.add({fmt::format("{}: {}", h.id, h.statement), with_spaces(word_of(h.verdict)), h.words});
        if (!h.difference) continue;
        figures.add({h.id, h.a, h.b, h.n_b > 0 ? fmt::format("{}, {}", h.n_a, h.n_b) : fmt::format("{}", h.n_a),
                     of_difference(h.difference, h.unit), range(h.ci95, {}, "none"),
                     h.margin > 0 ? number(h.margin) + unit_after(h.unit) : "none", std::string(word_of(h.test)),
                     p_of(h.p_holm), p_of(h.p_against_holm), p_of(h.p_means), p_of(h.p_ranks),
                     percent(h.power_at_margin), of_difference(h.detectable, h.unit)});
    }
    return part("Hypotheses", "", verdicts) +
           part(
               "Tests of the hypotheses",
               "p is one-sided, of a difference beyond the margin in the direction of the hypothesis (for "
               "\"different\" "
               "two-sided, for \"equivalent\" of two one-sided tests); Welch and U test beside it are two-sided, of no "
               "difference. Holm's correction is over all hypotheses. Detectable: the smallest true difference that "
               "runs "
               "like these find with a chance of 80 %, at the level after that correction.",
               figures);
}

std::string criteria(const study_report& report) {
    std::string out;
    for (const judged_criterion& c : report.criteria) {
        markdown_table t({"runtime", "value", "over the bar", "p after Holm", "verdict"});
        for (const criterion_row& r : c.rows)
            t.add({r.subject, r.value ? number(r.value, c.unit == "%" ? "%" : "") + unit_after(c.unit) : r.missing,
                   of_difference(r.over, c.unit_of_over), p_of(r.p_holm),
                   r.met ? (*r.met ? "met" : "missed") : "not derivable"});
        out += part("Criterion: " + c.statement, fmt::format("{}. {}", c.about, c.words), t);
    }
    return out;
}

std::string references(const study_report& report) {
    markdown_table t({"reference", "runtime", "n", "mean", "mean - reference", "95 % CI", "p after Holm",
                      "best configuration - reference", "best run - reference"});
    for (const judged_reference& r : report.references)
        for (const reference_row& row : r.rows)
            t.add({fmt::format("{}: {}{} ({})", r.name, number(r.value), unit_after(r.unit), r.metric), row.runtime,
                   fmt::format("{}", row.n), number(row.mean, r.unit == "%" ? "%" : ""),
                   of_difference(row.gap, r.unit_of_gap), range(row.ci95, {}, "none"), p_of(row.p_holm),
                   of_difference(row.gap_of_best_config, r.unit_of_gap),
                   of_difference(row.gap_of_best_run, r.unit_of_gap)});
    std::string what;
    for (const judged_reference& r : report.references)
        if (!r.rows.empty()) what += fmt::format("{}{} is {}.", what.empty() ? "" : " ", r.name, r.what);
    return part("Against published values", what, t);
}

std::string money(std::optional<double> value, const std::string& currency) {
    if (!value) return missing;
    const bool negative = *value < 0;
    const double size = std::abs(*value);
    return fmt::format("{}{}{}", negative ? "-" : "", currency,
                       size >= 100 ? fmt::format("{:.0f}", size) : fmt::format("{:.4g}", size));
}

} // namespace

std::string questions_markdown(const study_report& report) {
    return hypotheses(report) + criteria(report) + references(report);
}

std::string costs_markdown(const study_report& report) {
    std::string out;
    for (const cost_report& c : report.costs) {
        markdown_table t({"runtime", "tok/s", "a million tokens", "95 % CI", "a month", "saved a month",
                          "break-even, months", "a point of efficiency, a month", "note"});
        for (const runtime_cost& r : c.runtimes)
            t.add({r.runtime, number(r.throughput), money(r.per_million_tokens, c.currency),
                   r.per_million_ci95 ? fmt::format("{} to {}", money(r.per_million_ci95->low, c.currency),
                                                    money(r.per_million_ci95->high, c.currency))
                                      : "none",
                   money(r.per_month, c.currency),
                   r.runtime == c.baseline ? "baseline" : money(r.saved_per_month, c.currency),
                   r.break_even_months ? number(r.break_even_months) : "none", money(r.point_per_month, c.currency),
                   r.note});
        markdown_table formulas({"figure", "how it came about", "formula", "inputs"});
        for (const cost_formula& f : c.formulas) formulas.add({f.figure, f.provenance, f.formula, f.inputs});
        out += t.text() + formulas.text();
    }
    return out.empty() ? out
                       : "Estimated from the throughput and the prices of the file, not paid by anyone.\n\n" + out;
}

} // namespace chimera::host
