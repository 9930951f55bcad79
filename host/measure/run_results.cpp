#include "measure/run_results.hpp"

#include "measure/metrics.hpp"
#include "measure/over_time.hpp"
#include "measure/path_split.hpp"
#include "measure/self_check.hpp"
#include "measure/serialization.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace chimera::host {
namespace {

/// A moment relative to the execution's begin; nothing where it did not happen. It may lie before: agents are spawned
/// first.
std::optional<std::int64_t> moment(const execution_record& x, nanoseconds_t t) {
    if (t == 0) return std::nullopt;
    return static_cast<std::int64_t>(t) - static_cast<std::int64_t>(x.begin);
}

std::int64_t moment_of(const execution_record& x, nanoseconds_t t) { return moment(x, t).value_or(0); }

path_times path_of(const path_split& p, bool shared, bool coordinated) {
    return {.scheduling = p.scheduling / 1e6,
            .blocked = p.blocked / 1e6,
            .transport = p.transport / 1e6,
            .coordination = coordinated ? std::optional(p.coordination / 1e6) : std::nullopt,
            .head_of_line = shared ? std::optional(p.head_of_line / 1e6) : std::nullopt,
            .parsing = p.parsing / 1e6,
            .work = p.work / 1e6,
            .server = p.server / 1e6};
}

agent_result agent_of(const execution_record& x, const agent_record& a, const std::vector<interval>& held,
                      bool shared) {
    agent_result out;
    out.id = a.id;
    out.ok = a.ok();
    out.error = a.error;
    out.spawned_ns = moment(x, a.spawned);
    out.first_polled_ns = moment(x, a.first_polled);
    out.permit_asked_ns = moment(x, a.permit_asked);
    out.granted_ns = moment(x, a.granted);
    out.start_ns = moment(x, a.start);
    out.end_ns = moment(x, a.end);
    out.duration_ms = static_cast<double>(a.duration()) / 1e6;
    out.polls = a.polls;
    out.in_polls_ns = a.in_polls;
    out.runnable_ns = a.runnable;
    if (a.ok()) out.path_ms = path_of(split_path(a, held), shared, x.coordination != nullptr);
    for (const long_poll& p : a.long_polls)
        out.long_polls.push_back({moment_of(x, p.begin), moment_of(x, p.end), name_of(p.stage)});
    for (const late_poll& p : a.late_polls)
        out.late_polls.push_back({moment_of(x, p.runnable), moment_of(x, p.polled)});
    out.warnings = a.warnings;
    out.requests = a.requests.size();
    return out;
}

execution_result execution_of(const execution_record& x) {
    execution_result out;
    out.wall_ms = static_cast<double>(x.wall()) / 1e6;
    out.busiest_thread = x.busiest;
    if (x.cost != execution_cost{}) out.cost = x.cost;
    const std::vector<interval> held = long_polls_of(x);
    const bool shared = x.shares_connections(); // asked once: it looks at every request
    out.agents.reserve(x.agents.size());
    for (const agent_record& a : x.agents) out.agents.push_back(agent_of(x, a, held, shared));
    return out;
}

} // namespace

request_result result_of(const char* execution, const execution_record& x, const agent_record& a,
                         const request_record& r) {
    request_result out;
    out.execution = execution;
    out.agent = a.id;
    out.call = r.call;
    out.status = r.status;
    if (!r.error.empty()) out.error = r.error;
    out.seed = r.seed;
    out.intended_ns = moment(x, r.intended);
    out.dispatched_ns = moment(x, r.dispatched);
    out.connected_ns = moment(x, r.connected);
    out.sent_ns = moment(x, r.sent);
    out.first_byte_ns = moment(x, r.first_byte);
    out.first_token_ns = moment(x, r.first_token);
    out.last_token_ns = moment(x, r.last_token);
    out.done_ns = moment(x, r.done);
    out.drained_ns = moment(x, r.drained);
    out.last_arrived_ns = moment(x, r.arrived);
    out.last_polled_ns = moment(x, r.polled);
    out.last_delivered_ns = moment(x, r.delivered);
    if (r.shared) out.last_behind_others_ns = static_cast<std::int64_t>(r.behind_others);
    out.sending_delay_ns = static_cast<std::int64_t>(r.sending_delay);
    out.reused = r.reused;
    out.retries = r.retries;
    out.tokens = r.tokens();
    out.tokens_from = r.counted_by_server() ? "server" : "content records";
    out.hidden_tokens = r.evidence.hidden_tokens;
    out.content_records = r.content_records;
    out.reasoning_records = r.reasoning_records;
    out.tool_call_records = r.tool_call_records;
    out.arrival_limited = r.evidence.arrival_limited;
    out.server_durations_used = !r.evidence.durations_contradicted;
    out.reasoning_first = r.reasoning_first;
    for (const remark& said : r.remarks)
        out.remarks.push_back(said.detail.empty() ? std::string(said.what)
                                                  : fmt::format("{} ({})", said.what, said.detail));
    out.server = {r.server.prompt_tokens, r.server.completion_tokens, r.server.reasoning_tokens,
                  r.server.total_ns,      r.server.load_ns,           r.server.prompt_eval_ns,
                  r.server.eval_ns,       r.server.finish_reason};
    out.pieces.reserve(r.chunks);
    for (const chunk_event& c : a.pieces_of(r))
        out.pieces.push_back({moment_of(x, c.delivered), c.readable_to_polled, c.polled_to_delivered,
                              c.delivered_to_recorded, c.content_records, c.arrived_to_readable});
    return out;
}

run_result result_of(const profile& p, const run_record& run, const campaign_metrics& metrics) {
    run_result out;
    out.profile = p.name;
    out.config_hash = config_hash(p);
    out.executor = p.executor.plugin;
    if (!p.transport.plugin.empty()) out.transport = p.transport.plugin;
    if (p.coordinator) out.coordinator = p.coordinator->plugin;
    out.seed = static_cast<std::int64_t>(p.measure.seed);
    out.run = run.number;
    out.complete = run.complete();
    if (run.origin) out.origin = *run.origin;
    if (run.concurrent.ok() && run.concurrent.agents.size() > 1 && run.concurrent.has_requests())
        out.serialization = judge_serialization(run.concurrent, p.executor.plugin);
    if (run.complete() && run.concurrent.has_requests()) out.client = check_client(metrics, p.measure.time_scale);
    out.remarks = remarks_of({&run, 1});
    for (const figure f : all_figures())
        if (const auto value = metrics.value(f)) out.add(f, *value);
    for (const execution_record& x : run.baseline) out.baseline.push_back(execution_of(x));
    out.concurrent = execution_of(run.concurrent);
    out.over_time = over_time_of(run.concurrent);
    return out;
}

std::vector<counted_remark> remarks_of(std::span<const run_record> runs) {
    std::vector<counted_remark> out;
    std::size_t replies = 0;
    const auto collect = [&](const execution_record& x) {
        for (const agent_record& a : x.agents)
            for (const request_record& r : a.requests) {
                ++replies;
                for (const remark& said : r.remarks) {
                    const auto before = std::ranges::find(r.remarks, said.what, &remark::what);
                    if (&*before != &said) continue; // a reply counts once for a kind
                    auto known = std::ranges::find(out, said.what, &counted_remark::what);
                    if (known == out.end()) known = out.insert(out.end(), {std::string(said.what), said.detail});
                    ++known->replies;
                }
            }
    };
    for (const run_record& run : runs) {
        for (const execution_record& x : run.baseline) collect(x);
        collect(run.concurrent);
    }
    for (counted_remark& r : out) r.of = replies;
    return out;
}

} // namespace chimera::host
