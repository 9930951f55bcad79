#include "study/study.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <fnmatch.h>

#include <algorithm>
#include <utility>

namespace chimera::host {

std::vector<std::string> damage_of(const study& s) {
    std::vector<std::string> out = s.damage;
    for (const study_run& run : s.runs)
        if (run.damaged()) out.push_back(run.message);
    return out;
}

study part_of(study whole, const std::string& glob) {
    const auto matches = [&glob](const std::string& name) { return fnmatch(glob.c_str(), name.c_str(), 0) == 0; };
    const std::string example = whole.runs.empty() ? "" : whole.runs[0].runtime + "/" + whole.runs[0].config;
    std::erase_if(whole.runs, [&](const study_run& r) {
        const std::string group = r.runtime + "/" + r.config;
        return !matches(group) && !matches(fmt::format("{}/run_{}", group, r.number));
    });
    if (whole.runs.empty())
        throw results_error(fmt::format("--only '{}': matches none of the runs, such as those of '{}'", glob, example));
    std::erase_if(whole.runtimes, [&](const planned_runtime& t) {
        return std::ranges::find(whole.runs, t.name, &study_run::runtime) == whole.runs.end();
    });
    std::erase_if(whole.configs, [&](const planned_configuration& c) {
        return std::ranges::find(whole.runs, c.name, &study_run::config) == whole.runs.end();
    });
    whole.cells_planned = whole.runs.size(); // of the others nothing is said
    whole.cells_not_needed = 0;
    return whole;
}

const std::string& headline_of(const study& s) {
    const auto has = [&](metric m) {
        return std::ranges::any_of(s.runs, [&](const study_run& r) { return r.ok() && r.value(m).has_value(); });
    };
    for (const metric m :
         {metric::efficiency, metric::recovered_efficiency, metric::estimated_efficiency, metric::hundred_cycles})
        if (has(m)) return name_of(m);
    return name_of(metric::efficiency);
}

std::size_t agents_of(const study& s) {
    std::size_t n = 0;
    for (const study_run& r : s.runs) n = std::max(n, r.agents().size());
    return n;
}

std::string agent_name(const study& s, std::size_t place) {
    std::vector<std::string> names;
    for (const study_run& run : s.runs)
        if (place < run.agents().size())
            if (const std::string& id = run.agents()[place].id; std::ranges::find(names, id) == names.end())
                names.push_back(id);
    return fmt::format("{}", fmt::join(names, " / "));
}

std::vector<double> values_of(const study& s, const std::string& runtime, const std::string& figure_name,
                              const std::string& config) {
    std::vector<double> out;
    for (const study_run& run : s.runs) {
        if (run.runtime != runtime || !run.ok() || (!config.empty() && run.config != config)) continue;
        if (const auto v = run.value(figure_name)) out.push_back(*v);
    }
    return out;
}

figure_definition definition_of(const study& s, const std::string& figure_name) {
    if (const auto found = s.definitions.find(figure_name); found != s.definitions.end()) return found->second;
    const auto known = figure_named(figure_name);
    if (!known) return {"", "", "not measured"};
    figure_definition out = definition_of(*known, provenance::measured);
    out.provenance = "not measured";
    return out;
}

std::vector<std::string> figure_names(const study& s) {
    std::vector<std::string> out;
    for (const figure f : all_figures()) out.push_back(name_of(f));
    for (const auto& [name, definition] : s.definitions)
        if (!figure_named(name)) out.push_back(name);
    return out;
}

} // namespace chimera::host
