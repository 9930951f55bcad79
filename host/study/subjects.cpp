#include "study/subjects.hpp"

#include "process/messages.hpp"
#include "statistics/description.hpp"
#include "study/analysis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include <fnmatch.h>

namespace chimera::host {
namespace {

std::pair<std::string, std::string> parts_of_subject(const std::string& subject) {
    const auto slash = subject.find('/');
    return slash == std::string::npos ? std::pair(subject, std::string("*"))
                                      : std::pair(subject.substr(0, slash), subject.substr(slash + 1));
}

bool matches(const std::string& pattern, const std::string& name) {
    return pattern == name || fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

/// The names that a pattern matches, in the study's order.
template <class T>
std::vector<std::string> matched(const std::vector<T>& items, const std::string& pattern) {
    std::vector<std::string> out;
    for (const T& item : items)
        if (matches(pattern, item.name)) out.push_back(item.name);
    return out;
}

template <class T>
std::string not_there(const char* what, const std::string& pattern, const std::vector<T>& items) {
    std::vector<std::string> known;
    for (const T& item : items) known.push_back(item.name);
    return fmt::format("the study has no {} \"{}\"; {}", what, pattern, suggest(pattern, known));
}

std::vector<double> means_of(const std::vector<std::vector<double>>& groups) {
    std::vector<double> out;
    for (const auto& g : groups) out.push_back(statistics::describe(g).mean);
    return out;
}

/// How many agents the runs have that values_of() takes.
void add_agents(const study& s, const std::string& runtime, const std::string& config, const std::string& metric,
                std::set<std::size_t>& out) {
    for (const study_run& run : s.runs)
        if (run.ok() && run.runtime == runtime && run.config == config && run.value(metric))
            out.insert(run.agents().size());
}

} // namespace

subject_sample sample_of(const study& s, const std::string& subject, const std::string& metric) {
    subject_sample out;
    const auto [runtime_pattern, config_pattern] = parts_of_subject(subject);
    const std::vector<std::string> runtimes = matched(s.runtimes, runtime_pattern);
    const std::vector<std::string> configs = matched(s.configs, config_pattern);
    if (runtimes.empty()) {
        out.missing = not_there("runtime", runtime_pattern, s.runtimes);
        return out;
    }
    if (configs.empty()) {
        out.missing = not_there("configuration", config_pattern, s.configs);
        return out;
    }
    std::set<std::size_t> agents;
    for (const std::string& runtime : runtimes)
        for (const std::string& config : configs) {
            std::vector<double> values = values_of(s, runtime, metric, config);
            if (values.empty()) continue;
            add_agents(s, runtime, config, metric, agents);
            out.runs.insert(out.runs.end(), values.begin(), values.end());
            out.configs.push_back(std::move(values));
        }
    if (agents.size() == 1) out.agents = *agents.begin();
    if (out.empty())
        out.missing = s.definitions.contains(metric) ? fmt::format("no successful run of {} has {}", subject, metric)
                                                     : fmt::format("the study did not measure {}", metric);
    return out;
}

std::optional<double> figure_of(const subject_sample& sample, const measure& m) {
    if (sample.empty()) return std::nullopt;
    if (m.how == aggregate::mean_sd) {
        double sum = 0;
        for (const auto& runs : sample.configs) {
            if (runs.size() < 2) return std::nullopt;
            sum += statistics::describe(runs).sd;
        }
        return sum / static_cast<double>(sample.configs.size());
    }
    std::vector<double> values = m.over == sample_unit::runs ? sample.runs : means_of(sample.configs);
    std::ranges::sort(values);
    const statistics::description d = statistics::describe(values);
    const auto scatter = [&d](double value) { return d.n > 1 ? std::optional(value) : std::nullopt; };
    switch (m.how) {
    case aggregate::mean:
        return d.mean;
    case aggregate::sd:
        return scatter(d.sd);
    case aggregate::median:
        return d.p50;
    case aggregate::min:
        return d.min;
    case aggregate::max:
        return d.max;
    case aggregate::q1:
        return statistics::quantile(values, 0.25);
    case aggregate::q3:
        return statistics::quantile(values, 0.75);
    case aggregate::cv_pct:
        return scatter(d.cv_pct);
    case aggregate::ci95_low:
        return d.ci95 ? std::optional(d.ci95->low) : std::nullopt;
    case aggregate::ci95_high:
        return d.ci95 ? std::optional(d.ci95->high) : std::nullopt;
    case aggregate::range:
        return d.max - d.min;
    case aggregate::count:
        return static_cast<double>(d.n);
    case aggregate::mean_sd:
        break;
    }
    return std::nullopt;
}

std::string words_of(const measure& m) {
    const bool runs = m.over == sample_unit::runs;
    switch (m.how) {
    case aggregate::mean:
        return runs ? "mean" : "mean of the configuration means";
    case aggregate::sd:
        return runs ? "sd" : "sd of the configuration means";
    case aggregate::mean_sd:
        return "mean sd within a configuration";
    case aggregate::median:
        return runs ? "median" : "median of the configuration means";
    case aggregate::min:
        return runs ? "lowest run" : "lowest configuration mean";
    case aggregate::max:
        return runs ? "highest run" : "highest configuration mean";
    case aggregate::q1:
        return runs ? "first quartile" : "first quartile of the configuration means";
    case aggregate::q3:
        return runs ? "third quartile" : "third quartile of the configuration means";
    case aggregate::cv_pct:
        return runs ? "CV" : "CV of the configuration means";
    case aggregate::ci95_low:
        return runs ? "lower end of the 95 % interval" : "lower end of the 95 % interval over configurations";
    case aggregate::ci95_high:
        return runs ? "upper end of the 95 % interval" : "upper end of the 95 % interval over configurations";
    case aggregate::range:
        return runs ? "range" : "range of the configuration means";
    case aggregate::count:
        break;
    }
    return runs ? "number of runs" : "number of configurations";
}

std::string unit_of_metric(const study& s, const std::string& metric) {
    const std::string unit = definition_of(s, metric).unit;
    return unit == "1" ? "" : unit;
}

std::string unit_of_difference(const study& s, const std::string& metric) {
    return unit_of_difference(unit_of_metric(s, metric));
}

std::string amount(double value, const std::string& unit) {
    return fmt::format("{}{}{}", rounded(value), unit.empty() ? "" : " ",
                       value == 1 && unit == "points" ? "point" : unit);
}

std::vector<std::string> rivals_of(const study& s, const std::string& subject) {
    std::vector<std::string> out;
    if (subject.find('/') == std::string::npos) {
        for (const planned_runtime& r : s.runtimes) out.push_back(r.name);
    } else {
        const std::string runtime = parts_of_subject(subject).first;
        for (const planned_configuration& c : s.configs) out.push_back(runtime + "/" + c.name);
    }
    return out;
}

std::string full_name(const study& s, const std::string& subject) {
    const auto [runtime, config] = parts_of_subject(subject);
    if (subject.find('/') == std::string::npos) return subject;
    const std::vector<std::string> configs = matched(s.configs, config);
    return configs.size() == 1 ? runtime + "/" + configs[0] : subject;
}

bool same_runs(const study& s, const std::string& a, const std::string& b) {
    return full_name(s, a) == full_name(s, b);
}

} // namespace chimera::host
