#include "study/criteria.hpp"

#include "statistics/equivalence.hpp"
#include "statistics/two_samples.hpp"
#include "study/analysis.hpp"
#include "study/subjects.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace chimera::host {
namespace {

/// Student's test of each row that has enough runs against the reference, corrected over the rows.
void test_rows(const criterion_spec& c, const std::vector<subject_sample>& samples, std::vector<criterion_row>& rows) {
    std::vector<double> p;
    std::vector<criterion_row*> tested;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (!rows[i].value) continue;
        if (const auto one_sided = statistics::p_above(samples[i].runs, c.above->value, 0)) {
            p.push_back(*one_sided);
            tested.push_back(&rows[i]);
        } else {
            rows[i].missing = "a single run: no test";
        }
    }
    const std::vector<double> corrected = statistics::holm(p);
    for (std::size_t i = 0; i < tested.size(); ++i) {
        tested[i]->p_holm = corrected[i];
        tested[i]->met = corrected[i] < statistics::significance_level;
    }
}

std::string bar_words(const criterion_spec& c, const std::string& unit) {
    if (c.above) return fmt::format("above {} ({}) by more than chance", c.above->name, amount(c.above->value, unit));
    return c.at_least ? "at least " + amount(*c.at_least, unit) : "at most " + amount(*c.at_most, unit);
}

/// "0.3 points over it": how far a value is from the bar. at_most: the bar is a limit.
std::string distance_words(const judged_criterion& c, const criterion_row& r, const criterion_spec& spec) {
    const char* side =
        *r.over >= 0 ? (spec.at_most ? "below it" : "over it") : (spec.at_most ? "above it" : "short of it");
    return fmt::format("{} {}{}", amount(std::abs(*r.over), c.unit_of_over), side,
                       spec.above && *r.over > 0 && r.met == false ? ", but not by more than chance" : "");
}

std::string verdict_words(const judged_criterion& c, const criterion_spec& spec) {
    const bool every = spec.every;
    const auto count = [&c](bool met) {
        return std::ranges::count_if(c.rows, [met](const criterion_row& r) { return r.met == met; });
    };
    const auto met = count(true), missed = count(false);
    if (!c.met) {
        const auto unjudged = std::ranges::find(c.rows, std::optional<bool>(), &criterion_row::met);
        return sentence_of("not derivable: " + (unjudged == c.rows.end() ? "there is no runtime" : unjudged->missing));
    }
    std::string out = fmt::format("{}: {} of {} {} the bar", *c.met ? "Met" : "Missed", met, met + missed,
                                  met == 1 ? "clears" : "clear");
    const criterion_row* nearest = nullptr; // the best, or where all must clear it the worst
    for (const criterion_row& r : c.rows)
        if (r.over && (nearest == nullptr || (every ? *r.over < *nearest->over : *r.over > *nearest->over)))
            nearest = &r;
    if (nearest != nullptr)
        out += fmt::format("; {} {} is {}", every ? "the last," : "the first,", nearest->subject,
                           distance_words(c, *nearest, spec));
    return out + ".";
}

judged_criterion judged(const study& s, const criterion_spec& c) {
    judged_criterion out;
    out.id = c.id;
    out.statement = c.statement;
    out.unit = unit_of_metric(s, c.metric);
    out.unit_of_over = unit_of_difference(s, c.metric);
    out.about =
        fmt::format("{}, {}: {}, by {}", c.metric, words_of(c.by), bar_words(c, out.unit), c.every ? "every" : "any");
    std::vector<std::string> subjects = c.of;
    if (subjects.empty())
        for (const planned_runtime& r : s.runtimes) subjects.push_back(r.name);
    std::vector<subject_sample> samples;
    for (const std::string& name : subjects) {
        samples.push_back(sample_of(s, name, c.metric));
        criterion_row row;
        row.subject = name;
        row.missing = samples.back().missing;
        row.value = figure_of(samples.back(), c.by);
        if (!row.value && row.missing.empty()) row.missing = "too few runs for the " + words_of(c.by);
        if (row.value) {
            row.over = c.at_most ? *c.at_most - *row.value : *row.value - (c.above ? c.above->value : *c.at_least);
            if (!c.above) row.met = *row.over >= 0;
        }
        out.rows.push_back(std::move(row));
    }
    if (c.above) test_rows(c, samples, out.rows);
    const auto some = [&out](std::optional<bool> met) {
        return std::ranges::find(out.rows, met, &criterion_row::met) != out.rows.end();
    };
    if (some(c.every ? false : true)) // one that misses settles "every", one that meets settles "any"
        out.met = !c.every;
    else if (!out.rows.empty() && (c.every ? !some(std::nullopt) : some(false)))
        out.met = c.every;
    out.words = verdict_words(out, c);
    return out;
}

judged_reference held_against(const study& s, const reference_spec& r) {
    judged_reference out;
    out.name = r.name;
    out.what = r.what;
    out.metric = r.metric;
    out.value = r.value;
    out.unit = unit_of_metric(s, r.metric);
    out.unit_of_gap = unit_of_difference(s, r.metric);
    const aggregate best = better_of(r.metric) == better::lower ? aggregate::min : aggregate::max;
    std::vector<double> p;
    std::vector<std::size_t> tested;
    for (const planned_runtime& runtime : s.runtimes) {
        const subject_sample sample = sample_of(s, runtime.name, r.metric);
        if (sample.empty()) continue;
        reference_row row;
        row.runtime = runtime.name;
        row.n = sample.runs.size();
        row.mean = statistics::moments_of(sample.runs).mean;
        row.gap = row.mean - r.value;
        row.gap_of_best_config = *figure_of(sample, {best, sample_unit::configurations}) - r.value;
        row.gap_of_best_run = *figure_of(sample, {best, sample_unit::runs}) - r.value;
        if (const auto t = statistics::one_sample(sample.runs, r.value)) {
            row.ci95 = t->ci95;
            p.push_back(t->p);
            tested.push_back(out.rows.size());
        }
        out.rows.push_back(std::move(row));
    }
    const std::vector<double> corrected = statistics::holm(p);
    for (std::size_t i = 0; i < tested.size(); ++i) out.rows[tested[i]].p_holm = corrected[i];
    return out;
}

} // namespace

std::vector<judged_criterion> criteria_of(const study& s) {
    std::vector<judged_criterion> out;
    for (const question_set& questions : s.questions)
        for (const criterion_spec& c : questions.criteria) {
            out.push_back(judged(s, c));
            out.back().source = questions.source;
        }
    return out;
}

std::vector<judged_reference> references_of(const study& s) {
    std::vector<judged_reference> out;
    for (const question_set& questions : s.questions)
        for (const reference_spec& r : questions.references) {
            if (r.metric.empty()) continue;
            out.push_back(held_against(s, r));
            out.back().source = questions.source;
        }
    return out;
}

} // namespace chimera::host
