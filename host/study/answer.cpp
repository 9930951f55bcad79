#include "study/analysis.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace chimera::host {
namespace {

using results = std::vector<const runtime_report*>;

std::vector<std::string> names_of(const results& runtimes) {
    std::vector<std::string> out;
    for (const runtime_report* r : runtimes) out.push_back(r->name);
    return out;
}

/// The runtimes by the metric that they are chosen by, best first.
struct choice {
    std::string metric, label, unit;
    bool lower_is_better = false;
    results best;                ///< the best mean, then those that cannot be told from it
    results worse;               ///< detectably
    results too_few;             ///< they have too few runs to be compared with the best
    double spread = 0;           ///< between the best and the worst mean
    double would_have_shown = 0; ///< the largest difference that some pair of the best could hide; 0: not known
};

const comparison_report* pair_of(const study_report& report, const std::string& metric, const std::string& a,
                                 const std::string& b) {
    const auto found = std::ranges::find_if(report.comparisons, [&](const comparison_report& c) {
        return c.metric == metric && ((c.a == a && c.b == b) || (c.a == b && c.b == a));
    });
    return found == report.comparisons.end() ? nullptr : &*found;
}

double mean_of(const runtime_report* r, const std::string& metric) { return r->find(metric)->mean; }

choice choose(const study& s, const study_report& report) {
    choice out;
    out.metric = choice_of(s);
    out.label = label_of(out.metric);
    out.unit = definition_of(s, out.metric).unit;
    results all = side_by_side(report.runtimes);
    std::erase_if(all, [&](const runtime_report* r) { return r->find(out.metric) == nullptr; });
    if (all.empty()) return out;
    out.lower_is_better = better_of(out.metric) == better::lower;
    std::ranges::stable_sort(all, std::ranges::greater(), [&](const runtime_report* r) {
        return out.lower_is_better ? -mean_of(r, out.metric) : mean_of(r, out.metric);
    });
    out.spread = std::abs(mean_of(all.front(), out.metric) - mean_of(all.back(), out.metric));
    for (const runtime_report* r : all) {
        const comparison_report* against_best =
            r == all.front() ? nullptr : pair_of(report, out.metric, all.front()->name, r->name);
        if (against_best && against_best->verdict == statistics::verdict::too_few_runs) {
            out.too_few.push_back(r);
            continue;
        }
        (against_best && against_best->detectable() ? out.worse : out.best).push_back(r);
        if (against_best && !against_best->detectable())
            out.would_have_shown = std::max(out.would_have_shown, against_best->detectable_difference.value_or(0));
    }
    return out;
}

std::string figure_text(const choice& c, double value) {
    return fmt::format("{} {}", c.unit == "%" ? fmt::format("{:.1f}", value) : rounded(value), c.unit);
}

std::string means_text(const choice& c, const results& of) {
    const auto mean = [&](const runtime_report* r) { return mean_of(r, c.metric); };
    const double most = std::ranges::max(of, {}, mean)->find(c.metric)->mean,
                 least = std::ranges::min(of, {}, mean)->find(c.metric)->mean;
    const std::string high = figure_text(c, most), low = figure_text(c, least);
    return high == low ? high
                       : fmt::format("{} to {}", c.unit == "%" ? fmt::format("{:.1f}", least) : rounded(least), high);
}

/// A difference with two significant digits: more would pretend to be known.
std::string short_number(double value) {
    return std::abs(value) >= 1 ? fmt::format("{:.1f}", value) : fmt::format("{:.2g}", value);
}

std::string points(const choice& c, double value) {
    return fmt::format("{} {}", short_number(value), unit_of_difference(c.unit));
}

/// A difference that no user would feel: a point of a percentage, 1 % of anything else.
bool too_small_to_matter(const choice& c) {
    const double best = mean_of(c.best.front(), c.metric);
    return c.spread < (c.unit == "%" ? 1 : 0.01 * std::abs(best));
}

/// others_exist: the study has runtimes that cannot be judged by this metric.
std::string verdict_of(const choice& c, bool others_exist) {
    results all = c.best;
    all.insert(all.end(), c.worse.begin(), c.worse.end());
    if (all.size() == 1 && c.too_few.empty()) {
        const described& only = *all[0]->find(c.metric);
        return fmt::format("{} {}: {} {}{}, {} run{}",
                           others_exist ? "Only one runtime can be judged," : "The only runtime is", all[0]->name,
                           c.label, figure_text(c, only.mean),
                           only.sd ? fmt::format(" (sd {})", rounded(*only.sd)) : "", only.n, only.n == 1 ? "" : "s");
    }
    if (all.size() == 1) {
        all.insert(all.end(), c.too_few.begin(), c.too_few.end());
        return fmt::format("Too few runs to say which of {} to use: {} {}", listed(names_of(all)), c.label,
                           means_text(c, all));
    }
    if (too_small_to_matter(c))
        return fmt::format("No runtime wins: {} differ by {} of {} ({}){}", listed(names_of(all)), points(c, c.spread),
                           c.label, means_text(c, all),
                           c.worse.empty() && c.would_have_shown > 0
                               ? fmt::format("; a difference of {} would have shown", points(c, c.would_have_shown))
                               : "");
    const std::string hidden = c.would_have_shown > 0
                                   ? fmt::format(": a difference of {} would have shown", points(c, c.would_have_shown))
                                   : "";
    if (c.worse.empty())
        return fmt::format("No runtime wins: {} cannot be told apart by {} ({}){}", listed(names_of(all)), c.label,
                           means_text(c, all), hidden);
    const double best = mean_of(c.best.front(), c.metric);
    const double nearest = std::abs(best - mean_of(c.worse.front(), c.metric)),
                 farthest = std::abs(best - mean_of(c.worse.back(), c.metric));
    const std::string behind =
        c.worse.size() == 1 ? points(c, nearest) : fmt::format("{} to {}", short_number(nearest), points(c, farthest));
    return fmt::format("Use {}: {} {}{}; {} {} {} {}", listed(names_of(c.best)), c.label, means_text(c, c.best),
                       c.best.size() > 1 ? " (not told apart" + hidden + ")" : "", listed(names_of(c.worse)),
                       c.worse.size() == 1 ? "is" : "are", behind, c.lower_is_better ? "higher" : "lower");
}

/// Of one runtime in many configurations the question is about these.
std::string configurations_text(const study_report& report) {
    std::vector<std::string> changes;
    for (const improvement_report& i : report.improvements)
        changes.push_back(fmt::format("{} by {:+.1f} %", label_of(i.metric), i.peak_pct));
    return changes.empty() ? ""
                           : fmt::format("; against {} the best configuration changes {}",
                                         report.improvements.front().baseline, listed(changes));
}

std::string first_sentence(const study& s, const study_report& report, const choice& c) {
    std::string out;
    std::vector<std::string> serialized;
    for (const runtime_report& r : report.runtimes)
        if (r.serialized()) serialized.push_back(r.name);
    if (c.best.empty())
        out = serialized.empty() ? "No run has a figure to choose a runtime by"
                                 : "No runtime ran its agents side by side";
    else if (c.metric == name_of(metric::estimated_efficiency) && s.runtimes.size() > 1)
        out = fmt::format("This data does not say which of {} runs agents better side by side: no agent ever ran alone",
                          listed(names_of(side_by_side(report.runtimes))));
    else
        out = verdict_of(c, report.runtimes.size() > 1);
    if (report.runtimes.size() == 1) out += configurations_text(report);
    if (!c.too_few.empty() && c.best.size() + c.worse.size() > 1)
        out += fmt::format("; {} {} too few runs to tell", listed(names_of(c.too_few)),
                           c.too_few.size() == 1 ? "has" : "have");
    if (!serialized.empty()) out += fmt::format("; not {}, whose agents ran one after the other", listed(serialized));
    if (!c.worse.empty() && report.order.one_after_another.value_or(false))
        out += "; but the runtimes ran one after another, and a machine that drifts would look the same";
    return out + ".";
}

struct part {
    std::string name;
    double points;
};

std::string parts_text(std::vector<part> parts) {
    std::ranges::stable_sort(parts, std::ranges::greater(), &part::points);
    std::vector<std::string> texts;
    for (const part& p : parts) texts.push_back(fmt::format("{} {}", p.name, short_number(p.points)));
    return listed(texts);
}

/// Mean over the runs of these runtimes whose efficiency was recovered; 0: not measured.
double mean_of_recovered(const study& s, const results& runtimes, metric m) {
    std::vector<double> values;
    for (const study_run& run : s.runs) {
        const auto is_of = [&](const runtime_report* r) { return r->name == run.runtime; };
        const auto value = run.value(m);
        if (run.ok() && value && run.value(metric::recovered_efficiency) && std::ranges::any_of(runtimes, is_of))
            values.push_back(*value);
    }
    return statistics::describe(std::move(values)).mean;
}

/// Recovered: the agents' slowdown is what is left of the loss when imbalance and late starts are taken away.
std::string cause_recovered(const study& s, const recovery_report& r, const results& runtimes) {
    const double efficiency = mean_of_recovered(s, runtimes, metric::recovered_efficiency),
                 imbalance = mean_of_recovered(s, runtimes, metric::imbalance),
                 late = mean_of_recovered(s, runtimes, metric::late_start);
    return fmt::format(
        "Of the {:.0f} points that they lack to 100 %, {:.0f} are agents that slow each other down: side by "
        "side they get {:.0f} tok/s together, one after the other {:.0f}; {} are replies of unequal "
        "length, {} late starts.",
        100 - efficiency, 100 - efficiency - imbalance - late, r.together_tok_s, r.in_turn_tok_s,
        short_number(imbalance), short_number(late));
}

std::string cause_estimated(const study& s, const results& runtimes) {
    const auto estimate = mean_over(runtimes, name_of(metric::estimated_efficiency)),
               imbalance = mean_over(runtimes, name_of(metric::imbalance));
    if (!estimate || !imbalance) return "Nothing says where the agents' time went.";
    const auto loads = load_imbalance_of(s, runtimes);
    const double loaded = loads ? loads->points : 0;
    return fmt::format("Of the {:.2f} points that the published figure lacks to 100 %, {:.2f} are replies of unequal "
                       "length{}: it is computed from the concurrent run alone and cannot see agents that slow each "
                       "other down.",
                       100 - *estimate, *imbalance - loaded,
                       loaded > 0 ? fmt::format(" and {:.2f} a server that loaded its model", loaded) : "");
}

std::string cause_measured(const results& runtimes) {
    const auto mean = [&](metric m) { return mean_over(runtimes, name_of(m)); };
    const auto efficiency = mean(metric::efficiency), inflation = mean(metric::inflation),
               server = mean(metric::inflation_server), imbalance = mean(metric::imbalance),
               late = mean(metric::late_start);
    if (!efficiency || !inflation) return "Nothing says where the agents' time went.";
    const double lost = 100 - *efficiency;
    constexpr double little = 0.5;
    std::vector<part> parts;
    if (server) {
        parts.push_back({"the server", *server});
        parts.push_back({"the client", *inflation - *server});
    } else {
        parts.push_back({"agents that are slower together than alone", *inflation});
    }
    if (imbalance) parts.push_back({"agents of unequal length", *imbalance});
    if (late) parts.push_back({"late starts", *late});
    if (std::abs(lost) < little)
        return fmt::format("Next to nothing is lost: {:.2g} points of 100 % ({}).", lost, parts_text(parts));
    return fmt::format("Of the {:.3g} points that they {} 100 %, in points: {}.", std::abs(lost),
                       lost < 0 ? "are above" : "lack to", parts_text(parts));
}

/// Where the time of a group's cycles goes, in the best of the runtimes and in the one that takes longest.
std::string cause_of_cycles(const results& runtimes) {
    const std::string total = name_of(metric::hundred_cycles);
    const auto [best, worst] =
        std::ranges::minmax(runtimes, {}, [&](const runtime_report* r) { return mean_of(r, total); });
    const auto told = [&](const runtime_report* r) {
        std::vector<part> parts;
        for (const auto& [m, name] :
             {std::pair{metric::cycles_handling, "handling"}, std::pair{metric::cycles_consensus, "consensus"},
              std::pair{metric::cycles_network, "network"}, std::pair{metric::cycles_serialization, "serialization"}})
            if (const described* d = r->find(name_of(m))) parts.push_back({name, d->mean});
        return fmt::format("in the {} ms of {} all endpoints together worked, in ms: {}", rounded(mean_of(r, total)),
                           r->name, parts_text(parts));
    };
    return sentence_of(told(best) + (best == worst ? "" : "; " + told(worst)));
}

std::string cause_single(const results& runtimes) {
    const auto overhead = mean_over(runtimes, name_of({metric::client_overhead, statistic::mean}));
    const auto ttft = mean_over(runtimes, name_of({metric::ttft, statistic::p50})),
               e2e = mean_over(runtimes, name_of({metric::e2e, statistic::p50}));
    std::string out = "A single agent has no parallel efficiency";
    if (ttft && e2e) out += fmt::format(": a reply takes {} ms, TTFT {} ms of it", rounded(*e2e), rounded(*ttft));
    if (overhead) out += fmt::format("; {:.2g} % of that is the client", *overhead);
    return out + ".";
}

std::string second_sentence(const study& s, const study_report& report) {
    const results runtimes = side_by_side(report.runtimes);
    if (runtimes.empty()) {
        for (const runtime_report& r : report.runtimes)
            if (r.serialized())
                return fmt::format("{} (cause: {}){}.", r.name, r.cause.value_or("unknown"),
                                   r.evidence ? ": " + *r.evidence : "");
        return "Nothing says where the agents' time went.";
    }
    if (report.headline == name_of(metric::hundred_cycles)) return cause_of_cycles(runtimes);
    if (agents_of(s) < 2) return cause_single(runtimes);
    if (report.headline == name_of(metric::efficiency)) return cause_measured(runtimes);
    return report.recovery ? cause_recovered(s, *report.recovery, runtimes) : cause_estimated(s, runtimes);
}

std::string third_sentence(const study& s, const study_report& report) {
    std::vector<std::string> unknown;
    const bool cycles = report.headline == name_of(metric::hundred_cycles);
    if (cycles) unknown.emplace_back("what the group would cost beside agents that call a model");
    if (report.headline != name_of(metric::efficiency) && agents_of(s) > 1 && !cycles)
        unknown.emplace_back(report.recovery
                                 ? "whether server or client slows agents down side by side, as no agent ran "
                                   "alone on the client that is judged"
                                 : "how fast an agent alone would have been");
    if (report.order.one_after_another.value_or(false))
        unknown.emplace_back("how much of a difference between runtimes is a drift of the machine");
    if (s.backend == "simulator")
        unknown.emplace_back("how a real model on a GPU answers (the servers were simulators)");
    std::size_t limited = 0;
    for (const runtime_report& r : report.runtimes) limited += r.client_limited_runs.value_or(0);
    if (limited > 0)
        unknown.push_back(
            fmt::format("what a faster client would have shown, as in {} of {} runs the client could have "
                        "changed a figure",
                        limited, report.cells.ok));
    if (!report.origin || report.origin->machines() < 2) unknown.emplace_back("what another machine would show");
    if (unknown.empty()) unknown.emplace_back("what another workload or another model would show");
    return fmt::format("This data cannot say {}.", fmt::join(unknown, ", or "));
}

} // namespace

answer_report answer_of(const study& s, const study_report& report) {
    answer_report out;
    const choice c = choose(s, report);
    out.sentences = {first_sentence(s, report, c), second_sentence(s, report), third_sentence(s, report)};
    if (c.metric != name_of(metric::estimated_efficiency) && c.best.size() + c.worse.size() > 1)
        out.use = names_of(c.best);
    return out;
}

} // namespace chimera::host
