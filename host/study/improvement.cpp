#include "statistics/description.hpp"
#include "study/analysis.hpp"

#include <algorithm>
#include <functional>

namespace chimera::host {
namespace {

/// The agents ran one after the other in most of its runs.
bool is_serialized(const study& s, const std::string& runtime) {
    std::ptrdiff_t serialized = 0;
    for (const study_run& r : s.runs)
        if (r.runtime == runtime && r.ok() && r.result.serialization)
            serialized += r.result.serialization->serialized() ? 1 : -1;
    return serialized > 0;
}

/// Over the runs of the runtime that is wanted; empty: of all whose agents ran side by side.
statistics::description described_by(const study& s, const std::string& metric, const std::string& config,
                                     const std::string& runtime = {}) {
    std::vector<double> values;
    for (const planned_runtime& r : s.runtimes)
        if (runtime.empty() ? !is_serialized(s, r.name) : r.name == runtime)
            for (const double v : values_of(s, r.name, metric, config)) values.push_back(v);
    return statistics::describe(std::move(values));
}

bool gains(const std::string& metric, double mean, double base) {
    return better_of(metric) == better::lower ? mean < base : mean > base;
}

/// Counts the configurations that are better than the baseline, of one runtime or in one level of a parameter.
improved_group group_of(std::string kind, std::string name, const study& s, const improvement_report& i,
                        const std::string& runtime, const std::function<bool(const planned_configuration&)>& is_in) {
    improved_group out{std::move(kind), std::move(name), 0, 0};
    const auto base = described_by(s, i.metric, i.baseline, runtime);
    if (base.n == 0) return out;
    for (const planned_configuration& c : s.configs) {
        if (c.name == i.baseline || !is_in(c)) continue;
        const auto d = described_by(s, i.metric, c.name, runtime);
        if (d.n == 0) continue;
        ++out.configs;
        out.better += gains(i.metric, d.mean, base.mean);
    }
    return out;
}

void add_groups(improvement_report& out, const study& s) {
    const auto add = [&out](improved_group group) {
        if (group.configs > 0) out.groups.push_back(std::move(group));
    };
    if (s.runtimes.size() > 1)
        for (const planned_runtime& r : s.runtimes)
            add(group_of("runtime", r.name, s, out, r.name, [](const planned_configuration&) { return true; }));
    std::vector<std::pair<std::string, json>> levels;
    for (const planned_configuration& c : s.configs)
        if (c.name != out.baseline)
            for (const auto& [name, value] : c.parameters.items())
                if (const std::pair level(name, value); std::ranges::find(levels, level) == levels.end())
                    levels.push_back(level);
    std::ranges::stable_sort(levels, {}, [](const auto& level) { return level.first; });
    for (const auto& level : levels) {
        const json& value = level.second;
        add(group_of(level.first, value.is_string() ? value.get<std::string>() : value.dump(), s, out, "",
                     [&level](const planned_configuration& c) {
                         const auto found = c.parameters.find(level.first);
                         return found != c.parameters.end() && *found == level.second;
                     }));
    }
}

std::optional<improvement_report> improvement_by(const study& s, const std::string& baseline,
                                                 const std::string& metric) {
    const statistics::description base = described_by(s, metric, baseline);
    if (base.n == 0 || base.mean == 0) return std::nullopt;
    improvement_report out;
    out.baseline = baseline;
    out.metric = metric;
    std::vector<double> changes;
    std::size_t better = 0;
    for (const planned_configuration& c : s.configs) {
        const statistics::description d = described_by(s, metric, c.name);
        if (d.n == 0) continue;
        const double change = (d.mean - base.mean) / base.mean * 100;
        const bool is_baseline = c.name == baseline;
        if (!is_baseline) {
            changes.push_back(change);
            better += gains(metric, d.mean, base.mean);
        }
        out.by_config.push_back({c.name, d.n, d.mean, d.n > 1 ? std::optional(d.cv_pct) : std::nullopt,
                                 is_baseline ? std::nullopt : std::optional(change)});
    }
    if (changes.empty()) return std::nullopt;
    out.success_rate_pct = static_cast<double>(better) / static_cast<double>(changes.size()) * 100;
    const statistics::description d = statistics::describe(std::move(changes));
    out.peak_pct = better_of(metric) == host::better::lower ? d.min : d.max;
    out.mean_pct = d.mean;
    add_groups(out, s);
    return out;
}

} // namespace

std::vector<improvement_report> improvements_of(const study& s) {
    std::vector<improvement_report> out;
    const auto baseline = std::ranges::find_if(
        s.configs, [](const planned_configuration& c) { return c.name == "default" || c.name == "baseline"; });
    if (baseline == s.configs.end()) return out;
    for (const std::string& metric : {choice_of(s), name_of({metric::ttft, statistic::p50})})
        if (auto report = improvement_by(s, baseline->name, metric)) out.push_back(std::move(*report));
    return out;
}

} // namespace chimera::host
