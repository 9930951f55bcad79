#include "study/analysis.hpp"

#include "statistics/description.hpp"
#include "statistics/scaling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace chimera::host {
namespace {

constexpr figure token_rate{metric::tokens_per_second, statistic::mean};
constexpr figure median_ttft{metric::ttft, statistic::p50};
constexpr std::size_t fewest_levels = 3;

std::optional<double> agents_in(const planned_configuration& c) {
    const auto found = c.parameters.find(agents_parameter);
    return found != c.parameters.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
}

/// "think_ms=0, model=x": what tells one series from another.
std::string series_of(const planned_configuration& c) {
    std::string out;
    for (const auto& [name, value] : c.parameters.items())
        if (name != agents_parameter)
            out += fmt::format("{}{}={}", out.empty() ? "" : ", ", name,
                               value.is_string() ? value.get<std::string>() : value.dump());
    return out;
}

using series = std::map<double, std::vector<const planned_configuration*>>; // by number of agents

std::vector<double> values_at(const study& s, const std::string& runtime,
                              const std::vector<const planned_configuration*>& configs, const std::string& metric) {
    std::vector<double> out;
    for (const planned_configuration* c : configs)
        for (const double v : values_of(s, runtime, metric, c->name)) out.push_back(v);
    return out;
}

std::optional<double> mean(const std::vector<double>& values) {
    return values.empty() ? std::nullopt : std::optional(statistics::describe(values).mean);
}

/// Without points where no run has a throughput.
scaling_report series_report(const study& s, const std::string& runtime, const std::string& name,
                             const series& levels) {
    scaling_report out{.runtime = runtime, .series = name, .points = {}, .amdahl = {}, .usl = {}, .saturation_n = {}};
    std::vector<statistics::scaling_point> measured; // one for each run: the fits weigh runs, not levels
    for (const auto& [n, configs] : levels) {
        const std::vector<double> throughput = values_at(s, runtime, configs, name_of(metric::throughput));
        if (throughput.empty()) continue;
        for (const double v : throughput) measured.push_back({n, v});
        const auto d = statistics::describe(throughput);
        out.points.push_back({.n = n,
                              .runs = d.n,
                              .throughput_mean = d.mean,
                              .throughput_ci95 = d.ci95,
                              .efficiency_mean_pct = mean(values_at(s, runtime, configs, headline_of(s))),
                              .jain = mean(values_at(s, runtime, configs, name_of(metric::jain_index)))});
    }
    if (const auto f = statistics::fit_amdahl(measured)) out.amdahl = amdahl_report{f->serial_fraction, f->rate, f->r2};
    if (const auto f = statistics::fit_usl(measured))
        out.usl = usl_report{f->contention, f->coherency, f->rate, f->r2, f->peak_n};
    out.saturation_n = statistics::saturation_point(measured);
    return out;
}

bool single_agents(const study& s) { return agents_of(s) < 2; }

struct level {
    json value;
    std::vector<double> values;
};

/// The runs of a metric by the value of a parameter, in the order of the configurations.
std::vector<level> levels_of(const study& s, const std::set<std::string>& runtimes, const std::string& parameter,
                             const std::string& metric) {
    std::vector<level> out;
    for (const planned_configuration& c : s.configs) {
        const auto value = c.parameters.find(parameter);
        if (value == c.parameters.end()) continue;
        auto at = std::ranges::find(out, *value, &level::value);
        if (at == out.end()) at = out.insert(out.end(), {*value, {}});
        for (const std::string& r : runtimes)
            for (const double v : values_of(s, r, metric, c.name)) at->values.push_back(v);
    }
    std::erase_if(out, [](const level& l) { return l.values.empty(); });
    std::ranges::stable_sort(out, {}, [](const level& l) { return l.value.is_number() ? l.value.get<double>() : 0; });
    return out;
}

std::optional<parameter_report> effect_report(const std::string& parameter, const std::string& metric,
                                              const std::vector<level>& levels) {
    std::vector<statistics::sample> samples;
    for (const level& l : levels) samples.emplace_back(l.values);
    const auto effect = statistics::effect_of(samples);
    if (!effect) return std::nullopt;
    parameter_report out{parameter, metric, {}, effect->range_pct, effect->eta_squared};
    for (std::size_t i = 0; i < levels.size(); ++i) {
        const statistics::description& d = effect->levels[i];
        out.levels.push_back({levels[i].value, d.n, d.mean, d.n > 1 ? std::optional(d.sd) : std::nullopt});
    }
    return out;
}

} // namespace

bool scales(const study& s) {
    std::set<double> levels;
    for (const planned_configuration& c : s.configs)
        if (const auto n = agents_in(c)) levels.insert(*n);
    return levels.size() >= fewest_levels;
}

std::vector<scaling_report> scaling_of(const study& s) {
    std::vector<scaling_report> out;
    if (!scales(s)) return out;
    std::vector<std::pair<std::string, series>> all; // in the order of the configurations
    for (const planned_configuration& c : s.configs) {
        const auto n = agents_in(c);
        if (!n) continue;
        const std::string name = series_of(c);
        auto found = std::ranges::find(all, name, &std::pair<std::string, series>::first);
        if (found == all.end()) found = all.insert(all.end(), {name, {}});
        found->second[*n].push_back(&c);
    }
    for (const planned_runtime& r : s.runtimes)
        for (const auto& [name, levels] : all)
            if (auto report = series_report(s, r.name, name, levels); !report.points.empty())
                out.push_back(std::move(report));
    return out;
}

std::vector<parameter_report> parameters_of(const study& s, const std::vector<runtime_report>& reports) {
    std::set<std::string> runtimes;
    for (const runtime_report& r : reports)
        if (!r.serialized()) runtimes.insert(r.name);
    std::vector<std::string> parameters;
    for (const planned_configuration& c : s.configs)
        for (const auto& [name, value] : c.parameters.items())
            if (std::ranges::find(parameters, name) == parameters.end() && !(name == agents_parameter && scales(s)))
                parameters.push_back(name);
    std::vector<std::string> metrics{name_of(token_rate), name_of(median_ttft)};
    if (!single_agents(s)) metrics.insert(metrics.begin(), headline_of(s));
    std::vector<parameter_report> out;
    for (const std::string& p : parameters)
        for (const std::string& m : metrics)
            if (auto report = effect_report(p, m, levels_of(s, runtimes, p, m))) out.push_back(std::move(*report));
    return out;
}

} // namespace chimera::host
