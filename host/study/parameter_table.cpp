#include "study/parameter_table.hpp"

#include "statistics/description.hpp"
#include "study/metric_catalogue.hpp"
#include "study/scaling_table.hpp"

#include <algorithm>
#include <set>

namespace chimera::host {
namespace {

using json = nlohmann::ordered_json;

bool single_agents(const study& s) { return agents_of(s) < 2; }

std::string gained_metric(const study& s) {
    return single_agents(s) ? std::string("tokens_per_second_mean") : headline_of(s);
}

struct level {
    json value;
    std::vector<double> values;
};

/// The runs of a metric by the value of a parameter, in the order of the configurations.
std::vector<level> levels_of(const study& s, const std::set<std::string>& runtimes, const std::string& parameter,
                             const std::string& metric) {
    std::vector<level> out;
    for (const study_config& c : s.configs) {
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

json effect_json(const std::string& parameter, const std::string& metric, const std::vector<level>& levels) {
    std::vector<statistics::sample> samples;
    for (const level& l : levels) samples.emplace_back(l.values);
    const auto effect = statistics::effect_of(samples);
    if (!effect) return nullptr;
    json j{{"parameter", parameter}, {"metric", metric}, {"levels", json::array()}};
    for (std::size_t i = 0; i < levels.size(); ++i) {
        const statistics::description& d = effect->levels[i];
        j["levels"].push_back(
            {{"value", levels[i].value}, {"n", d.n}, {"mean", d.mean}, {"sd", d.n > 1 ? json(d.sd) : json(nullptr)}});
    }
    j["range_pct"] = or_null(effect->range_pct);
    j["eta_squared"] = effect->eta_squared;
    return j;
}

} // namespace

json parameter_table(const study& s, const std::vector<runtime_result>& results) {
    std::set<std::string> runtimes;
    for (const runtime_result& r : results)
        if (!r.serialized()) runtimes.insert(r.runtime->name);
    std::vector<std::string> parameters;
    for (const study_config& c : s.configs)
        for (const auto& [name, value] : c.parameters.items())
            if (std::ranges::find(parameters, name) == parameters.end() && !(name == agents_parameter && scales(s)))
                parameters.push_back(name);
    std::vector<std::string> metrics{"tokens_per_second_mean", "ttft_ms_p50"};
    if (!single_agents(s)) metrics.insert(metrics.begin(), headline_of(s));
    json out = json::array();
    for (const std::string& p : parameters)
        for (const std::string& m : metrics)
            if (json j = effect_json(p, m, levels_of(s, runtimes, p, m)); !j.is_null()) out.push_back(std::move(j));
    return out;
}

json improvement_table(const study& s) {
    const auto baseline = std::ranges::find_if(
        s.configs, [](const study_config& c) { return c.name == "default" || c.name == "baseline"; });
    if (baseline == s.configs.end()) return nullptr;
    const std::string metric = gained_metric(s);
    const auto described = [&](const study_config& c) {
        std::vector<double> values;
        for (const study_runtime& r : s.runtimes)
            for (const double v : values_of(s, r.name, metric, c.name)) values.push_back(v);
        return statistics::describe(values);
    };
    const statistics::description base = described(*baseline);
    if (base.n == 0 || base.mean == 0) return nullptr;
    std::vector<double> gains;
    json by_config = json::array();
    for (const study_config& c : s.configs) {
        const statistics::description d = described(c);
        if (d.n == 0) continue;
        const double gain = (d.mean - base.mean) / base.mean * 100;
        if (&c != &*baseline) gains.push_back(gain);
        by_config.push_back({{"config", c.name},
                             {"n", d.n},
                             {"mean", d.mean},
                             {"cv_pct", d.n > 1 ? json(d.cv_pct) : json(nullptr)},
                             {"improvement_pct", &c == &*baseline ? json(nullptr) : json(gain)}});
    }
    if (gains.empty()) return nullptr;
    const statistics::description d = statistics::describe(gains);
    const auto better = static_cast<double>(std::ranges::count_if(gains, [](double g) { return g > 0; }));
    return {{"baseline", baseline->name},
            {"metric", metric},
            {"success_rate_pct", better / static_cast<double>(gains.size()) * 100},
            {"peak_pct", d.max},
            {"mean_pct", d.mean},
            {"by_config", std::move(by_config)}};
}

} // namespace chimera::host
