#include "study/study_comparison.hpp"

#include "process/messages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>

namespace chimera::host {
namespace {

using studies = std::span<const study>;

constexpr figure usual_figures[] = {metric::wall,
                                    {metric::ttft, statistic::p50},
                                    {metric::itl, statistic::p50},
                                    {metric::e2e, statistic::p50},
                                    {metric::tokens_per_second, statistic::mean},
                                    metric::throughput,
                                    metric::inflation_ratio,
                                    {metric::client_overhead, statistic::mean}};

std::vector<std::string> labels_of(studies all) {
    std::set<std::string> names;
    std::vector<std::string> out;
    for (const study& s : all) {
        names.insert(s.name);
        out.push_back(s.name);
    }
    if (names.size() == all.size()) return out;
    std::set<std::filesystem::path> places;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (!places.insert(std::filesystem::canonical(all[i].path)).second)
            throw results_error(all[i].path.string() + ": given twice; comparing results with themselves says nothing");
        out[i] = all[i].path.lexically_normal().string();
    }
    return out;
}

bool every_has(studies all, const std::string& metric) {
    return std::ranges::all_of(all, [&](const study& s) { return s.definitions.contains(metric); });
}

void check_success(studies all) {
    std::vector<std::string> faults;
    for (const study& s : all)
        if (const run_counts runs = count_runs(s); runs.ok == 0)
            faults.push_back(fmt::format("{}: no run of it succeeded ({} failed); nothing to compare", s.path.string(),
                                         runs.failed));
    if (!faults.empty()) throw results_error(faults);
}

std::vector<std::string> usual(studies all) {
    std::vector<std::string> out;
    for (const metric headline : {metric::efficiency, metric::recovered_efficiency, metric::estimated_efficiency})
        if (out.empty() && every_has(all, name_of(headline))) out.push_back(name_of(headline));
    for (const figure f : usual_figures)
        if (every_has(all, name_of(f))) out.push_back(name_of(f));
    if (out.empty())
        throw results_error("the studies have no metric in common that clients can change; name some by --metric");
    return out;
}

void check_metrics(studies all, const std::vector<std::string>& metrics) {
    for (const std::string& metric : metrics)
        for (const study& s : all) {
            if (s.definitions.contains(metric)) continue;
            std::vector<std::string> known;
            for (const auto& [name, definition] : s.definitions) known.push_back(name);
            throw results_error(
                fmt::format("{}: metric \"{}\" was not measured; {}", s.path.string(), metric, suggest(metric, known)));
        }
}

/// Names that every study has, in the order of the first; what some study lacks is warned of.
template <class T>
std::vector<std::string> common(studies all, std::vector<T> study::*items, const char* what,
                                std::vector<std::string>& warnings) {
    std::vector<std::string> out;
    std::set<std::string> left_out;
    for (const study& s : all)
        for (const T& item : s.*items) {
            const bool everywhere = std::ranges::all_of(all, [&](const study& other) {
                return std::ranges::find(other.*items, item.name, &T::name) != (other.*items).end();
            });
            if (!everywhere)
                left_out.insert(item.name);
            else if (&s == all.data())
                out.push_back(item.name);
        }
    if (!left_out.empty())
        warnings.push_back(fmt::format("left out, not in every study: {} {}", what, fmt::join(left_out, ", ")));
    return out;
}

study_pair pair_of(comparison_report c) {
    study_pair out{std::move(c), {}, false};
    const double a = out.mean_a, b = out.mean_b;
    const better way = better_of(out.metric);
    if (a != 0) out.change_pct = (b - a) / std::abs(a) * 100;
    out.worse = out.detectable() && way != better::neither && (way == better::higher ? b < a : b > a);
    return out;
}

/// The names of the studies in messages.
std::vector<std::string> labels_of(const study_comparison& c) {
    std::vector<std::string> out;
    for (const compared_study& s : c.studies) out.push_back(s.label);
    return out;
}

bool single(studies all, const auto& items_of) {
    return std::ranges::all_of(all, [&](const study& s) { return std::invoke(items_of, s).size() == 1; });
}

/// The configurations to compare over; none: each study has a single one, of whatever name.
std::vector<std::string> compared_configs(studies all, bool single_runtime, study_comparison& comparison) {
    std::vector<std::string> warnings;
    std::vector<std::string> out = common(all, &study::configs, "configurations", warnings);
    if (out.empty() && single_runtime && single(all, &study::configs)) {
        std::vector<std::string> names;
        for (const study& s : all) names.push_back(s.configs[0].name);
        warnings = {fmt::format("the configurations differ: {}; a difference may be theirs", fmt::join(names, ", "))};
    } else if (out.empty()) {
        throw results_error(fmt::format("{} have no configuration in common; nothing to compare",
                                        fmt::join(labels_of(comparison), " and ")));
    }
    comparison.warnings.insert(comparison.warnings.end(), warnings.begin(), warnings.end());
    return out;
}

/// One value for each run of a study's runtime in these configurations; none named: in all.
std::vector<double> sample_of(const study& s, const std::string& runtime, const std::string& metric,
                              const std::vector<std::string>& configs) {
    if (configs.empty()) return values_of(s, runtime, metric);
    std::vector<double> out;
    for (const std::string& c : configs)
        for (const double v : values_of(s, runtime, metric, c)) out.push_back(v);
    return out;
}

/// A sentence for each of the others that cannot be held against the first by this metric.
void add_not_judged(std::vector<std::string>& out, const std::string& metric, std::span<const named_sample> samples,
                    std::span<const comparison_report> pairs) {
    for (const named_sample& s : samples)
        if (s.values.empty()) out.push_back(fmt::format("{}: no run of {} has it", metric, s.name));
    for (const comparison_report& c : pairs)
        if (c.a == samples[0].name && c.verdict == statistics::verdict::too_few_runs)
            out.push_back(fmt::format("{}: {}", metric, c.words));
}

/// Runtimes to compare: a heading, and the name in each study.
struct same_runtimes {
    std::optional<std::string> heading;
    std::vector<std::string> names;
};

std::vector<evolution_row> evolution_of(studies all, const same_runtimes& runtimes,
                                        const std::vector<std::string>& configs, const std::string& metric) {
    std::vector<evolution_row> out;
    if (configs.size() < 2) return out;
    for (const std::string& config : configs) {
        evolution_row row{config, {}};
        for (std::size_t i = 0; i < all.size(); ++i) {
            const auto d = statistics::describe(values_of(all[i], runtimes.names[i], metric, config));
            row.cells.push_back(
                {d.n, d.n > 0 ? std::optional(d.mean) : std::nullopt, d.n > 1 ? std::optional(d.sd) : std::nullopt});
        }
        out.push_back(std::move(row));
    }
    return out;
}

study_group group_of(studies all, const study_comparison& comparison, const same_runtimes& runtimes,
                     const std::vector<std::string>& configs, const std::vector<std::string>& metrics) {
    study_group out;
    out.runtime = runtimes.heading;
    out.evolution = evolution_of(all, runtimes, configs, metrics.front());
    for (std::size_t i = 0; i < all.size(); ++i) out.runs.push_back(count_runs(all[i], runtimes.names[i], configs));
    for (const std::string& metric : metrics) {
        std::vector<named_sample> samples;
        for (std::size_t i = 0; i < all.size(); ++i)
            samples.push_back({comparison.studies[i].label, sample_of(all[i], runtimes.names[i], metric, configs)});
        std::vector<comparison_report> pairs = compare_all(metric, definition_of(all[0], metric).unit, samples);
        add_not_judged(out.not_judged, metric, samples, pairs);
        for (comparison_report& c : pairs) out.comparisons.push_back(pair_of(std::move(c)));
    }
    return out;
}

/// As it was said on the command line.
std::vector<same_runtimes> said_runtimes(studies all, const std::vector<std::vector<std::string>>& same) {
    std::vector<same_runtimes> out;
    for (const std::vector<std::string>& names : same) {
        const std::string text = fmt::format("{}", fmt::join(names, "="));
        if (names.size() != all.size())
            throw results_error(
                fmt::format("--same {}: names {} runtimes for {} results; give one name for each, in their "
                            "order",
                            text, names.size(), all.size()));
        for (std::size_t i = 0; i < all.size(); ++i) {
            std::vector<std::string> known;
            for (const planned_runtime& r : all[i].runtimes) known.push_back(r.name);
            if (std::ranges::find(known, names[i]) == known.end())
                throw results_error(fmt::format("--same {}: {} has no runtime \"{}\"; {}", text, all[i].path.string(),
                                                names[i], suggest(names[i], known)));
        }
        out.push_back({text, names});
    }
    return out;
}

std::vector<same_runtimes> runtimes_to_compare(studies all, bool single_runtime, study_comparison& out) {
    if (single_runtime) { // whatever their names
        same_runtimes only;
        for (const study& s : all) only.names.push_back(s.runtimes[0].name);
        return {only};
    }
    std::vector<same_runtimes> runtimes;
    for (const std::string& name : common(all, &study::runtimes, "runtimes", out.warnings))
        runtimes.push_back({name, std::vector<std::string>(all.size(), name)});
    if (runtimes.empty())
        throw results_error(
            fmt::format("{} have no runtime in common; nothing to compare. Where names differ, say which are "
                        "the same: --same NAME_IN_FIRST=NAME_IN_SECOND",
                        fmt::join(labels_of(out), " and ")));
    return runtimes;
}

} // namespace

study_comparison compare_studies(studies all, std::vector<std::string> metrics,
                                 const std::vector<std::vector<std::string>>& same) {
    study_comparison out;
    const std::vector<std::string> labels = labels_of(all);
    for (std::size_t i = 0; i < all.size(); ++i)
        out.studies.push_back({labels[i], all[i].name, all[i].path, count_runs(all[i])});
    for (const study& s : all)
        for (const std::string& what : damage_of(s)) out.damage.push_back(what);
    for (std::size_t i = 0; i < all.size(); ++i)
        if (const auto limited = std::ranges::count_if(
                all[i].runs,
                [](const study_run& r) { return r.result.client && !r.result.client->arrival_limited.empty(); });
            limited > 0)
            out.warnings.push_back(fmt::format("{}: {} of {} runs are arrival-limited: ITL, TPOT and rates of arrivals "
                                               "say nothing of the server",
                                               labels[i], limited, all[i].runs.size()));
    for (std::size_t i = 1; i < all.size(); ++i)
        for (std::string& what : provenance_differences(all[0], labels[0], all[i], labels[i]))
            out.warnings.push_back(std::move(what));
    check_success(all);
    check_metrics(all, metrics);
    if (metrics.empty()) metrics = usual(all);
    const bool single_runtime = single(all, &study::runtimes);
    const auto runtimes = same.empty() ? runtimes_to_compare(all, single_runtime, out) : said_runtimes(all, same);
    const auto configs = compared_configs(all, single_runtime, out);
    for (const same_runtimes& r : runtimes) out.groups.push_back(group_of(all, out, r, configs, metrics));
    return out;
}

run_counts count_runs(const study& s, const std::string& runtime, const std::vector<std::string>& configs) {
    run_counts out;
    for (const study_run& run : s.runs) {
        if (!runtime.empty() && run.runtime != runtime) continue;
        if (!configs.empty() && std::ranges::find(configs, run.config) == configs.end()) continue;
        ++(run.ok() ? out.ok : run.damaged() ? out.damaged : out.failed);
    }
    return out;
}

bool regressed(const study_pair& p, double by_more_than_pct) {
    constexpr double from_nothing = std::numeric_limits<double>::infinity();
    return p.worse && std::abs(p.change_pct.value_or(from_nothing)) > by_more_than_pct;
}

} // namespace chimera::host
