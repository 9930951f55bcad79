#include "report/summary.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

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
            if (!r.ok()) ++s.failed_requests;
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
                       .serialization = judge_serialization(runs, what.executor.plugin),
                       .failures = failures_of(runs),
                       .files = {}};
    for (const run_record& run : runs) {
        if (run.number > 0) ++s.runs;
        for (const execution_record& x : run.baseline) count(s, x);
        count(s, run.concurrent);
    }
    return s;
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
    j["api"] = p.backend.api == backend_api::ollama ? "ollama" : "openai";
    j["backend"] = p.needs_simulator() ? "simulator" : "server";
    j["seed"] = p.measure.seed;
    j["runs"] = s.runs;
    j["runs_planned"] = p.measure.runs;
    j["interrupted"] = s.interrupted;
    for (const agent_spec& a : p.workload.agents) j["agents"].push_back(a.id);
    j["requests"] = s.requests;
    j["failed_requests"] = s.failed_requests;
    j["errors"] = json::array();
    for (const failure& f : s.failures)
        j["errors"].push_back(
            {{"run", f.run}, {"execution", f.execution}, {"agent", f.agent}, {"call", f.call}, {"message", f.message}});
    j["serialization"] = {{"verdict", s.serialization.serialized ? "serialized" : "parallel"},
                          {"cause", name_of(s.serialization.cause)},
                          {"overlap_pct", s.serialization.overlap_pct},
                          {"evidence", s.serialization.evidence}};
    for (const metric& m : s.metrics) {
        const distribution& d = m.values;
        j["metrics"][std::string(m.name)] = {
            {"unit", m.unit}, {"n", d.n},     {"mean", d.mean}, {"std", d.std}, {"min", d.min},
            {"p50", d.p50},   {"p90", d.p90}, {"p99", d.p99},   {"max", d.max}, {"definition", m.definition}};
    }
    j["files"] = s.files.string();
    return j;
}

} // namespace chimera::host
