#include "study/hypotheses.hpp"

#include "statistics/equivalence.hpp"
#include "statistics/one_sided.hpp"
#include "statistics/power.hpp"
#include "statistics/two_samples.hpp"
#include "study/analysis.hpp"
#include "study/subjects.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace chimera::host {
namespace {

using statistics::sample;

constexpr double level = statistics::significance_level;
constexpr double wanted_power = 0.8;
constexpr std::size_t fewest_runs = 3;

/// The two sides of a hypothesis, and its one-sided tests.
class sides {
  public:
    sides(const hypothesis_spec& h, sample a, sample b) : h_(h), a_(a), b_(b) {
        by_ranks_ = !h.reference && h.test == deciding_test::ranks;
    }

    /// a - b is above the margin.
    std::optional<double> above(double margin) const {
        if (h_.reference) return statistics::p_above(a_, h_.reference->value, margin);
        return by_ranks_ ? statistics::p_above_by_ranks(a_, b_, margin) : statistics::p_above(a_, b_, margin);
    }
    /// a - b is below -margin.
    std::optional<double> below(double margin) const {
        if (h_.reference) return statistics::p_below(a_, h_.reference->value, margin);
        return by_ranks_ ? statistics::p_above_by_ranks(b_, a_, margin) : statistics::p_above(b_, a_, margin);
    }
    /// a - b lies beyond the margin on either side.
    std::optional<double> beyond(double margin) const {
        const auto up = above(margin), down = below(margin);
        return up && down ? std::optional(std::min(1.0, 2 * std::min(*up, *down))) : std::nullopt;
    }
    /// a - b lies within the margin: two one-sided tests.
    std::optional<double> within(double margin) const {
        const auto up = above(-margin), down = below(-margin);
        return up && down ? std::optional(std::max(*up, *down)) : std::nullopt;
    }

  private:
    const hypothesis_spec& h_;
    sample a_, b_;
    bool by_ranks_ = false;
};

struct two_p {
    std::optional<double> support, against;
};

two_p tested(const hypothesis_spec& h, const sides& both) {
    switch (h.direction) {
    case relation::higher:
        return {both.above(h.margin), both.below(-h.margin)};
    case relation::lower:
        return {both.below(h.margin), both.above(-h.margin)};
    case relation::different:
        return {both.beyond(h.margin), h.margin > 0 ? both.within(h.margin) : std::nullopt};
    case relation::no_difference: // never read
    case relation::equivalent:
        break;
    }
    return {both.within(h.margin), both.beyond(h.margin)};
}

statistics::spread spread_of(sample values) {
    const statistics::moments m = statistics::moments_of(values);
    return {m.n, m.variance()};
}

/// alpha: of one hypothesis, after the correction. One-sided tests have the power of two-sided ones at twice the level.
void add_power(judged_hypothesis& out, const hypothesis_spec& h, sample a, sample b, double alpha) {
    const bool one_sided = h.direction != relation::different;
    const double two_sided = one_sided ? 2 * alpha : alpha;
    const statistics::spread of_a = spread_of(a);
    if (of_a.variance == 0 && (h.reference || spread_of(b).variance == 0)) return; // of a t test; ranks decide
    const auto power = [&](double difference) {
        return h.reference ? statistics::power_of(of_a, difference, two_sided)
                           : statistics::power_of(of_a, spread_of(b), difference, two_sided);
    };
    const auto found_with = [&](double wanted) {
        return h.reference ? statistics::detectable_difference(of_a, two_sided, wanted)
                           : statistics::detectable_difference(of_a, spread_of(b), two_sided, wanted);
    };
    if (h.direction == relation::equivalent) {
        // Both tests reject at least as often as 1 minus the chances that either does not.
        out.power = std::max(0.0, 2 * power(h.margin) - 1);
        out.detectable = found_with((1 + wanted_power) / 2);
        return;
    }
    // A true difference has to lie beyond the margin by as much as it would have to lie beyond 0 without one.
    out.detectable = found_with(wanted_power);
    if (out.detectable) *out.detectable += h.margin;
    if (h.margin > 0) out.power = power(h.margin);
}

std::string relation_words(const judged_hypothesis& h) {
    const std::string margin = h.margin > 0 ? " by more than " + amount(h.margin, h.unit) : "";
    switch (h.direction) {
    case relation::higher:
        return fmt::format("{} is higher than {}{}", h.a, h.b, margin);
    case relation::lower:
        return fmt::format("{} is lower than {}{}", h.a, h.b, margin);
    case relation::different:
        return fmt::format("{} differs from {}{}", h.a, h.b, margin);
    case relation::no_difference:
    case relation::equivalent:
        break;
    }
    return fmt::format("{} and {} are within {} of each other", h.a, h.b, amount(h.margin, h.unit));
}

std::string opposite_words(const judged_hypothesis& h) {
    const std::string margin = amount(h.margin, h.unit);
    switch (h.direction) {
    case relation::higher:
        return h.margin > 0 ? fmt::format("{} is not higher than {} by {}", h.a, h.b, margin)
                            : fmt::format("{} is lower than {}", h.a, h.b);
    case relation::lower:
        return h.margin > 0 ? fmt::format("{} is not lower than {} by {}", h.a, h.b, margin)
                            : fmt::format("{} is higher than {}", h.a, h.b);
    case relation::different:
        return fmt::format("{} and {} are within {} of each other", h.a, h.b, margin);
    case relation::no_difference:
    case relation::equivalent:
        break;
    }
    return fmt::format("{} and {} differ by more than {}", h.a, h.b, margin);
}

std::string figures(const judged_hypothesis& h) {
    std::string out;
    if (h.test == deciding_test::ranks && h.median_a && h.median_b)
        out = fmt::format("medians {} and {}; ", rounded(*h.median_a), rounded(*h.median_b));
    out += fmt::format("difference of the means {}{}", *h.difference > 0 ? "+" : "", amount(*h.difference, h.unit));
    if (h.ci95) out += fmt::format(", 95 % interval {} to {}", rounded(h.ci95->low), rounded(h.ci95->high));
    return out;
}

std::string what_could_be_seen(const judged_hypothesis& h) {
    std::string out;
    constexpr double hardly = 0.005;
    if (h.direction == relation::equivalent) {
        if (h.power)
            out += *h.power < hardly
                       ? " Runs like these can hardly show it, even if there is no difference."
                       : fmt::format(
                             " If there is no difference, runs like these show it with a chance of at least {:.0f} %.",
                             *h.power * 100);
        if (h.detectable)
            out += fmt::format(" {} is the smallest margin that they can show with a chance of 80 %.",
                               amount(*h.detectable, h.unit));
        return out;
    }
    if (h.power)
        out += fmt::format(" If the true difference is {}, twice the margin, runs like these show it with a chance of "
                           "{:.0f} %.",
                           amount(2 * h.margin, h.unit), *h.power * 100);
    if (h.detectable)
        out += fmt::format(" {} is the smallest true difference with which they show it with a chance of 80 %.",
                           amount(*h.detectable, h.unit));
    return out;
}

std::string words_of(const judged_hypothesis& h) {
    switch (h.verdict) {
    case hypothesis_verdict::supported:
        return fmt::format("{} ({}; p {:.2g} after Holm).", relation_words(h), figures(h), *h.p_holm);
    case hypothesis_verdict::refuted:
        return fmt::format("{} ({}; p {:.2g} after Holm).", opposite_words(h), figures(h), *h.p_against_holm);
    case hypothesis_verdict::not_shown:
        return fmt::format("Neither that {} nor the opposite is shown ({}; p {:.2g} after Holm).{}", relation_words(h),
                           figures(h), *h.p_holm, what_could_be_seen(h));
    case hypothesis_verdict::too_few_runs:
        return h.n_a < fewest_runs || (h.n_b > 0 && h.n_b < fewest_runs)
                   ? fmt::format("Too few runs: {} of {}{}; three are needed.", h.n_a, h.a,
                                 h.n_b > 0 ? fmt::format(" and {} of {}", h.n_b, h.b) : "")
                   : "No run differs from another, so what chance can do is not known.";
    case hypothesis_verdict::not_derivable:
        break;
    }
    return h.words; // the reason
}

/// Everything but what depends on the other hypotheses.
judged_hypothesis begun(const study& s, const hypothesis_spec& h, const subject_sample& a, const subject_sample& b) {
    judged_hypothesis out;
    out.id = h.id;
    out.statement = h.statement;
    out.metric = h.metric;
    out.unit = unit_of_difference(s, h.metric);
    out.a = h.a;
    out.b = h.reference ? h.reference->name : h.b;
    out.direction = h.direction;
    out.margin = h.margin;
    out.test = h.test;
    for (const subject_sample* side : {&a, &b})
        if (!side->missing.empty() && (side == &a || !h.reference)) {
            out.words = sentence_of(side->missing);
            return out;
        }
    const statistics::description of_a = statistics::describe(a.runs), of_b = statistics::describe(b.runs);
    out.n_a = of_a.n;
    out.n_b = of_b.n;
    out.mean_a = of_a.mean;
    out.median_a = of_a.p50;
    out.mean_b = h.reference ? h.reference->value : of_b.mean;
    if (!h.reference) out.median_b = of_b.p50;
    out.difference = *out.mean_a - *out.mean_b;
    out.verdict = hypothesis_verdict::too_few_runs;
    if (of_a.n < fewest_runs || (!h.reference && of_b.n < fewest_runs)) return out;
    if (h.reference) {
        const auto t = statistics::one_sample(a.runs, h.reference->value);
        if (!t || of_a.sd == 0) return out;
        out.p_means = t->p;
        out.ci95 = t->ci95;
    } else {
        if (h.test == deciding_test::welch && of_a.sd == 0 && of_b.sd == 0) return out;
        if (const auto t = statistics::welch(a.runs, b.runs)) {
            out.p_means = t->p;
            out.ci95 = t->ci95;
        }
        if (const auto u = statistics::mann_whitney(a.runs, b.runs)) out.p_ranks = u->p;
    }
    const sides both(h, a.runs, b.runs);
    const two_p p = tested(h, both);
    out.p = p.support;
    out.p_against = p.against;
    out.verdict = hypothesis_verdict::not_shown;
    return out;
}

/// Corrects one column of p over all hypotheses that have it.
void correct(std::vector<judged_hypothesis>& all, std::optional<double> judged_hypothesis::*raw,
             std::optional<double> judged_hypothesis::*corrected) {
    std::vector<double> p;
    for (const judged_hypothesis& h : all)
        if (h.*raw) p.push_back(*(h.*raw));
    const std::vector<double> after = statistics::holm(p);
    auto next = after.begin();
    for (judged_hypothesis& h : all)
        if (h.*raw) h.*corrected = *next++;
}

} // namespace

std::vector<judged_hypothesis> hypotheses_of(const study& s) {
    std::vector<judged_hypothesis> out;
    std::vector<const hypothesis_spec*> specs;
    std::vector<std::pair<subject_sample, subject_sample>> samples;
    for (const question_set& questions : s.questions)
        for (const hypothesis_spec& h : questions.hypotheses) {
            specs.push_back(&h);
            samples.emplace_back(sample_of(s, h.a, h.metric),
                                 h.reference ? subject_sample() : sample_of(s, h.b, h.metric));
            out.push_back(begun(s, h, samples.back().first, samples.back().second));
            out.back().source = questions.source;
        }
    correct(out, &judged_hypothesis::p, &judged_hypothesis::p_holm);
    correct(out, &judged_hypothesis::p_against, &judged_hypothesis::p_against_holm);
    const auto tests = std::ranges::count_if(out, [](const judged_hypothesis& h) { return h.p.has_value(); });
    for (std::size_t i = 0; i < out.size(); ++i) {
        judged_hypothesis& h = out[i];
        if (h.p) {
            h.level = level / static_cast<double>(tests);
            add_power(h, *specs[i], samples[i].first.runs, samples[i].second.runs, *h.level);
            if (*h.p_holm < level)
                h.verdict = hypothesis_verdict::supported;
            else if (h.p_against_holm && *h.p_against_holm < level)
                h.verdict = hypothesis_verdict::refuted;
        }
        h.words = words_of(h);
    }
    return out;
}

} // namespace chimera::host
