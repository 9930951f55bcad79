#include "study/metric_catalogue.hpp"

#include "measure/metrics.hpp"

#include <algorithm>
#include <cassert>

namespace chimera::host {
namespace {

// Of every metric that is in neither of these, less is better.
constexpr std::string_view higher_is_better[] = {"efficiency_pct", "estimated_efficiency_pct", "speedup",
                                                 "jain_index",     "throughput_tok_s",         "tokens_per_second"};
constexpr std::string_view no_way_is_better[] = {"imbalance_bound_pct", "imbalance_pct", "sequential_ms", "tokens"};

struct known_metric {
    std::string name;
    metric_definition definition;
    better way;
};

better way_of(std::string_view name) {
    const auto among = [name](const auto& names) { return std::ranges::find(names, name) != std::end(names); };
    if (among(higher_is_better)) return better::higher;
    return among(no_way_is_better) ? better::neither : better::lower;
}

/// A metric of requests is four numbers of a run: values_of (measure/metrics.hpp).
const std::vector<known_metric>& catalogue() {
    static const std::vector<known_metric> known = [] {
        std::vector<known_metric> out;
        for (const metric& m : metrics_of({})) {
            const metric_definition d{std::string(m.unit), std::string(m.definition), "not measured"};
            const std::string name(m.name);
            if (m.level == metric_level::per_run) out.push_back({name, d, way_of(name)});
            if (m.level == metric_level::per_request)
                for (const char* suffix : {"_mean", "_p50", "_p95", "_p99"})
                    out.push_back({name + suffix, d, way_of(name)});
        }
        return out;
    }();
    return known;
}

const known_metric* find(std::string_view metric) {
    const auto found = std::ranges::find(catalogue(), metric, &known_metric::name);
    return found == catalogue().end() ? nullptr : &*found;
}

} // namespace

better better_of(std::string_view metric) {
    const known_metric* known = find(metric);
    return known ? known->way : better::neither;
}

metric_definition definition_of(const study& s, const std::string& metric) {
    if (const auto found = s.definitions.find(metric); found != s.definitions.end()) return found->second;
    const known_metric* known = find(metric);
    return known ? known->definition : metric_definition{"", "", "not measured"};
}

std::vector<std::string> metric_names(const study& s) {
    std::vector<std::string> out;
    for (const known_metric& m : catalogue()) out.push_back(m.name);
    for (const auto& [name, definition] : s.definitions)
        if (!find(name)) out.push_back(name);
    return out;
}

metric_definition catalogued(std::string_view metric, std::string_view provenance) {
    const known_metric* known = find(metric);
    assert(known);
    metric_definition out = known->definition;
    out.provenance = provenance;
    return out;
}

} // namespace chimera::host
