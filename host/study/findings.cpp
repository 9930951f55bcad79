#include "study/analysis.hpp"

#include "statistics/two_samples.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace chimera::host {
namespace {

using sentences = std::vector<std::string>;
using results = std::vector<const runtime_report*>;

std::string names_of(const results& rs) {
    std::string out;
    for (std::size_t i = 0; i < rs.size(); ++i)
        out += (i == 0 ? "" : i + 1 == rs.size() ? " and " : ", ") + rs[i]->name;
    return out;
}

/// Those whose agents ran side by side and that have a headline.
results working(const std::vector<runtime_report>& all) {
    results out;
    for (const runtime_report& r : all)
        if (r.n > 0 && !r.serialized()) out.push_back(&r);
    return out;
}

bool estimated_only(const study& s) { return headline_of(s) == name_of(metric::estimated_efficiency); }

/// Mean over the runs of several runtimes.
std::optional<double> mean_of(const results& rs, const std::string& name) {
    double sum = 0;
    std::size_t n = 0;
    for (const runtime_report* r : rs)
        if (const described* found = r->find(name)) {
            sum += found->mean * static_cast<double>(found->n);
            n += found->n;
        }
    return n > 0 ? std::optional(sum / static_cast<double>(n)) : std::nullopt;
}

std::optional<double> mean_of(const results& rs, figure f) { return mean_of(rs, name_of(f)); }

/// The values of the successful runs of one metric.
std::vector<double> values_of(const study& s, const results& rs, figure f) {
    std::vector<double> out;
    for (const study_run& run : s.runs)
        for (const runtime_report* r : rs)
            if (const auto value = run.value(f); run.ok() && run.runtime == r->name && value) out.push_back(*value);
    return out;
}

void say_what_is_estimated(const study& s, sentences& out) {
    if (!estimated_only(s)) return;
    out.push_back(
        "No agent ever ran alone. What is called efficiency here is sum(C) / (N W), with the durations C taken "
        "from the concurrent run itself: an estimate that cannot see contention. If the agents had slowed each "
        "other down to half speed, it would be the same. Efficiency, speedup and contention were not measured.");
}

void say_where_the_loss_goes(const study& s, const results& rs, sentences& out) {
    const auto reached = mean_of(rs, headline_of(s)), imbalance = mean_of(rs, metric::imbalance);
    if (!reached || !imbalance) return;
    const double lost = 100 - *reached;
    std::string text = fmt::format("{}: {:.2f} points {} 100 %. Imbalance carries {:.2f}: agents of unequal "
                                   "length, which is the workload's doing and no runtime's.",
                                   names_of(rs), std::abs(lost), lost < 0 ? "above" : "short of", *imbalance);
    if (const auto late = mean_of(rs, metric::late_start)) text += fmt::format(" Late start carries {:.3g}.", *late);
    const auto inflation = mean_of(rs, metric::inflation), server = mean_of(rs, metric::inflation_server);
    if (!inflation)
        text += " Inflation was not measured.";
    else if (!server)
        text += fmt::format(" Inflation carries {:.3g}.", *inflation);
    else
        text += fmt::format(" Inflation carries {:.3g}: the server {:.3g}, the client {:.3g}.", *inflation, *server,
                            *inflation - *server);
    out.push_back(std::move(text));
}

void say_what_imbalance_explains(const study& s, const results& rs, sentences& out) {
    if (!estimated_only(s)) return;
    for (const runtime_report* r : rs) {
        const auto bound = r->mean(metric::imbalance_bound), remainder = r->mean(metric::remainder);
        if (!bound || !remainder) continue;
        out.push_back(
            fmt::format("{}: estimate {:.2f} %, imbalance bound {:.2f} %, remainder {:.4f} points. Agents of these "
                        "lengths could not have reached more; the remainder is all that a runtime could have lost.",
                        r->name, *r->mean_pct, *bound, *remainder));
    }
}

std::string joined(const sentences& parts) { return fmt::format("{}", fmt::join(parts, "; ")); }

/// Pairs of working runtimes, metric by metric.
void say_what_differs(const study& s, const results& rs, const std::vector<comparison_report>& comparisons,
                      sentences& out) {
    const auto is_working = [&](const std::string& name) {
        return std::ranges::any_of(rs, [&](const runtime_report* r) { return r->name == name; });
    };
    for (auto c = comparisons.begin(); c != comparisons.end();) {
        const std::string& metric = c->metric;
        std::size_t pairs = 0, too_few = 0;
        sentences means, ranks;
        std::optional<statistics::interval> widest; // that the paired differences reach
        for (; c != comparisons.end() && c->metric == metric; ++c) {
            if (!is_working(c->a) || !is_working(c->b)) continue;
            ++pairs;
            too_few += c->verdict == statistics::verdict::too_few_runs;
            if (c->paired && c->paired->ci95) {
                const auto& ci = *c->paired->ci95;
                widest =
                    widest ? statistics::interval{std::min(widest->low, ci.low), std::max(widest->high, ci.high)} : ci;
            }
            if (c->detectable()) means.push_back(c->words);
            if (c->ranks_differ())
                ranks.push_back(fmt::format("{} {} against {} {} (p {:.1g})", c->a, rounded(c->median_a), c->b,
                                            rounded(c->median_b), *c->mann_whitney->p_holm));
        }
        if (!means.empty()) out.push_back(fmt::format("{}: {}.", metric, joined(means)));
        if (!ranks.empty())
            out.push_back(
                fmt::format("{}: means that do not differ detectably, but ranks that do (U test, after Holm); medians "
                            "of {}.",
                            metric, joined(ranks)));
        if (metric != headline_of(s) || pairs == 0 || !means.empty() || !ranks.empty()) continue;
        if (too_few == pairs) {
            out.push_back(fmt::format("Too few runs to tell {} apart.", names_of(rs)));
            continue;
        }
        std::string text =
            fmt::format("No detectable difference in {} between {}: none of {} pairs, after Holm's correction.", metric,
                        names_of(rs), pairs);
        if (widest)
            text +=
                fmt::format(" Paired run by run, on the same requests, their differences lie between {:.2f} and {:.2f} "
                            "points (95 % intervals of all pairs together).",
                            widest->low, widest->high);
        out.push_back(std::move(text));
    }
}

/// Where the agents of one runtime ran one after the other, their token rates are those of agents alone, and show what
/// the estimate cannot.
void say_what_token_rates_show(const study& s, const std::vector<runtime_report>& all, const results& rs,
                               sentences& out) {
    if (!estimated_only(s)) return;
    const auto together = mean_of(rs, figure{metric::tokens_per_second, statistic::mean});
    for (const runtime_report& r : all) {
        const auto in_turn = r.mean(figure{metric::tokens_per_second, statistic::mean});
        if (!r.serialized() || !in_turn || !together) continue;
        std::string text =
            fmt::format("Token rate of a request: {:.1f}/s on {}, where the agents ran one after the other, {:.1f}/s "
                        "where they ran side by side",
                        *in_turn, r.name, *together);
        const auto throughput = r.mean(metric::throughput), of_others = mean_of(rs, metric::throughput);
        if (throughput && of_others)
            text += fmt::format("; all agents together {:.1f} against {:.1f} tokens/s", *throughput, *of_others);
        const auto test = statistics::welch(values_of(s, {&r}, figure{metric::tokens_per_second, statistic::mean}),
                                            values_of(s, rs, figure{metric::tokens_per_second, statistic::mean}));
        if (!test)
            text += ". Too few runs to say whether agents slow each other down side by side; the estimate cannot";
        else if (test->p < statistics::significance_level && test->difference > 0)
            text +=
                fmt::format(". That is what agents that slow each other down would look like (Welch p {:.1g}), and the "
                            "estimate cannot show it",
                            test->p);
        out.push_back(text + ".");
    }
}

void say_what_was_serialized(const std::vector<runtime_report>& all, sentences& out) {
    for (const runtime_report& r : all) {
        if (r.serialized_runs.value_or(0) == 0) continue;
        out.push_back(fmt::format("{}: the agents ran one after the other in {} of {} runs (cause: {}){}{}.", r.name,
                                  *r.serialized_runs, r.runs, r.cause.value_or("unknown"), r.evidence ? ": " : "",
                                  r.evidence.value_or("")));
    }
}

/// The originals set resource_contention_detected where the estimated speedup of two agents was below 1.5.
void say_what_was_called_contention(const study& s, sentences& out) {
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
        fmt::format("resource_contention_detected was set in {} of {} runs. It stands for an estimated speedup below "
                    "1.5 and does not show contention: in {} of them the agents ran one after the other, in {} "
                    "their unequal lengths alone keep the speedup below 1.5, and {} are left.",
                    flagged, recorded, serialized, unequal, flagged - serialized - unequal));
}

void say_where_the_client_was_the_limit(const std::vector<runtime_report>& all, const study& s, sentences& out) {
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
        out.push_back(fmt::format("{}: in {} of {} runs the client could have changed the result ({}){}.", r.name,
                                  *r.client_limited_runs, r.runs, fmt::join(check.client_limited, ", "),
                                  check.evidence.empty() ? "" : ": " + check.evidence.front()));
    }
    if (!limited) out.push_back("In no run could the client have changed the result.");
}

/// Each kind of remark once, with the runs that had it: figures of such replies mean something else than they seem to.
void say_what_was_odd_about_replies(const std::vector<runtime_report>& all, const study& s, sentences& out) {
    for (const runtime_report& r : all)
        if (r.arrival_limited_runs.value_or(0) > 0)
            out.push_back(fmt::format("{}: in {} of {} runs most records arrived together with others: ITL, TPOT and "
                                      "rates of arrivals are arrival-limited and say nothing of the server.",
                                      r.name, *r.arrival_limited_runs, r.runs));
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
        out.push_back(fmt::format("{} of {} replies in the runs concerned: {}{}.", k.replies, k.of, k.first->what,
                                  k.first->detail.empty() ? "" : fmt::format(" ({})", k.first->detail)));
}

void say_how_it_scales(const std::vector<scaling_report>& all, sentences& out) {
    for (const scaling_report& r : all) {
        std::string text = fmt::format("{}{}{}: ", r.runtime, r.series.empty() ? "" : ", ", r.series);
        if (const auto& fit = r.amdahl)
            text += fmt::format(
                "throughput over the number of agents has a serial fraction of {:.2f} (Amdahl, R² {:.3f}); ",
                fit->serial_fraction, fit->r2);
        out.push_back(text + (r.saturation_n ? fmt::format("saturated from {:g} agents.", *r.saturation_n)
                                             : "saturation was not reached."));
    }
}

void say_what_was_gained(const std::optional<improvement_report>& gained, sentences& out) {
    if (!gained) return;
    out.push_back(fmt::format("{}: the mean of {:.1f} % of the configurations is better than that of {}. Over all of "
                              "them the change is {:.2f} %, "
                              "of the best one {:.2f} %; by chance alone about half would be better.",
                              gained->metric, gained->success_rate_pct, gained->baseline, gained->mean_pct,
                              gained->peak_pct));
}

/// First of all: the figures are about less than was measured.
void say_what_is_damaged(const study& s, sentences& out) {
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
    out.push_back(text + ".");
}

void say_what_failed(const study& s, sentences& out) {
    const auto bad = std::ranges::count_if(s.runs, [](const study_run& r) { return !r.ok() && !r.damaged(); });
    if (bad > 0) out.push_back(fmt::format("{} of {} runs failed and are in no figure.", bad, s.runs.size()));
    if (s.cells_not_needed > 0)
        out.push_back(fmt::format("{} of {} planned runs were not needed: the intervals were narrow enough before.",
                                  s.cells_not_needed, s.cells_planned));
    if (const std::size_t done = s.runs.size() + s.cells_not_needed; done < s.cells_planned)
        out.push_back(
            fmt::format("{} of {} planned runs are still to be done.", s.cells_planned - done, s.cells_planned));
}

} // namespace

std::vector<std::string> findings_of(const study& s, const study_report& report) {
    sentences out;
    const std::vector<runtime_report>& all = report.runtimes;
    const results side_by_side = working(all);
    say_what_is_damaged(s, out);
    if (report.origin) out.insert(out.end(), report.origin->differences.begin(), report.origin->differences.end());
    if (agents_of(s) > 1) {
        say_what_is_estimated(s, out);
        say_where_the_loss_goes(s, side_by_side, out);
        say_what_imbalance_explains(s, side_by_side, out);
    }
    say_what_differs(s, side_by_side, report.comparisons, out);
    say_what_was_serialized(all, out);
    say_what_token_rates_show(s, all, side_by_side, out);
    say_what_was_called_contention(s, out);
    say_how_it_scales(report.scaling, out);
    say_what_was_gained(report.improvement, out);
    say_where_the_client_was_the_limit(all, s, out);
    say_what_was_odd_about_replies(all, s, out);
    for (std::string& sentence : growth_findings(report.soak)) out.push_back(std::move(sentence));
    for (std::string& sentence : alert_findings(report.alerts)) out.push_back(std::move(sentence));
    say_what_failed(s, out);
    return out;
}

} // namespace chimera::host
