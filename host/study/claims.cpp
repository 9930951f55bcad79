#include "study/claims.hpp"
#include "study/analysis.hpp"

#include "questions/formula.hpp"
#include "statistics/two_samples.hpp"
#include "study/claim_judgement.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace chimera::host {
namespace {

/// Rounding in the last bit decides nothing.
constexpr double slack = 1e-9;

bool within(double a, double b, double tolerance) {
    return std::abs(a - b) <= tolerance + slack * std::max({1.0, std::abs(a), std::abs(b)});
}

/// How many decimals a figure of this tolerance was published with.
int decimals_of(double tolerance) {
    constexpr int most = 9;
    if (tolerance <= 0) return 4;
    return std::clamp(static_cast<int>(std::ceil(-std::log10(2 * tolerance) - slack)), 0, most);
}

/// "96.3 %", "$1000".
std::string with_decimals(double value, int decimals, const std::string& unit, bool sign) {
    if (std::abs(value) < 0.5 * std::pow(10.0, -decimals)) value = 0; // never "-0.0"
    const std::string size = fmt::format("{:.{}f}", std::abs(value), decimals);
    const std::string before = value < 0 ? "-" : sign && value > 0 ? "+" : "";
    if (unit == "$" || unit == "€" || unit == "£") return before + unit + size;
    return before + size + (unit.empty() ? "" : " " + unit);
}

/// Figures that are told from each other by the words of a report only: what it calls "peak" may be any of the first.
const std::vector<std::vector<measure>>& families() {
    using enum aggregate;
    constexpr auto runs = sample_unit::runs, configs = sample_unit::configurations;
    static const std::vector<std::vector<measure>> all{
        {{mean, runs}, {median, runs}, {max, runs}, {max, configs}, {min, runs}, {min, configs}},
        {{sd, runs}, {sd, configs}, {mean_sd, runs}},
        {{cv_pct, runs}, {cv_pct, configs}},
        {{q1, runs}, {q1, configs}},
        {{q3, runs}, {q3, configs}},
        {{ci95_low, runs}, {ci95_low, configs}},
        {{ci95_high, runs}, {ci95_high, configs}},
        {{range, runs}, {range, configs}}};
    return all;
}

std::vector<measure> others_like(const measure& m) {
    for (const auto& family : families())
        if (std::ranges::find(family, m) != family.end()) {
            std::vector<measure> out = family;
            std::erase(out, m);
            return out;
        }
    return {};
}

/// A figure that can be computed by several measures. Nothing where the sample is too small for it.
using recomputation = std::function<std::optional<double>(const measure&)>;

/// By which other figures of the same family a claim that fails would hold; and of an extreme that holds, the other
/// extreme that goes by its name.
void note_other_measures(const claim_spec& c, const recomputation& by, bool sign, judged_claim& out) {
    std::vector<std::string> holding;
    for (const measure& m : others_like(c.by)) {
        const auto value = by(m);
        if (!value) continue;
        const std::string figure = with_unit(*value, c.tolerance, out.unit, sign);
        if (out.verdict != claim_verdict::holds && within(*value, *c.published, c.tolerance))
            holding.push_back(fmt::format("the {} ({})", words_of(m), figure));
        if (out.verdict == claim_verdict::holds && m.how == c.by.how && m.over != c.by.over &&
            (m.how == aggregate::max || m.how == aggregate::min) && !within(*value, *c.published, c.tolerance))
            add_note(out, fmt::format("By the {} it is {}.", words_of(m), figure));
    }
    if (!holding.empty()) add_note(out, fmt::format("It holds for {}.", fmt::join(holding, ", and for ")));
}

/// signed_figure: a difference, whose sign says who is ahead.
void judge_figure(const claim_spec& c, const recomputation& by, bool signed_figure, judged_claim& out) {
    const auto value = by(c.by);
    if (!value) return give_up(out, "The sample is too small for this figure, or it would divide by 0.");
    const double published = *c.published;
    out.recomputed = *value;
    out.deviation = *value - published;
    out.found = with_unit(*value, c.tolerance, out.unit, signed_figure);
    const bool opposite = signed_figure && published * *value < 0;
    if (within(*value, published, c.tolerance))
        out.verdict = claim_verdict::holds;
    else
        out.verdict = opposite ? claim_verdict::other_sign : claim_verdict::wrong;
    if (out.verdict == claim_verdict::other_sign && within(-*value, published, c.tolerance))
        add_note(out, "The size is right and the sign is not.");
    note_other_measures(c, by, signed_figure, out);
}

/// The other configurations of the runtime that have the published figure, where the named one does not.
void note_whose_figure(const study& s, const claim_spec& c, const std::function<double(double)>& converted,
                       judged_claim& out) {
    if (out.verdict != claim_verdict::wrong || c.of[0].find('/') == std::string::npos) return;
    for (const std::string& rival : rivals_of(s, c.of[0])) {
        const auto value = figure_of(sample_of(s, rival, c.metric), c.by);
        if (!value || same_runs(s, rival, c.of[0]) || !within(converted(*value), *c.published, c.tolerance)) continue;
        add_note(out, fmt::format("It is the figure of {} ({}).", rival,
                                  with_unit(converted(*value), c.tolerance, out.unit)));
    }
}

void judge_value(const study& s, const claim_spec& c, judged_claim& out) {
    const bool speedup = c.kind == claim_kind::speedup;
    out.unit = speedup ? "x" : unit_of_figure(s, c.metric, c.by);
    out.about = fmt::format("{}{} of {}, {}", speedup ? "agents x " : "", c.metric, c.of[0], words_of(c.by));
    out.said = as_published(*c.published, c.tolerance, out.unit);
    const subject_sample sample = sample_of(s, c.of[0], c.metric);
    if (!sample.missing.empty()) return give_up(out, sample.missing);
    if (speedup && !sample.agents)
        return give_up(out, fmt::format("the runs of {} differ in their number of agents", c.of[0]));
    const double factor = speedup ? static_cast<double>(*sample.agents) / 100 : 1;
    const auto converted = [factor](double value) { return factor * value; };
    const recomputation by = [&](const measure& m) -> std::optional<double> {
        const auto value = figure_of(sample, m);
        return value ? std::optional(converted(*value)) : std::nullopt;
    };
    judge_figure(c, by, false, out);
    note_whose_figure(s, c, converted, out);
}

void judge_difference(const study& s, const claim_spec& c, judged_claim& out) {
    const std::string other = c.reference ? c.reference->name : c.b;
    out.about = fmt::format("{} of {} against {}, {}", c.metric, c.a, other, words_of(c.by));
    out.unit = c.kind == claim_kind::difference   ? unit_of_difference(s, c.metric)
               : c.kind == claim_kind::change_pct ? "%"
               : c.kind == claim_kind::ratio      ? "x"
                                                  : "";
    const bool sign = c.kind != claim_kind::ratio;
    out.said = as_published(*c.published, c.tolerance, out.unit, sign);
    const subject_sample a = sample_of(s, c.a, c.metric);
    const subject_sample b = c.reference ? subject_sample() : sample_of(s, c.b, c.metric);
    for (const subject_sample* side : {&a, &b})
        if (!side->missing.empty()) return give_up(out, side->missing);
    const recomputation by = [&](const measure& m) -> std::optional<double> {
        const auto x = figure_of(a, m), y = c.reference ? std::optional(c.reference->value) : figure_of(b, m);
        if (!x || !y || (c.kind != claim_kind::difference && *y == 0)) return std::nullopt;
        if (c.kind == claim_kind::difference) return *x - *y;
        return c.kind == claim_kind::ratio ? *x / *y : (*x - *y) / std::abs(*y) * 100;
    };
    judge_figure(c, by, sign, out);
}

void judge_effect(const study& s, const claim_spec& c, judged_claim& out) {
    out.about = fmt::format("Cohen's d of {}, {} against {}", c.metric, c.a, c.b);
    out.said = as_published(*c.published, c.tolerance, "", true);
    const subject_sample a = sample_of(s, c.a, c.metric), b = sample_of(s, c.b, c.metric);
    for (const subject_sample* side : {&a, &b})
        if (!side->missing.empty()) return give_up(out, side->missing);
    judge_figure(
        c, [&](const measure& m) { return m == c.by ? statistics::cohens_d(a.runs, b.runs) : std::nullopt; }, true,
        out);
}

void judge_success_rate(const study& s, const claim_spec& c, judged_claim& out) {
    out.about = fmt::format("configurations of {} with a better mean {} than {}", c.of[0], c.metric, c.baseline);
    out.unit = "%";
    out.said = as_published(*c.published, c.tolerance, out.unit);
    const auto mean_in = [&](const std::string& config) {
        return figure_of(sample_of(s, c.of[0] + "/" + config, c.metric), {});
    };
    const subject_sample base = sample_of(s, c.of[0] + "/" + c.baseline, c.metric);
    if (!base.missing.empty()) return give_up(out, base.missing);
    const double at_base = *figure_of(base, {});
    std::size_t others = 0, ahead = 0;
    for (const planned_configuration& config : s.configs) {
        const auto mean = mean_in(config.name);
        if (!mean || same_runs(s, c.of[0] + "/" + config.name, c.of[0] + "/" + c.baseline)) continue;
        ++others;
        ahead += better_of(c.metric) == better::lower ? *mean < at_base : *mean > at_base;
    }
    if (others == 0) return give_up(out, "There is no other configuration.");
    const double rate = static_cast<double>(ahead) / static_cast<double>(others) * 100;
    judge_figure(
        c, [&](const measure& m) { return m == c.by ? std::optional(rate) : std::nullopt; }, false, out);
    add_note(out, fmt::format("{} of {} are better; by chance alone about half would be.", ahead, others));
}

void judge_formula(const claim_spec& c, judged_claim& out) {
    std::string inputs;
    for (const auto& [name, value] : c.inputs)
        inputs += fmt::format("{}{} = {}", inputs.empty() ? "" : ", ", name, value);
    out.about = inputs.empty() ? c.formula : fmt::format("{}, with {}", c.formula, inputs);
    out.unit = c.unit;
    const bool sign = *c.published < 0;
    out.said = as_published(*c.published, c.tolerance, out.unit, sign);
    const auto value = evaluate(c.formula, [&](const std::string& name) {
        return std::ranges::find(c.inputs, name, &std::pair<std::string, double>::first)->second;
    });
    if (!value) return give_up(out, "The formula divides by 0, or has the root of a negative number.");
    judge_figure(
        c, [&](const measure& m) { return m == c.by ? value : std::nullopt; }, true, out);
    out.found = with_unit(*value, c.tolerance, out.unit, sign || *value < 0);
}

} // namespace

std::string with_unit(double value, double tolerance, const std::string& unit, bool sign) {
    return with_decimals(value, decimals_of(tolerance) + 1, unit, sign);
}

std::string as_published(double value, double tolerance, const std::string& unit, bool sign) {
    return with_decimals(value, decimals_of(tolerance), unit, sign);
}

std::string unit_of_figure(const study& s, const std::string& metric, const measure& m) {
    if (m.how == aggregate::count) return "";
    if (m.how == aggregate::cv_pct) return "%";
    const bool scatter = m.how == aggregate::sd || m.how == aggregate::mean_sd || m.how == aggregate::range;
    return scatter ? unit_of_difference(s, metric) : unit_of_metric(s, metric);
}

void add_note(judged_claim& out, const std::string& sentence) {
    if (sentence.empty()) return;
    if (!out.note.empty()) out.note += ' ';
    out.note += sentence;
}

void give_up(judged_claim& out, const std::string& why) {
    out.verdict = claim_verdict::not_derivable;
    add_note(out, sentence_of(why));
}

judged_claim judge(const study& s, const claim_spec& c) {
    judged_claim out;
    out.id = c.id;
    out.statement = c.statement;
    out.kind = c.kind;
    out.published = c.published;
    out.tolerance = c.tolerance;
    switch (c.kind) {
    case claim_kind::value:
    case claim_kind::speedup:
        judge_value(s, c, out);
        break;
    case claim_kind::difference:
    case claim_kind::change_pct:
    case claim_kind::ratio:
        judge_difference(s, c, out);
        break;
    case claim_kind::cohens_d:
        judge_effect(s, c, out);
        break;
    case claim_kind::success_rate_pct:
        judge_success_rate(s, c, out);
        break;
    case claim_kind::formula:
        judge_formula(c, out);
        break;
    case claim_kind::between:
        judge_between(s, c, out);
        break;
    case claim_kind::order:
        judge_order(s, c, out);
        break;
    case claim_kind::ranking:
        judge_ranking(s, c, out);
        break;
    case claim_kind::test:
        judge_test(s, c, out);
        break;
    }
    add_note(out, c.note);
    return out;
}

claims_report claims_of(const study& s) {
    claims_report out;
    for (const question_set& questions : s.questions)
        for (const claim_spec& c : questions.claims) {
            judged_claim judged = judge(s, c);
            judged.source = questions.source;
            switch (judged.verdict) {
            case claim_verdict::holds:
                ++out.holds;
                break;
            case claim_verdict::wrong:
                ++out.wrong;
                break;
            case claim_verdict::other_sign:
                ++out.other_sign;
                break;
            case claim_verdict::not_derivable:
                ++out.not_derivable;
                break;
            }
            out.claims.push_back(std::move(judged));
        }
    return out;
}

} // namespace chimera::host
