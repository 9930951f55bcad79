#include "study/study_comparison.hpp"

#include "profile/nearest.hpp"
#include "study/metric_catalogue.hpp"
#include "study/results_json.hpp"
#include "study/runtime_result.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace chimera::host {
namespace {

using json = nlohmann::ordered_json;
using studies = std::span<const study>;

constexpr const char* usual_metrics[] = {"wall_ms",
                                         "ttft_ms_p50",
                                         "itl_ms_p50",
                                         "e2e_ms_p50",
                                         "tokens_per_second_mean",
                                         "throughput_tok_s",
                                         "inflation_ratio",
                                         "client_overhead_pct_mean"};

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
            throw study_error(all[i].path.string() + ": given twice; comparing results with themselves says nothing");
        out[i] = all[i].path.lexically_normal().string();
    }
    return out;
}

bool every_has(studies all, const std::string& metric) {
    return std::ranges::all_of(all, [&](const study& s) { return s.definitions.contains(metric); });
}

std::vector<std::string> usual(studies all) {
    std::vector<std::string> out;
    const std::string headline = every_has(all, "efficiency_pct") ? "efficiency_pct" : "estimated_efficiency_pct";
    if (every_has(all, headline)) out.push_back(headline);
    for (const char* metric : usual_metrics)
        if (every_has(all, metric)) out.emplace_back(metric);
    if (out.empty())
        throw study_error("the studies have no metric in common that clients can change; name some by --metric");
    return out;
}

void check_metrics(studies all, const std::vector<std::string>& metrics) {
    for (const std::string& metric : metrics)
        for (const study& s : all) {
            if (s.definitions.contains(metric)) continue;
            std::vector<std::string> known;
            for (const auto& [name, definition] : s.definitions) known.push_back(name);
            throw study_error(
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

study_pair pair_of(metric_comparison c) {
    const double a = c.figures.a.mean, b = c.figures.b.mean;
    const better way = better_of(c.metric);
    study_pair out{.figures = std::move(c), .change_pct = {}};
    if (a != 0) out.change_pct = (b - a) / std::abs(a) * 100;
    out.worse = detectable(out.figures) && way != better::neither && (way == better::higher ? b < a : b > a);
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

/// runtime empty: the only one of each study.
study_group group_of(studies all, const study_comparison& comparison, const std::string& runtime,
                     const std::vector<std::string>& configs, const std::vector<std::string>& metrics) {
    study_group out{.runtime = runtime, .pairs = {}};
    for (const std::string& metric : metrics) {
        std::vector<named_sample> samples;
        for (std::size_t i = 0; i < all.size(); ++i)
            samples.push_back(
                {comparison.labels[i],
                 sample_of(all[i], runtime.empty() ? all[i].runtimes[0].name : runtime, metric, configs)});
        for (metric_comparison& c : compare_all(metric, definition_of(all[0], metric).unit, samples))
            out.pairs.push_back(pair_of(std::move(c)));
    }
    return out;
}

} // namespace

study_comparison compare_studies(studies all, std::vector<std::string> metrics) {
    study_comparison out{.labels = labels_of(all), .groups = {}, .warnings = {}};
    check_metrics(all, metrics);
    if (metrics.empty()) metrics = usual(all);
    if (std::ranges::all_of(all, [](const study& s) { return s.runtimes.size() == 1; })) {
        out.groups.push_back(group_of(all, out, {}, {}, metrics));
        return out;
    }
    const auto runtimes = common(all, &study::runtimes, "runtimes", out.warnings);
    const auto configs = common(all, &study::configs, "configurations", out.warnings);
    if (runtimes.empty() || configs.empty())
        throw study_error(fmt::format("{} have no {} in common; nothing to compare", fmt::join(out.labels, " and "),
                                      runtimes.empty() ? "runtime" : "configuration"));
    for (const std::string& runtime : runtimes) out.groups.push_back(group_of(all, out, runtime, configs, metrics));
    return out;
}

bool regressed(const study_pair& p, double by_more_than_pct) {
    constexpr double from_nothing = std::numeric_limits<double>::infinity();
    return p.worse && std::abs(p.change_pct.value_or(from_nothing)) > by_more_than_pct;
}

json to_json(const study_comparison& c, studies all) {
    json j{{"schema_version", 1}, {"kind", "comparison"}, {"studies", json::array()}, {"groups", json::array()}};
    for (std::size_t i = 0; i < all.size(); ++i)
        j["studies"].push_back({{"label", c.labels[i]}, {"name", all[i].name}, {"path", all[i].path.string()}});
    for (const study_group& g : c.groups) {
        json pairs = json::array();
        for (const study_pair& p : g.pairs) {
            json entry = to_json(p.figures);
            entry["change_pct"] = or_null(p.change_pct);
            entry["worse"] = p.worse;
            pairs.push_back(std::move(entry));
        }
        j["groups"].push_back(
            {{"runtime", g.runtime.empty() ? json(nullptr) : json(g.runtime)}, {"comparisons", std::move(pairs)}});
    }
    j["warnings"] = c.warnings;
    return j;
}

} // namespace chimera::host
