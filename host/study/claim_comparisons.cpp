// Claims that say which of several is ahead, and whether it is.
#include "study/claim_judgement.hpp"

#include "statistics/equivalence.hpp"
#include "statistics/one_sided.hpp"
#include "statistics/two_samples.hpp"
#include "study/analysis.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace chimera::host {
namespace {

/// What an order calls the figure that is first in it.
bool highest_first(place_in_order place, const std::string& metric) {
    switch (place) {
    case place_in_order::highest:
    case place_in_order::least_stable:
        return true;
    case place_in_order::lowest:
    case place_in_order::most_stable:
        return false;
    case place_in_order::best:
        return better_of(metric) != better::lower;
    case place_in_order::worst:
        break;
    }
    return better_of(metric) == better::lower;
}

std::string words_of(place_in_order place) {
    std::string out(word_of(place));
    std::ranges::replace(out, '_', ' ');
    return out;
}

struct placed {
    std::string name;
    double value = 0;
};

/// Subjects with a figure, from the first to the last.
std::vector<placed> in_order(const study& s, const std::vector<std::string>& subjects, const claim_spec& c,
                             const measure& by, bool highest) {
    std::vector<placed> out;
    for (const std::string& name : subjects)
        if (const auto value = figure_of(sample_of(s, name, c.metric), by)) out.push_back({full_name(s, name), *value});
    std::ranges::stable_sort(
        out, [highest](const placed& a, const placed& b) { return highest ? a.value > b.value : a.value < b.value; });
    return out;
}

/// From 1; subjects of equal figures share a place. 0: it is not there.
std::size_t place_of(const study& s, const std::vector<placed>& all, const std::string& subject) {
    const auto found = std::ranges::find_if(all, [&](const placed& p) { return same_runs(s, p.name, subject); });
    if (found == all.end()) return 0;
    const auto first = std::ranges::find(all, found->value, &placed::value);
    return static_cast<std::size_t>(first - all.begin()) + 1;
}

double value_of(const study& s, const std::vector<placed>& all, const std::string& subject) {
    return std::ranges::find_if(all, [&](const placed& p) { return same_runs(s, p.name, subject); })->value;
}

std::string listed(const std::vector<placed>& all) {
    std::string out;
    for (const placed& p : all) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", p.name, rounded(p.value));
    return out;
}

/// Why one of the subjects has no figure; empty: all have.
std::string missing_of(const study& s, const std::vector<std::string>& subjects, const claim_spec& c) {
    for (const std::string& name : subjects) {
        const subject_sample sample = sample_of(s, name, c.metric);
        if (!sample.missing.empty()) return sample.missing;
        if (!figure_of(sample, c.by)) return fmt::format("{} has too few runs for the {}.", name, words_of(c.by));
    }
    return "";
}

std::vector<std::string> rivals_for(const study& s, const claim_spec& c, const std::string& subject) {
    return c.among.empty() ? rivals_of(s, subject) : c.among;
}

/// An order of means may say something else than one of extremes.
void note_order_of_means(const study& s, const claim_spec& c, judged_claim& out) {
    constexpr measure mean_of_runs;
    const bool about_level = c.place != place_in_order::most_stable && c.place != place_in_order::least_stable;
    if (c.of.size() != 1 || !about_level || c.by == mean_of_runs) return;
    const auto all = in_order(s, rivals_for(s, c, c.of[0]), c, mean_of_runs, highest_first(c.place, c.metric));
    const std::size_t at = place_of(s, all, c.of[0]);
    if (at == 0 || (at == 1) == (out.verdict == claim_verdict::holds)) return;
    add_note(out, fmt::format("By the mean of all runs it is number {} of {}: {}.", at, all.size(), listed(all)));
}

std::string median_of(statistics::sample a) { return rounded(statistics::describe({a.begin(), a.end()}).p50); }

struct test_outcome {
    double difference = 0;
    std::optional<double> p_means, p_ranks;

    std::optional<double> deciding(deciding_test by) const { return by == deciding_test::welch ? p_means : p_ranks; }
};

/// The two-sided tests; for a margin above 0, one-sided ones of a difference beyond it.
test_outcome tested(const claim_spec& c, statistics::sample a, statistics::sample b) {
    test_outcome out;
    if (c.reference) {
        const auto t = statistics::one_sample(a, c.reference->value);
        out.difference = statistics::moments_of(a).mean - c.reference->value;
        if (t) out.p_means = t->p;
        return out;
    }
    out.difference = statistics::moments_of(a).mean - statistics::moments_of(b).mean;
    if (const auto t = statistics::welch(a, b)) out.p_means = t->p;
    if (const auto u = statistics::mann_whitney(a, b)) out.p_ranks = u->p;
    return out;
}

std::string p_words(const char* name, std::optional<double> p) {
    return p ? fmt::format("{} p {:.2g}", name, *p) : fmt::format("no {}", name);
}

std::string outcome_words(const study& s, const claim_spec& c, const test_outcome& t) {
    const std::string unit = unit_of_difference(s, c.metric);
    std::string out =
        fmt::format("{}{}{}{}", t.difference > 0 ? "+" : "", rounded(t.difference), unit.empty() ? "" : " ", unit);
    out += ", " + p_words(c.reference ? "t test" : "Welch", t.p_means);
    if (!c.reference) out += ", " + p_words("U test", t.p_ranks);
    return out;
}

/// Which side is ahead: by the medians where ranks decide and the medians differ, else by the means.
int side_ahead(const claim_spec& c, const test_outcome& t, statistics::sample a, statistics::sample b) {
    double difference = t.difference;
    if (c.test == deciding_test::ranks) {
        const auto u = statistics::mann_whitney(a, b);
        if (u) difference = u->u - static_cast<double>(a.size()) * static_cast<double>(b.size()) / 2;
    }
    return difference > 0 ? 1 : difference < 0 ? -1 : 0;
}

/// p of a difference beyond the margin, up or down: one-sided, unless the claim says no direction.
std::optional<double> p_beyond_margin(const claim_spec& c, statistics::sample a, statistics::sample b, bool up) {
    using namespace statistics;
    std::optional<double> p;
    if (c.reference) {
        p = up ? p_above(a, c.reference->value, c.margin) : p_below(a, c.reference->value, c.margin);
    } else {
        if (!up) std::swap(a, b);
        p = c.test == deciding_test::ranks ? p_above_by_ranks(a, b, c.margin) : p_above(a, b, c.margin);
    }
    return p && c.says == relation::different ? std::optional(std::min(1.0, 2 * *p)) : p;
}

/// p of a difference beyond the margin, by the deciding test; nothing for too few runs.
std::optional<double> p_equivalent(const claim_spec& c, statistics::sample a, statistics::sample b) {
    if (c.test == deciding_test::ranks) return statistics::p_within_by_ranks(a, b, c.margin);
    const auto e = c.reference ? statistics::equivalence(a, c.reference->value, c.margin)
                               : statistics::equivalence(a, b, c.margin);
    return e ? std::optional(e->p) : std::nullopt;
}

void judge_pair(const study& s, const claim_spec& c, judged_claim& out) {
    const subject_sample a = sample_of(s, c.a, c.metric);
    const subject_sample b = c.reference ? subject_sample() : sample_of(s, c.b, c.metric);
    for (const subject_sample* side : {&a, &b})
        if (!side->missing.empty()) return give_up(out, side->missing);
    const test_outcome t = tested(c, a.runs, b.runs);
    out.found = outcome_words(s, c, t);
    if (c.says == relation::equivalent) {
        const auto p = p_equivalent(c, a.runs, b.runs);
        if (!p) return give_up(out, "Too few runs for a test.");
        const std::string unit = unit_of_difference(s, c.metric);
        out.found = fmt::format("{}{}, p {:.2g} of a difference beyond {} (TOST{})", t.difference > 0 ? "+" : "",
                                amount(t.difference, unit), *p, amount(c.margin, unit),
                                c.test == deciding_test::ranks ? " by ranks" : "");
        out.verdict = *p < c.level ? claim_verdict::holds : claim_verdict::wrong;
        return;
    }
    auto p = t.deciding(c.test);
    if (p && c.margin > 0 && c.says != relation::no_difference)
        p = p_beyond_margin(c, a.runs, b.runs, side_ahead(c, t, a.runs, b.runs) > 0);
    if (!p) return give_up(out, "Too few runs for a test, or none of them vary.");
    const bool detected = *p < c.level;
    const int ahead = side_ahead(c, t, a.runs, b.runs);
    const int wanted = c.says == relation::higher ? 1 : c.says == relation::lower ? -1 : 0;
    if (c.says == relation::no_difference)
        out.verdict = detected ? claim_verdict::wrong : claim_verdict::holds;
    else if (!detected)
        out.verdict = claim_verdict::wrong;
    else if (wanted == 0 || ahead == wanted)
        out.verdict = claim_verdict::holds;
    else
        out.verdict = claim_verdict::other_sign;
    if (c.test == deciding_test::ranks)
        add_note(out, fmt::format("Medians {} and {}, means {} and {}.", median_of(a.runs), median_of(b.runs),
                                  rounded(statistics::moments_of(a.runs).mean),
                                  rounded(statistics::moments_of(b.runs).mean)));
    if (c.says == relation::no_difference && !detected) add_note(out, "No detectable difference is not equality.");
    if (c.says != relation::no_difference && !detected)
        add_note(out, fmt::format("No difference is detectable at the level {}.", c.level));
}

/// no_difference and equivalent, of every pair of several.
void judge_pairs(const study& s, const claim_spec& c, judged_claim& out) {
    std::vector<subject_sample> samples;
    for (const std::string& name : c.of) samples.push_back(sample_of(s, name, c.metric));
    for (const subject_sample& sample : samples)
        if (!sample.missing.empty()) return give_up(out, sample.missing);
    std::vector<double> p;
    std::vector<std::string> pairs;
    for (std::size_t i = 0; i < samples.size(); ++i)
        for (std::size_t k = i + 1; k < samples.size(); ++k) {
            statistics::sample a = samples[i].runs, b = samples[k].runs;
            const auto of_pair =
                c.says == relation::equivalent ? p_equivalent(c, a, b) : tested(c, a, b).deciding(c.test);
            if (!of_pair) return give_up(out, fmt::format("Too few runs of {} or {} for a test.", c.of[i], c.of[k]));
            p.push_back(*of_pair);
            pairs.push_back(fmt::format("{} and {}", c.of[i], c.of[k]));
        }
    if (c.says == relation::equivalent) { // every pair must be shown, so none needs a correction
        const auto shown = std::ranges::count_if(p, [&c](double of_pair) { return of_pair < c.level; });
        const auto worst = std::ranges::max_element(p);
        out.found = fmt::format("{} of {} pairs shown to be within {}", shown, p.size(),
                                amount(c.margin, unit_of_difference(s, c.metric)));
        out.verdict = shown == static_cast<std::ptrdiff_t>(p.size()) ? claim_verdict::holds : claim_verdict::wrong;
        add_note(out, fmt::format("The largest p is {:.2g}, of {}.", *worst,
                                  pairs[static_cast<std::size_t>(worst - p.begin())]));
        return;
    }
    const std::vector<double> corrected = statistics::holm(p);
    const auto least = std::ranges::min_element(corrected);
    out.found = fmt::format("smallest p {:.2g} after Holm, of {}", *least,
                            pairs[static_cast<std::size_t>(least - corrected.begin())]);
    out.verdict = *least < c.level ? claim_verdict::wrong : claim_verdict::holds;
    if (out.verdict == claim_verdict::holds) add_note(out, "No detectable difference is not equality.");
}

} // namespace

void judge_between(const study& s, const claim_spec& c, judged_claim& out) {
    const std::string unit = unit_of_figure(s, c.metric, c.by);
    out.about = fmt::format("{} of {}, {}", c.metric, fmt::join(c.of, ", "), words_of(c.by));
    out.unit = unit;
    out.said = fmt::format("{} to {}{}{}", rounded(*c.low), rounded(*c.high), unit.empty() ? "" : " ", unit);
    if (const std::string why = missing_of(s, c.of, c); !why.empty()) return give_up(out, why);
    const auto all = in_order(s, c.of, c, c.by, false);
    out.found = fmt::format("{} to {}{}{}", rounded(all.front().value), rounded(all.back().value),
                            unit.empty() ? "" : " ", unit);
    std::vector<placed> outside;
    for (const placed& p : all)
        if (p.value < *c.low - c.tolerance || p.value > *c.high + c.tolerance) outside.push_back(p);
    out.verdict = outside.empty() ? claim_verdict::holds : claim_verdict::wrong;
    if (!outside.empty()) add_note(out, fmt::format("Outside: {}.", listed(outside)));
}

void judge_order(const study& s, const claim_spec& c, judged_claim& out) {
    out.about = fmt::format("{}, {}", c.metric, words_of(c.by));
    out.said = fmt::format("{}: {}", words_of(c.place), fmt::join(c.of, ", "));
    if (const std::string why = missing_of(s, c.of, c); !why.empty()) return give_up(out, why);
    if ((c.place == place_in_order::best || c.place == place_in_order::worst) && better_of(c.metric) == better::neither)
        return give_up(out, fmt::format("{} has no better way.", c.metric));
    std::size_t first = 0;
    std::string found;
    for (const std::string& subject : c.of) {
        const auto all = in_order(s, rivals_for(s, c, subject), c, c.by, highest_first(c.place, c.metric));
        const std::size_t at = place_of(s, all, subject);
        if (at == 0) return give_up(out, fmt::format("{} is not among those that are put in order.", subject));
        first += at == 1;
        if (!found.empty()) found += "; ";
        found += fmt::format("{}: {} {}", words_of(c.place), all.front().name, rounded(all.front().value));
        if (at > 1)
            found += fmt::format("; {} is number {} of {} ({})", full_name(s, subject), at, all.size(),
                                 rounded(value_of(s, all, subject)));
    }
    out.found = c.of.size() > 1 ? fmt::format("true of {} of {}", first, c.of.size()) : found;
    if (c.of.size() > 1) add_note(out, sentence_of(found));
    out.verdict = first == c.of.size() ? claim_verdict::holds : claim_verdict::wrong;
    note_order_of_means(s, c, out);
}

void judge_ranking(const study& s, const claim_spec& c, judged_claim& out) {
    out.about = fmt::format("{}, {}", c.metric, words_of(c.by));
    out.said = fmt::format("{} first: {}", words_of(c.place), fmt::join(c.of, ", "));
    if (const std::string why = missing_of(s, c.of, c); !why.empty()) return give_up(out, why);
    const auto all = in_order(s, c.of, c, c.by, highest_first(c.place, c.metric));
    out.found = listed(all);
    bool holds = true;
    for (std::size_t i = 1; i < c.of.size(); ++i) // equal figures may stand in either order
        holds = holds && place_of(s, all, c.of[i - 1]) <= place_of(s, all, c.of[i]);
    out.verdict = holds ? claim_verdict::holds : claim_verdict::wrong;
}

void judge_test(const study& s, const claim_spec& c, judged_claim& out) {
    std::string said(word_of(c.says));
    std::ranges::replace(said, '_', ' ');
    out.said = said;
    if (c.margin > 0) out.said += ", margin " + amount(c.margin, unit_of_difference(s, c.metric));
    if (!c.of.empty()) {
        out.about = fmt::format("{} of {}", c.metric, fmt::join(c.of, ", "));
        return judge_pairs(s, c, out);
    }
    out.about = fmt::format("{} of {} against {}", c.metric, c.a, c.reference ? c.reference->name : c.b);
    judge_pair(s, c, out);
}

} // namespace chimera::host
