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
    if (!value) return "none";
    return std::abs(*value) == 1 && unit == "points" ? number(value) + " point" : number(value) + unit_after(unit);
}

std::string hypotheses(const study_report& report) {
    markdown_table verdicts({"hypothesis", "verdict", "what the data say"});
    markdown_table figures({"hypothesis", "A", "B", "n", "A - B", "95 % CI", "margin", "decided by", "p after Holm",
                            "p of the opposite", "Welch p", "U test p", "power", "detectable"});
    for (const judged_hypothesis& h : report.hypotheses) {
        verdicts.add({fmt::format("{}: {}", h.id, h.statement), with_spaces(word_of(h.verdict)), h.words});
        if (!h.difference) continue;
        figures.add({h.id, h.a, h.b, h.n_b > 0 ? fmt::format("{}, {}", h.n_a, h.n_b) : fmt::format("{}", h.n_a),
                     of_difference(h.difference, h.unit), range(h.ci95, {}, "none"),
                     h.margin > 0 ? of_difference(h.margin, h.unit) : "none", std::string(word_of(h.test)),
                     p_of(h.p_holm), p_of(h.p_against_holm), p_of(h.p_means), p_of(h.p_ranks), percent(h.power),
                     of_difference(h.detectable, h.unit)});
    }
    return part("Hypotheses", "", verdicts) +
           part(
               "Tests of the hypotheses",
               "p is one-sided, of a difference beyond the margin in the direction of the hypothesis (for "
               "\"different\" "
               "two-sided, for \"equivalent\" of two one-sided tests); Welch and U test beside it are two-sided, of no "
               "difference. Holm's correction is over all hypotheses. Power: the chance that "
               "runs like these show it if the true difference is twice the margin (for \"equivalent\": if there is "
               "none). Detectable: the smallest true difference with which they show it with a chance of 80 % (for "
               "\"equivalent\": the smallest margin), at the level after that correction.",
               figures);
}

std::string criteria(const study_report& report) {
    std::string out;
    for (const judged_criterion& c : report.criteria) {
        markdown_table t({"runtime", "value", "better than the bar by", "p after Holm", "verdict"});
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

/// A column of costs, and what is in it.
struct cost_column {
    const char* title;
    std::string (*cell)(const runtime_cost&, const cost_report&);
    bool (*has)(const runtime_cost&);
};

constexpr cost_column cost_columns[] = {
    {"tok/s", [](const runtime_cost& r, const cost_report&) { return number(r.throughput); },
     [](const runtime_cost& r) { return r.throughput.has_value(); }},
    {"a million tokens",
     [](const runtime_cost& r, const cost_report& c) { return money(r.per_million_tokens, c.currency); },
     [](const runtime_cost& r) { return r.per_million_tokens.has_value(); }},
    {"95 % CI",
     [](const runtime_cost& r, const cost_report& c) {
         return r.per_million_ci95 ? fmt::format("{} to {}", money(r.per_million_ci95->low, c.currency),
                                                 money(r.per_million_ci95->high, c.currency))
                                   : "none";
     },
     [](const runtime_cost& r) { return r.per_million_ci95.has_value(); }},
    {"a month", [](const runtime_cost& r, const cost_report& c) { return money(r.per_month, c.currency); },
     [](const runtime_cost& r) { return r.per_month.has_value(); }},
    {"saved a month",
     [](const runtime_cost& r, const cost_report& c) {
         return r.runtime == c.baseline ? "baseline" : money(r.saved_per_month, c.currency);
     },
     [](const runtime_cost& r) { return r.saved_per_month.has_value(); }},
    {"break-even, months",
     [](const runtime_cost& r, const cost_report&) {
         return r.break_even_months ? number(r.break_even_months) : std::string("none");
     },
     [](const runtime_cost& r) { return r.break_even_months.has_value(); }},
    {"a point of efficiency, a month",
     [](const runtime_cost& r, const cost_report& c) { return money(r.point_per_month, c.currency); },
     [](const runtime_cost& r) { return r.point_per_month.has_value(); }},
    {"note", [](const runtime_cost& r, const cost_report&) { return r.note; },
     [](const runtime_cost& r) { return !r.note.empty(); }},
};

/// With the columns that some runtime has.
std::string cost_table(const cost_report& c) {
    std::vector<const cost_column*> columns;
    std::vector<std::string> heading{"runtime"};
    for (const cost_column& column : cost_columns)
        if (std::ranges::any_of(c.runtimes, column.has)) {
            columns.push_back(&column);
            heading.emplace_back(column.title);
        }
    markdown_table t(heading);
    for (const runtime_cost& r : c.runtimes) {
        std::vector<std::string> cells{r.runtime};
        for (const cost_column* column : columns) cells.push_back(column->cell(r, c));
        t.add(std::move(cells));
    }
    return t.text();
}

} // namespace

std::string questions_markdown(const study_report& report) {
    return hypotheses(report) + criteria(report) + references(report);
}

std::string costs_markdown(const study_report& report) {
    std::string out;
    for (const cost_report& c : report.costs) {
        out += cost_table(c);
        markdown_table formulas({"figure", "how it came about", "formula", "inputs"});
        for (const cost_formula& f : c.formulas) formulas.add({f.figure, f.provenance, f.formula, f.inputs});
        out += formulas.text();
    }
    return out.empty() ? out
                       : "Estimated from the throughput and the prices of the file, not paid by anyone.\n\n" + out;
}

} // namespace chimera::host
