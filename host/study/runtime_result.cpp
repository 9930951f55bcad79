#include "study/runtime_result.hpp"

#include "study/metric_catalogue.hpp"

#include <algorithm>

namespace chimera::host {
namespace {

using json = nlohmann::ordered_json;

json text_or_null(const std::string& text) { return text.empty() ? json(nullptr) : json(text); }

/// A figure of a description that says nothing about an empty sample.
json figure(const statistics::description& d, double value) { return d.n > 0 ? json(value) : json(nullptr); }

/// A scatter takes two values.
json scatter(const statistics::description& d, double value) { return d.n > 1 ? json(value) : json(nullptr); }

json values_json(const runtime_result& r) {
    json out = json::object();
    for (const auto& [name, d] : r.values)
        out[name] = {{"n", d.n},        {"mean", d.mean}, {"sd", scatter(d, d.sd)}, {"cv_pct", scatter(d, d.cv_pct)},
                     {"median", d.p50}, {"min", d.min},   {"max", d.max},           {"ci95", to_json(d.ci95)}};
    return out;
}

json loss_json(const runtime_result& r) {
    json out;
    for (const auto& [name, metric] : loss_parts) out[name] = or_null(r.mean(metric));
    return out;
}

json runtime_json(const runtime_result& r) {
    const statistics::description& d = r.headline;
    json j{{"name", r.runtime->name},
           {"executor", text_or_null(r.runtime->executor)},
           {"transport", text_or_null(r.runtime->transport)},
           {"foreign", text_or_null(r.runtime->foreign)},
           {"n", d.n},
           {"mean_pct", figure(d, d.mean)},
           {"sd_pct", scatter(d, d.sd)},
           {"sd_of_config_means_pct", or_null(r.sd_of_config_means)},
           {"cv_pct", scatter(d, d.cv_pct)},
           {"median_pct", figure(d, d.p50)},
           {"min_pct", figure(d, d.min)},
           {"peak_pct", figure(d, d.max)},
           {"ci95_pct", to_json(d.ci95)},
           {"outliers", json::array()},
           {"estimated_mean_pct", or_null(r.mean("estimated_efficiency_pct"))},
           {"imbalance_bound_mean_pct", or_null(r.mean("imbalance_bound_pct"))},
           {"remainder_mean_pct", or_null(r.mean("remainder_pct"))},
           {"loss_pct", loss_json(r)},
           {"serialized_runs", r.judged_runs > 0 ? json(r.serialized_runs) : json(nullptr)},
           {"cause", text_or_null(r.cause)},
           {"evidence", text_or_null(r.evidence)},
           {"client_limited_runs", r.checked_runs > 0 ? json(r.client_limited_runs) : json(nullptr)},
           {"arrival_limited_runs", r.checked_runs > 0 ? json(r.arrival_limited_runs) : json(nullptr)},
           {"values", values_json(r)}};
    for (const auto& [run, value] : r.outliers)
        j["outliers"].push_back({{"config", run->config}, {"run", run->number}, {"value", value}});
    return j;
}

runtime_result result_of(const study& s, const study_runtime& runtime, const std::string& headline) {
    runtime_result r{.runtime = &runtime,
                     .headline = {},
                     .outliers = {},
                     .sd_of_config_means = {},
                     .values = {},
                     .cause = {},
                     .evidence = {}};
    std::vector<const study_run*> with_headline;
    for (const study_run& run : s.runs) {
        if (run.runtime != runtime.name || !run.ok()) continue;
        ++r.runs;
        if (run.value(headline)) with_headline.push_back(&run);
        r.checked_runs += run.self_check.has_value();
        r.client_limited_runs += run.self_check && !run.self_check->client_limited.empty();
        r.arrival_limited_runs += run.self_check && !run.self_check->arrival_limited.empty();
        r.judged_runs += run.serialization.has_value();
        if (!run.serialization || !run.serialization->serialized || r.serialized_runs++ > 0) continue;
        r.cause = run.serialization->cause;
        r.evidence = run.serialization->evidence;
    }
    const std::vector<double> headlines = values_of(s, runtime.name, headline);
    r.headline = statistics::describe(headlines);
    for (const std::size_t i : statistics::outliers(headlines))
        r.outliers.emplace_back(with_headline[i], *with_headline[i]->value(headline));
    std::vector<double> config_means;
    for (const study_config& c : s.configs)
        if (const auto d = statistics::describe(values_of(s, runtime.name, headline, c.name)); d.n > 0)
            config_means.push_back(d.mean);
    if (config_means.size() > 1) r.sd_of_config_means = statistics::describe(config_means).sd;
    for (const std::string& metric : metric_names(s))
        if (auto d = statistics::describe(values_of(s, runtime.name, metric)); d.n > 0)
            r.values.emplace(metric, std::move(d));
    return r;
}

} // namespace

json to_json(const std::optional<statistics::interval>& i) { return i ? json{i->low, i->high} : json(nullptr); }

std::string headline_of(const study& s) {
    const auto has = [&](const char* metric) {
        return std::ranges::any_of(s.runs, [&](const study_run& r) { return r.ok() && r.value(metric).has_value(); });
    };
    return has("efficiency_pct") || !has("estimated_efficiency_pct") ? "efficiency_pct" : "estimated_efficiency_pct";
}

std::size_t agents_of(const study& s) {
    std::size_t n = 0;
    for (const study_run& r : s.runs) n = std::max(n, r.agents.size());
    return n;
}

std::vector<double> values_of(const study& s, const std::string& runtime, const std::string& metric,
                              const std::string& config) {
    std::vector<double> out;
    for (const study_run& run : s.runs) {
        if (run.runtime != runtime || !run.ok() || (!config.empty() && run.config != config)) continue;
        if (const auto v = run.value(metric)) out.push_back(*v);
    }
    return out;
}

std::optional<double> runtime_result::mean(const std::string& metric) const {
    const auto found = values.find(metric);
    return found == values.end() ? std::nullopt : std::optional(found->second.mean);
}

std::vector<runtime_result> results_of(const study& s) {
    const std::string headline = headline_of(s);
    std::vector<runtime_result> out;
    for (const study_runtime& r : s.runtimes) out.push_back(result_of(s, r, headline));
    return out;
}

json to_json(const std::vector<runtime_result>& results) {
    json out = json::array();
    for (const runtime_result& r : results) out.push_back(runtime_json(r));
    return out;
}

json config_table(const study& s) {
    const std::string headline = headline_of(s);
    json out = json::array();
    for (const study_runtime& r : s.runtimes)
        for (const study_config& c : s.configs) {
            const auto d = statistics::describe(values_of(s, r.name, headline, c.name));
            out.push_back({{"runtime", r.name},
                           {"config", c.name},
                           {"n", d.n},
                           {"mean_pct", figure(d, d.mean)},
                           {"sd_pct", scatter(d, d.sd)},
                           {"ci95_pct", to_json(d.ci95)},
                           {"min_pct", figure(d, d.min)},
                           {"peak_pct", figure(d, d.max)},
                           {"median_pct", figure(d, d.p50)}});
        }
    return out;
}

} // namespace chimera::host
