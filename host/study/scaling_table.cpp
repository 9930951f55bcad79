#include "study/scaling_table.hpp"

#include "statistics/scaling.hpp"
#include "study/runtime_result.hpp"

#include <fmt/format.h>

#include <map>
#include <set>

namespace chimera::host {
namespace {

using json = nlohmann::ordered_json;

constexpr std::size_t fewest_levels = 3;

std::optional<double> agents_of(const study_config& c) {
    const auto found = c.parameters.find(agents_parameter);
    return found != c.parameters.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
}

/// "think_ms=0, model=x": what tells one series from another.
std::string series_of(const study_config& c) {
    std::string out;
    for (const auto& [name, value] : c.parameters.items())
        if (name != agents_parameter)
            out += fmt::format("{}{}={}", out.empty() ? "" : ", ", name,
                               value.is_string() ? value.get<std::string>() : value.dump());
    return out;
}

using series = std::map<double, std::vector<const study_config*>>; // by number of agents

std::vector<double> values_at(const study& s, const std::string& runtime,
                              const std::vector<const study_config*>& configs, const char* metric) {
    std::vector<double> out;
    for (const study_config* c : configs)
        for (const double v : values_of(s, runtime, metric, c->name)) out.push_back(v);
    return out;
}

std::optional<double> mean(const std::vector<double>& values) {
    return values.empty() ? std::nullopt : std::optional(statistics::describe(values).mean);
}

json fits(const std::vector<statistics::scaling_point>& points) {
    json out{{"amdahl", nullptr}, {"usl", nullptr}, {"saturation_n", or_null(statistics::saturation_point(points))}};
    if (const auto f = statistics::fit_amdahl(points))
        out["amdahl"] = {{"serial_fraction", f->serial_fraction}, {"rate", f->rate}, {"r2", f->r2}};
    if (const auto f = statistics::fit_usl(points))
        out["usl"] = {{"contention", f->contention},
                      {"coherency", f->coherency},
                      {"rate", f->rate},
                      {"r2", f->r2},
                      {"peak_n", or_null(f->peak_n)}};
    return out;
}

json series_json(const study& s, const std::string& runtime, const std::string& name, const series& levels) {
    json points = json::array();
    std::vector<statistics::scaling_point> measured; // one a run: the fits weigh runs, not levels
    const std::string headline = headline_of(s);
    for (const auto& [n, configs] : levels) {
        const std::vector<double> throughput = values_at(s, runtime, configs, "throughput_tok_s");
        if (throughput.empty()) continue;
        for (const double v : throughput) measured.push_back({n, v});
        const auto d = statistics::describe(throughput);
        points.push_back({{"n", n},
                          {"runs", d.n},
                          {"throughput_mean", d.mean},
                          {"throughput_ci95", to_json(d.ci95)},
                          {"efficiency_mean_pct", or_null(mean(values_at(s, runtime, configs, headline.c_str())))},
                          {"jain", or_null(mean(values_at(s, runtime, configs, "jain_index")))}});
    }
    if (points.empty()) return nullptr;
    json out{{"runtime", runtime}, {"series", name}, {"points", std::move(points)}};
    out.update(fits(measured));
    return out;
}

} // namespace

bool scales(const study& s) {
    std::set<double> levels;
    for (const study_config& c : s.configs)
        if (const auto n = agents_of(c)) levels.insert(*n);
    return levels.size() >= fewest_levels;
}

json scaling_table(const study& s) {
    json out = json::array();
    if (!scales(s)) return out;
    std::vector<std::pair<std::string, series>> all; // in the order of the configurations
    for (const study_config& c : s.configs) {
        const auto n = agents_of(c);
        if (!n) continue;
        const std::string name = series_of(c);
        auto found = std::ranges::find(all, name, &std::pair<std::string, series>::first);
        if (found == all.end()) found = all.insert(all.end(), {name, {}});
        found->second[*n].push_back(&c);
    }
    for (const study_runtime& r : s.runtimes)
        for (const auto& [name, levels] : all)
            if (json j = series_json(s, r.name, name, levels); !j.is_null()) out.push_back(std::move(j));
    return out;
}

} // namespace chimera::host
