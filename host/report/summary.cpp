#include "report/summary.hpp"

#include "report/warnings.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace chimera::host {
namespace {

void collect(std::vector<failure>& out, int run, const char* execution, const execution_record& x) {
    for (const agent_record& a : x.agents) {
        for (const request_record& r : a.requests)
            if (!r.ok()) out.push_back({run, execution, a.id, r.call, r.error.empty() ? "not finished" : r.error});
        if (!a.error.empty()) out.push_back({run, execution, a.id, "", a.error});
    }
}

void count(campaign_summary& s, const execution_record& x) {
    for (const agent_record& a : x.agents)
        for (const request_record& r : a.requests) {
            ++s.requests;
            if (!r.ok()) {
                ++s.failed_requests;
                continue;
            }
            const char* from = r.counted_by_server() ? "server" : "content records";
            s.tokens_from = s.tokens_from.empty() || s.tokens_from == from ? from : "mixed";
        }
}

} // namespace

std::vector<failure> failures_of(const std::vector<run_record>& runs) {
    std::vector<failure> out;
    for (const run_record& run : runs) {
        for (const execution_record& x : run.baseline) collect(out, run.number, "alone", x);
        collect(out, run.number, "together", run.concurrent);
    }
    return out;
}

campaign_summary summarize(const profile& what, const std::vector<run_record>& runs) {
    campaign_summary s{.what = what,
                       .metrics = metrics_of(runs),
                       .client = {},
                       .serialization = judge_serialization(runs, what.executor.plugin),
                       .alerts = {},
                       .failures = failures_of(runs),
                       .warnings = {},
                       .runs = {},
                       .tokens_from = {},
                       .files = {}};
    s.client = check_client(s.metrics);
    s.alerts = judge_alerts(what.alerts, runs, s.metrics);
    for (const run_record& run : runs) {
        if (run.number > 0) s.runs.push_back(run.number);
        if (run.number > 0 && run.complete()) ++s.complete_runs;
        for (const execution_record& x : run.baseline) count(s, x);
        count(s, run.concurrent);
    }
    s.warnings = warnings_of(what, runs);
    return s;
}

nlohmann::ordered_json to_json(const self_check& c) {
    std::vector<std::string> evidence = c.evidence;
    if (!c.arrival_evidence.empty()) evidence.push_back(c.arrival_evidence);
    return {{"client_limited", c.client_limited}, {"arrival_limited", c.arrival_limited}, {"evidence", evidence}};
}

nlohmann::ordered_json to_json(const std::optional<serialization_verdict>& v) {
    if (!v) return nullptr;
    return {{"verdict", v->serialized ? "serialized" : "parallel"},
            {"cause", name_of(v->cause)},
            {"overlap_pct", v->overlap_pct},
            {"evidence", v->evidence}};
}

std::string backend_of(const profile& p) {
    const auto simulated = std::ranges::count_if(p.workload.agents, [](const agent_spec& a) { return a.url.empty(); });
    if (simulated == 0) return "server";
    return static_cast<std::size_t>(simulated) == p.workload.agents.size() ? "simulator" : "mixed";
}

nlohmann::ordered_json to_json(const campaign_summary& s) {
    using json = nlohmann::ordered_json;
    const profile& p = s.what;
    json j;
    j["schema_version"] = summary_schema_version;
    j["profile"] = p.name;
    j["config"] = config_name(p);
    j["config_hash"] = config_hash(p);
    j["executor"] = p.executor.plugin;
    j["foreign"] = p.foreign ? json(p.foreign->plugin) : json(nullptr);
    j["transport"] = p.transport.plugin;
    j["api"] = name_of(p.backend.api);
    j["backend"] = backend_of(p);
    j["seed"] = p.measure.seed;
    j["runs"] = s.runs.size();
    j["complete_runs"] = s.complete_runs;
    j["run_folders"] = json::array();
    for (const int n : s.runs) j["run_folders"].push_back(fmt::format("run_{}", n));
    j["runs_planned"] = p.measure.runs;
    j["interrupted"] = s.interrupted;
    for (const agent_spec& a : p.workload.agents) j["agents"].push_back(a.id);
    j["tokens_from"] = s.tokens_from;
    j["requests"] = s.requests;
    j["failed_requests"] = s.failed_requests;
    j["errors"] = json::array();
    for (const failure& f : s.failures)
        j["errors"].push_back(
            {{"run", f.run}, {"execution", f.execution}, {"agent", f.agent}, {"call", f.call}, {"message", f.message}});
    j["warnings"] = s.warnings;
    j["alerts"] = json::array();
    for (const alert_outcome& o : s.alerts)
        j["alerts"].push_back({{"alert", o.rule->name},
                               {"unit", o.rule->unit},
                               {"limit", o.limit},
                               {"value", o.value ? json(*o.value) : json(nullptr)},
                               {"samples", o.samples},
                               {"tripped", o.tripped}});
    j["serialization"] = to_json(s.serialization);
    j["self_check"] = s.complete_runs > 0 && s.client ? to_json(*s.client) : json(nullptr);
    for (const metric& m : s.metrics) {
        const statistics::description& d = m.values;
        json& out = j["metrics"][std::string(m.name)];
        out = {{"unit", m.unit}, {"provenance", name_of(m.from)}, {"n", d.n}};
        for (const auto& [name, value] : {std::pair{"mean", d.mean},
                                          {"std", d.sd},
                                          {"min", d.min},
                                          {"p50", d.p50},
                                          {"p90", d.p90},
                                          {"p95", d.p95},
                                          {"p99", d.p99},
                                          {"max", d.max}})
            out[name] = d.n > 0 ? json(value) : json(nullptr);
        out["definition"] = m.definition;
    }
    j["files"] = s.files.string();
    return j;
}

} // namespace chimera::host
