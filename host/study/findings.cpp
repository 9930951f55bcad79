#include "study/analysis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace chimera::host {
namespace {

using sentences = std::vector<std::string>;
using results = std::vector<const runtime_report*>;

/// size: points of the agents' time, or percent of the metric, that it is about. The largest is said first.
struct finding {
    double size;
    std::string text;
};
using findings = std::vector<finding>;

constexpr double first_of_all = std::numeric_limits<double>::infinity(), without_size = 0;

std::string names_of(const results& rs) {
    sentences names;
    for (const runtime_report* r : rs) names.push_back(r->name);
    return listed(names);
}

std::optional<double> mean_of(const results& rs, figure f) { return mean_over(rs, name_of(f)); }

/// Lowest and highest mean of a metric over runtimes, as "88.4 to 90.5"; one number where they are alike.
std::string range_of(const results& rs, figure f, const char* format) {
    std::vector<std::string> texts;
    std::vector<double> means;
    for (const runtime_report* r : rs)
        if (const auto mean = r->mean(f)) means.push_back(*mean);
    if (means.empty()) return "not measured";
    const std::string low = fmt::format(fmt::runtime(format), std::ranges::min(means)),
                      high = fmt::format(fmt::runtime(format), std::ranges::max(means));
    return low == high ? low : low + " to " + high;
}

/// The estimate is blind to contention; whoever reads it for an efficiency is told first.
void say_what_is_estimated(const study& s, const study_report& report, const results& rs, findings& out) {
    const auto estimate = mean_of(rs, metric::estimated_efficiency), imbalance = mean_of(rs, metric::imbalance);
    if (headline_of(s) == name_of(metric::efficiency) || !estimate) return;
    std::string text =
        fmt::format("Published as efficiency: sum(C) / (N W), {} %. It takes the durations C from the "
                    "concurrent run itself and cannot see contention: if the agents slowed each other down "
                    "to half speed, it would be the same.",
                    range_of(rs, metric::estimated_efficiency, "{:.1f}"));
    if (imbalance)
        text += fmt::format(
            " Of the {:.2f} points that it lacks to 100 %, {:.2f} are agents of unequal length, which is the "
            "workload's doing; the client can have lost {} points at most.",
            100 - *estimate, *imbalance, range_of(rs, metric::remainder, "{:.4f}"));
    if (const auto loads = load_imbalance_of(s, rs); loads && loads->runs > 0)
        text += fmt::format(
            " {:.2f} of these points are {} runs in which one server loaded its model for seconds more than "
            "the other.",
            loads->points, loads->runs);
    if (!report.recovery) text += " Efficiency, speedup and contention were not measured.";
    out.push_back({100 - *estimate, std::move(text)});
}

void say_what_was_recovered(const study_report& report, const results& rs, findings& out) {
    if (!report.recovery) return;
    const recovery_report& r = *report.recovery;
    sentences each;
    for (const recovered_runtime& runtime : r.runtimes) {
        if (!runtime.warm.mean_pct) continue;
        std::string text = fmt::format("{} {:.1f} %", runtime.runtime, *runtime.warm.mean_pct);
        if (runtime.warm.ci95_pct)
            text += fmt::format(" ({:.1f} to {:.1f})", runtime.warm.ci95_pct->low, runtime.warm.ci95_pct->high);
        each.push_back(std::move(text));
    }
    if (each.empty()) return;
    const double recovered = mean_of(rs, metric::recovered_efficiency).value_or(0);
    out.push_back(
        {100 - recovered,
         fmt::format(
             "The parallel efficiency, recovered from {} serialized runs of {}, is {}{}: side by side, all agents "
             "together get {:.0f} tok/s; one after the other they get {:.0f}.",
             r.warm_serialized_runs, listed(r.from), listed(each),
             r.loads_known ? " in warm runs (95 % intervals)" : " (95 % intervals)", r.together_tok_s,
             r.in_turn_tok_s)});
}

void say_where_the_loss_goes(const study& s, const results& rs, findings& out) {
    const auto reached = mean_of(rs, metric::efficiency), imbalance = mean_of(rs, metric::imbalance);
    if (headline_of(s) != name_of(metric::efficiency) || !reached || !imbalance) return;
    const double lost = 100 - *reached;
    std::string text =
        fmt::format("{}: {:.2f} points {} 100 %. Imbalance carries {:.2f}: agents of unequal length, which is "
                    "the workload's doing and no runtime's.",
                    names_of(rs), std::abs(lost), lost < 0 ? "above" : "short of", *imbalance);
    if (const auto late = mean_of(rs, metric::late_start)) text += fmt::format(" Late start carries {:.3g}.", *late);
    const auto inflation = mean_of(rs, metric::inflation), server = mean_of(rs, metric::inflation_server);
    if (inflation && server)
        text += fmt::format(" Inflation carries {:.3g}: the server {:.3g}, the client {:.3g}.", *inflation, *server,
                            *inflation - *server);
    else if (inflation)
        text += fmt::format(" Inflation carries {:.3g}.", *inflation);
    out.push_back({std::abs(lost), std::move(text)});
}

/// The pairs of one metric between runtimes whose agents ran side by side.
struct metric_pairs {
    std::string metric, unit;
    std::vector<const comparison_report*> all;
};

std::vector<metric_pairs> pairs_of(const results& rs, const std::vector<comparison_report>& comparisons) {
    const auto is_working = [&](const std::string& name) {
        return std::ranges::any_of(rs, [&](const runtime_report* r) { return r->name == name; });
    };
    std::vector<metric_pairs> out;
    for (const comparison_report& c : comparisons) {
        if (!is_working(c.a) || !is_working(c.b)) continue;
        if (out.empty() || out.back().metric != c.metric) out.push_back({c.metric, c.unit, {}});
        out.back().all.push_back(&c);
    }
    return out;
}

/// "smol-1kb 799.4, tokio-default 685.1, ...", the highest first.
std::string order_of(const metric_pairs& pairs, bool by_median) {
    std::vector<std::pair<double, std::string>> values;
    const auto add = [&](const std::string& name, double value) {
        if (std::ranges::find(values, name, &std::pair<double, std::string>::second) == values.end())
            values.emplace_back(value, name);
    };
    for (const comparison_report* c : pairs.all) {
        add(c->a, by_median ? c->median_a : c->mean_a);
        add(c->b, by_median ? c->median_b : c->mean_b);
    }
    std::ranges::sort(values, std::ranges::greater());
    sentences out;
    for (const auto& [value, name] : values) out.push_back(fmt::format("{} {}", name, rounded(value)));
    return listed(out);
}

/// In points for percentages, else in percent of the smaller one.
double size_of(const metric_pairs& pairs, double a, double b) {
    if (pairs.unit == "%") return std::abs(a - b);
    const double less = std::min(std::abs(a), std::abs(b));
    return less == 0 ? without_size : std::abs(a - b) / less * 100;
}

/// One sentence for each metric, however many pairs differ.
void say_what_differs(const study& s, const metric_pairs& pairs, findings& out) {
    double size = 0, least_p = 1, largest_p = 0;
    std::size_t by_mean = 0, by_rank = 0, too_few = 0;
    double shown = 0;
    std::optional<statistics::interval> paired; // that the paired differences reach
    for (const comparison_report* c : pairs.all) {
        by_mean += c->detectable();
        by_rank += c->ranks_differ();
        too_few += c->verdict == statistics::verdict::too_few_runs;
        shown = std::max(shown, c->detectable_difference.value_or(0));
        if (c->paired && c->paired->ci95) {
            const auto& ci = *c->paired->ci95;
            paired = paired ? statistics::interval{std::min(paired->low, ci.low), std::max(paired->high, ci.high)} : ci;
        }
        if (!c->detectable() && !c->ranks_differ()) continue;
        const double p = c->detectable() ? c->p_holm : *c->mann_whitney->p_holm;
        least_p = std::min(least_p, p);
        largest_p = std::max(largest_p, p);
        size = std::max(size, c->detectable() ? size_of(pairs, c->mean_a, c->mean_b)
                                              : size_of(pairs, c->median_a, c->median_b));
    }
    const std::size_t n = pairs.all.size(), differ = by_mean + by_rank;
    const std::string label = label_of(pairs.metric), unit = unit_of_difference(pairs.unit);
    if (differ > 0) {
        const bool ranks = by_rank > by_mean;
        out.push_back(
            {size, fmt::format("{} differs in {} of {} pairs of runtimes: {} {}, highest first ({}, p {}{:.1g} "
                               "after Holm).",
                               label, differ, n, order_of(pairs, ranks), pairs.unit == "%" ? "%" : unit,
                               ranks ? "medians, U test" : "means, Welch's test",
                               differ > 1 ? fmt::format("{:.1g} to ", least_p) : "", largest_p)});
        return;
    }
    if (pairs.metric != choice_of(s)) return;
    if (too_few == n) {
        out.push_back({without_size, fmt::format("Too few runs to tell {} apart.", order_of(pairs, false))});
        return;
    }
    std::string text = fmt::format("No detectable difference in {} between runtimes: none of {} pairs, after Holm's "
                                   "correction",
                                   label, n);
    if (shown > 0) text += fmt::format("; a difference of {} {} would have shown", rounded(shown), unit);
    text += ".";
    if (paired)
        text +=
            fmt::format(" Paired run by run, on the same requests, their differences lie between {:.2f} and {:.2f} {} "
                        "(95 % intervals of all pairs together).",
                        paired->low, paired->high, unit);
    out.push_back({without_size, std::move(text)});
}

void say_what_was_serialized(const std::vector<runtime_report>& all, findings& out) {
    for (const runtime_report& r : all) {
        if (r.serialized_runs.value_or(0) == 0) continue;
        out.push_back({100 - r.mean_pct.value_or(100),
                       fmt::format("{}: the agents ran one after the other in {} of {} runs (cause: {}){}{}.", r.name,
                                   *r.serialized_runs, r.runs, r.cause.value_or("unknown"), r.evidence ? ": " : "",
                                   r.evidence.value_or(""))});
    }
}

void say_what_loads_cost(const study& s, const order_report& order, findings& out) {
    const auto cold = std::ranges::count_if(s.runs, [](const study_run& r) { return r.cold.value_or(false); });
    if (cold == 0 || order.cold.empty()) return;
    std::vector<double> with, without;
    for (const contrast_report& c : order.cold) {
        if (c.median_a) with.push_back(*c.median_a);
        if (c.median_b) without.push_back(*c.median_b);
    }
    const auto [least, most] = std::ranges::minmax(without);
    const double loaded = statistics::describe(with).p50;
    out.push_back(
        {static_cast<double>(cold) / static_cast<double>(s.runs.size()) * 100,
         fmt::format("In {} of {} runs a server loaded its model: TTFT is {} ms there and {} to {} ms in the others, "
                     "so means over all runs say little.",
                     cold, s.runs.size(), rounded(loaded), rounded(least), rounded(most))});
}

void say_what_drifted(const study& s, const order_report& order, const results& rs, findings& out) {
    for (const drift_report& d : order.drift) {
        if (d.p >= statistics::significance_level) continue;
        const std::string unit = unit_of_difference(definition_of(s, d.metric).unit);
        const double mean = mean_over(rs, d.metric).value_or(0);
        const bool in_points = definition_of(s, d.metric).unit == "%";
        out.push_back({in_points || mean == 0 ? std::abs(d.in_ten_runs) : std::abs(d.in_ten_runs / mean) * 100,
                       fmt::format("The machine drifted: {} changes by {} {} in ten runs within a runtime and "
                                   "configuration (95 % CI {} to {}, p "
                                   "{:.1g}).",
                                   label_of(d.metric), rounded(d.in_ten_runs), unit, rounded(d.ci95->low),
                                   rounded(d.ci95->high), d.p)});
    }
    if (order.one_after_another.value_or(false))
        out.push_back(
            {without_size, fmt::format("The runtimes ran one after another ({}): a difference between them may be a "
                                       "drift of the machine.",
                                       fmt::join(order.sequence, ", then "))});
}

/// The originals set resource_contention_detected where the estimated speedup of two agents was below 1.5.
void say_what_was_called_contention(const study& s, findings& out) {
    constexpr double flagged_below_pct = 75;
    std::size_t recorded = 0, flagged = 0, unequal = 0, serialized = 0;
    for (const study_run& r : s.runs) {
        if (!r.result.recorded || !r.result.recorded->resource_contention_detected) continue;
        ++recorded;
        if (!*r.result.recorded->resource_contention_detected) continue;
        ++flagged;
        if (r.result.serialization && r.result.serialization->serialized())
            ++serialized;
        else if (r.value(metric::imbalance_bound).value_or(100) < flagged_below_pct)
            ++unequal;
    }
    if (flagged == 0) return;
    out.push_back(
        {without_size,
         fmt::format("resource_contention_detected was set in {} of {} runs. It stands for an estimated speedup below "
                     "1.5 and does not show contention: in {} of them the agents ran one after the other, in {} "
                     "their unequal lengths alone keep the speedup below 1.5, and {} are left.",
                     flagged, recorded, serialized, unequal, flagged - serialized - unequal)});
}

void say_where_the_client_was_the_limit(const std::vector<runtime_report>& all, const study& s, findings& out) {
    const bool checked = std::ranges::any_of(s.runs, [](const study_run& r) { return r.result.client.has_value(); });
    if (!checked) return;
    bool limited = false;
    for (const runtime_report& r : all) {
        if (r.client_limited_runs.value_or(0) == 0) continue;
        limited = true;
        const auto run = std::ranges::find_if(s.runs, [&](const study_run& x) {
            return x.runtime == r.name && x.ok() && x.result.client && !x.result.client->client_limited.empty();
        });
        const self_check& check = *run->result.client;
        out.push_back(
            {without_size, fmt::format("{}: in {} of {} runs the client could have changed the result ({}){}.", r.name,
                                       *r.client_limited_runs, r.runs, fmt::join(check.client_limited, ", "),
                                       check.evidence.empty() ? "" : ": " + check.evidence.front())});
    }
    if (!limited) out.push_back({without_size, "In no run could the client have changed the result."});
}

/// Each kind of remark once, with the runs that had it: figures of such replies mean something else than they seem to.
void say_what_was_odd_about_replies(const std::vector<runtime_report>& all, const study& s, findings& out) {
    for (const runtime_report& r : all)
        if (r.arrival_limited_runs.value_or(0) > 0)
            out.push_back({without_size,
                           fmt::format("{}: in {} of {} runs most records arrived together with others: ITL, TPOT and "
                                       "rates of arrivals are arrival-limited and say nothing of the server.",
                                       r.name, *r.arrival_limited_runs, r.runs)});
    struct kind {
        const counted_remark* first;
        std::uint64_t replies = 0, of = 0;
    };
    std::vector<kind> kinds;
    for (const study_run& run : s.runs)
        for (const counted_remark& said : run.result.remarks) {
            auto known = std::ranges::find_if(kinds, [&](const kind& k) { return k.first->what == said.what; });
            if (known == kinds.end()) known = kinds.insert(kinds.end(), {&said});
            known->replies += said.replies;
            known->of += said.of;
        }
    for (const kind& k : kinds)
        out.push_back(
            {without_size, fmt::format("{} of {} replies in the runs concerned: {}{}.", k.replies, k.of, k.first->what,
                                       k.first->detail.empty() ? "" : fmt::format(" ({})", k.first->detail))});
}

void say_how_it_scales(const std::vector<scaling_report>& all, findings& out) {
    for (const scaling_report& r : all) {
        std::string text = fmt::format("{}{}{}: ", r.runtime, r.series.empty() ? "" : ", ", r.series);
        if (const auto& fit = r.amdahl)
            text += fmt::format(
                "throughput over the number of agents has a serial fraction of {:.2f} (Amdahl, R² {:.3f}); ",
                fit->serial_fraction, fit->r2);
        out.push_back({r.amdahl ? r.amdahl->serial_fraction * 100 : without_size,
                       text + (r.saturation_n ? fmt::format("saturated from {:g} agents.", *r.saturation_n)
                                              : "saturation was not reached.")});
    }
}

void say_what_was_gained(const std::vector<improvement_report>& all, findings& out) {
    for (const improvement_report& i : all)
        out.push_back(
            {std::abs(i.peak_pct),
             fmt::format("{}: the mean of {:.1f} % of the configurations is better than that of {}. Over all of "
                         "them the change is {:.2f} %, of the best one {:.2f} %; by chance alone about half would "
                         "be better.",
                         label_of(i.metric), i.success_rate_pct, i.baseline, i.mean_pct, i.peak_pct)});
}

/// First of all: the figures are about less than was measured.
void say_what_is_damaged(const study& s, findings& out) {
    const sentences damage = damage_of(s);
    if (damage.empty()) return;
    constexpr std::size_t shown = 5;
    const std::size_t named = std::min(shown, damage.size());
    const auto damaged = std::ranges::count_if(s.runs, &study_run::damaged);
    std::string text = "The results are not whole";
    if (damaged > 0)
        text += fmt::format(": {} of {} runs are damaged or lost and in no figure", damaged, s.runs.size());
    text += fmt::format(". {}", fmt::join(damage.begin(), damage.begin() + static_cast<std::ptrdiff_t>(named), ". "));
    if (named < damage.size()) text += fmt::format(". And {} more", damage.size() - named);
    out.push_back({first_of_all, text + "."});
}

void say_what_failed(const study& s, findings& out) {
    const auto bad = std::ranges::count_if(s.runs, [](const study_run& r) { return !r.ok() && !r.damaged(); });
    if (bad > 0)
        out.push_back({first_of_all, fmt::format("{} of {} runs failed and are in no figure.", bad, s.runs.size())});
    if (s.cells_not_needed > 0)
        out.push_back({first_of_all,
                       fmt::format("{} of {} planned runs were not needed: the intervals were narrow enough before.",
                                   s.cells_not_needed, s.cells_planned)});
    if (const std::size_t done = s.runs.size() + s.cells_not_needed; done < s.cells_planned)
        out.push_back({first_of_all, fmt::format("{} of {} planned runs are still to be done.", s.cells_planned - done,
                                                 s.cells_planned)});
}

/// The largest first; the others in their order.
sentences ranked(findings all) {
    std::ranges::stable_sort(all, std::ranges::greater(), &finding::size);
    sentences out;
    for (finding& f : all) out.push_back(std::move(f.text));
    return out;
}

} // namespace

std::vector<std::string> findings_of(const study& s, const study_report& report) {
    findings out;
    const std::vector<runtime_report>& all = report.runtimes;
    const results together = side_by_side(all);
    say_what_is_damaged(s, out);
    say_what_failed(s, out);
    if (report.origin)
        for (const std::string& difference : report.origin->differences) out.push_back({first_of_all, difference});
    if (agents_of(s) > 1) {
        say_what_was_recovered(report, together, out);
        say_what_is_estimated(s, report, together, out);
        say_where_the_loss_goes(s, together, out);
    }
    for (const metric_pairs& pairs : pairs_of(together, report.comparisons)) say_what_differs(s, pairs, out);
    say_what_was_serialized(all, out);
    say_what_loads_cost(s, report.order, out);
    say_what_drifted(s, report.order, together, out);
    say_how_it_scales(report.scaling, out);
    say_what_was_gained(report.improvements, out);
    say_what_was_called_contention(s, out);
    say_where_the_client_was_the_limit(all, s, out);
    say_what_was_odd_about_replies(all, s, out);
    for (std::string& sentence : growth_findings(report.soak)) out.push_back({first_of_all, std::move(sentence)});
    for (std::string& sentence : alert_findings(report.alerts)) out.push_back({first_of_all, std::move(sentence)});
    return ranked(std::move(out));
}

} // namespace chimera::host
