#include "measure/metrics.hpp"

#include "measure/metric_definition.hpp"

#include <algorithm>
#include <cassert>
#include <span>

namespace chimera::host {
namespace {

/// One metric after the other over all the records, so that the largest sample is all the memory it takes: pieces of
/// bodies go into the millions.
std::vector<metric> described(std::span<const run_record> runs) {
    std::vector<run_facts> facts;
    for (const run_record& run : runs)
        if (run.complete()) facts.push_back(facts_of(run));
    std::vector<metric> out;
    for (const metric_definition_row& d : metric_definitions()) {
        sample values;
        if (const auto* value = std::get_if<of_run>(&d.values)) {
            for (const run_facts& f : facts)
                if (const std::optional<double> x = (*value)(f)) values.push_back(*x);
        } else {
            for (const run_record& run : runs)
                for (const agent_record& a : run.concurrent.agents)
                    for (const request_record& r : a.requests)
                        if (r.ok()) std::get<of_request>(d.values)(a, r, values);
        }
        out.push_back({d.name, d.unit, d.text, d.from, d.level(), statistics::describe(std::move(values))});
    }
    return out;
}

} // namespace

std::vector<metric> metrics_of(const std::vector<run_record>& runs) { return described(runs); }

std::vector<metric> metrics_of_run(const run_record& run) { return described({&run, 1}); }

std::vector<run_value> values_of(const std::vector<metric>& of_one_run) {
    std::vector<run_value> out;
    for (const metric& m : of_one_run) {
        if (m.values.n == 0) continue;
        const std::string name(m.name);
        if (m.level == metric_level::per_run) {
            out.push_back({name, &m, m.values.mean});
            continue;
        }
        for (const auto& [suffix, value] : {std::pair{"_mean", m.values.mean},
                                            {"_p50", m.values.p50},
                                            {"_p95", m.values.p95},
                                            {"_p99", m.values.p99}})
            out.push_back({name + suffix, &m, value});
    }
    return out;
}

const char* name_of(provenance from) noexcept {
    using enum provenance;
    switch (from) {
    case measured:
        return "measured";
    case derived:
        return "derived";
    case estimated:
        return "estimated";
    }
    return "unknown";
}

const statistics::description& find(const std::vector<metric>& metrics, std::string_view name) {
    const auto found = std::ranges::find(metrics, name, &metric::name);
    assert(found != metrics.end());
    return found->values;
}

std::optional<serialization_verdict> judge_serialization(const std::vector<run_record>& runs,
                                                         const std::string& executor) {
    std::vector<serialization_verdict> verdicts;
    for (const run_record& run : runs)
        if (run.concurrent.ok() && run.concurrent.pieces && run.concurrent.agents.size() > 1)
            verdicts.push_back(judge_serialization(run.concurrent, executor));
    const auto serialized =
        static_cast<std::size_t>(std::ranges::count_if(verdicts, &serialization_verdict::serialized));
    const bool verdict = serialized * 2 > verdicts.size();
    for (const serialization_verdict& v : verdicts)
        if (v.serialized == verdict) return v;
    return std::nullopt;
}

} // namespace chimera::host
