#include "report/summary.hpp"

#include "measure/over_time.hpp"
#include "measure/self_check.hpp"
#include "measure/serialization.hpp"
#include "report/warnings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace chimera::host {
namespace {

void collect(std::vector<failure_result>& out, int run, const char* execution, const execution_record& x) {
    for (const agent_record& a : x.agents) {
        for (const request_record& r : a.requests)
            if (!r.ok()) out.push_back({run, execution, a.id, r.call, r.error.empty() ? "not finished" : r.error});
        if (!a.error.empty()) out.push_back({run, execution, a.id, "", a.error});
    }
}

void count(campaign_result& s, const execution_record& x) {
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

/// The texts of a metric, and its figures where it was measured.
metric_result result_of(const metric_row& row, const statistics::description& d) {
    metric_result out{.unit = std::string(row.unit),
                      .provenance = name_of(row.from),
                      .n = d.n,
                      .mean = {},
                      .std = {},
                      .min = {},
                      .p50 = {},
                      .p90 = {},
                      .p95 = {},
                      .p99 = {},
                      .max = {},
                      .definition = std::string(row.definition)};
    if (d.n == 0) return out;
    out.mean = d.mean;
    out.std = d.sd;
    out.min = d.min;
    out.p50 = d.p50;
    out.p90 = d.p90;
    out.p95 = d.p95;
    out.p99 = d.p99;
    out.max = d.max;
    return out;
}

} // namespace

std::vector<failure_result> failures_of(const std::vector<run_record>& runs) {
    std::vector<failure_result> out;
    for (const run_record& run : runs) {
        for (const execution_record& x : run.baseline) collect(out, run.number, "alone", x);
        collect(out, run.number, "together", run.concurrent);
    }
    return out;
}

std::string backend_of(const profile& p) {
    if (p.workload.kind == workload_kind::coordination) return "none";
    const auto simulated = std::ranges::count_if(p.workload.agents, [](const agent_spec& a) { return a.url.empty(); });
    if (simulated == 0) return "server";
    return static_cast<std::size_t>(simulated) == p.workload.agents.size() ? "simulator" : "mixed";
}

campaign_summary summarize(const profile& p, const std::vector<run_record>& runs) {
    return summarize(p, runs, campaign_metrics(runs));
}

campaign_summary summarize(const profile& p, const std::vector<run_record>& runs, const campaign_metrics& metrics) {
    campaign_summary s{.what = p, .metrics = metrics, .alerts = {}, .result = {}};
    s.alerts = judge_alerts(p.alerts, runs, s.metrics);
    campaign_result& r = s.result;
    r.profile = p.name;
    r.config = config_name(p);
    r.config_hash = config_hash(p);
    r.executor = p.executor.plugin;
    if (p.foreign) r.foreign = p.foreign->plugin;
    r.transport = p.transport.plugin;
    if (p.coordinator) r.coordinator = p.coordinator->plugin;
    r.api = name_of(p.backend.api);
    r.backend = backend_of(p);
    r.seed = static_cast<std::int64_t>(p.measure.seed);
    r.runs_planned = p.measure.runs;
    if (!runs.empty() && runs.front().origin) r.origin = *runs.front().origin;
    for (const agent_spec& a : p.workload.agents) r.agents.push_back(a.id);
    for (const run_record& run : runs) {
        if (run.number > 0) r.run_folders.push_back(fmt::format("run_{}", run.number));
        if (run.number > 0 && run.complete()) ++r.complete_runs;
        for (const execution_record& x : run.baseline) count(r, x);
        count(r, run.concurrent);
    }
    r.runs = r.run_folders.size();
    r.errors = failures_of(runs);
    r.warnings = warnings_of(p, runs);
    for (const alert_outcome& o : s.alerts)
        r.alerts.push_back(
            {std::string(o.rule->name), std::string(o.rule->unit), o.limit, o.value, o.samples, o.tripped});
    for (const run_record& run : runs)
        if (const auto over_time = over_time_of(run.concurrent); over_time && run.number > 0)
            r.over_time.push_back({run.number, over_time->growth});
    const bool calls = p.workload.kind != workload_kind::coordination;
    if (calls) r.serialization = judge_serialization(runs, p.executor.plugin);
    if (calls && r.complete_runs > 0) r.client = check_client(s.metrics, p.measure.time_scale);
    for (const metric_row& row : all_metrics()) r.metrics.emplace_back(row.name, result_of(row, s.metrics[row.id]));
    return s;
}

} // namespace chimera::host
