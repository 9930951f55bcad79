#include "report/run_document.hpp"

#include "measure/attribution.hpp"
#include "measure/serialization.hpp"
#include "report/summary.hpp"
#include "report/warnings.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

namespace chimera::host {
namespace {

using json = nlohmann::ordered_json;

/// A moment relative to the execution's begin; null where it did not happen. It may lie before: agents are spawned
/// first.
json moment(const execution_record& x, nanoseconds_t t) {
    if (t == 0) return nullptr;
    return static_cast<std::int64_t>(t) - static_cast<std::int64_t>(x.begin);
}

template <class T>
json or_null(const std::optional<T>& value) {
    return value ? json(*value) : json(nullptr);
}

/// shared: sessions may share connections; otherwise there is no such stage.
json path_document(const path_split& p, bool shared) {
    json j{{"scheduling", p.scheduling / 1e6}, {"blocked", p.blocked / 1e6}, {"transport", p.transport / 1e6}};
    if (shared) j["head_of_line"] = p.head_of_line / 1e6;
    j.update({{"parsing", p.parsing / 1e6}, {"work", p.work / 1e6}, {"server", p.server / 1e6}});
    return j;
}

json agent_document(const execution_record& x, const agent_record& a, const std::vector<interval>& held) {
    json j;
    j["id"] = a.id;
    j["ok"] = a.ok();
    if (!a.error.empty()) j["error"] = a.error;
    j["spawned_ns"] = moment(x, a.spawned);
    j["first_polled_ns"] = moment(x, a.first_polled);
    j["permit_asked_ns"] = moment(x, a.permit_asked);
    j["granted_ns"] = moment(x, a.granted);
    j["start_ns"] = moment(x, a.start);
    j["end_ns"] = moment(x, a.end);
    j["duration_ms"] = static_cast<double>(a.duration()) / 1e6;
    j["polls"] = a.polls;
    j["in_polls_ns"] = a.in_polls;
    j["runnable_ns"] = a.runnable;
    if (a.ok()) j["path_ms"] = path_document(split_path(a, held), x.shares_connections());
    j["long_polls"] = json::array();
    for (const long_poll& p : a.long_polls)
        j["long_polls"].push_back(
            {{"begin_ns", moment(x, p.begin)}, {"end_ns", moment(x, p.end)}, {"stage", name_of(p.stage)}});
    j["late_polls"] = json::array();
    for (const late_poll& p : a.late_polls)
        j["late_polls"].push_back({{"runnable_ns", moment(x, p.runnable)}, {"polled_ns", moment(x, p.polled)}});
    j["warnings"] = a.warnings;
    j["requests"] = a.requests.size();
    return j;
}

json execution_document(const execution_record& x) {
    json j;
    j["wall_ms"] = static_cast<double>(x.wall()) / 1e6;
    j["busiest_thread"] =
        x.busiest.thread.empty()
            ? json(nullptr)
            : json{{"name", x.busiest.thread}, {"busy_pct", x.busiest.busy_pct}, {"queued_pct", x.busiest.queued_pct}};
    const std::vector<interval> held = long_polls_of(x);
    for (const agent_record& a : x.agents) j["agents"].push_back(agent_document(x, a, held));
    return j;
}

json figures_document(const run_record& run) {
    const run_figures f = figures_of(run);
    const loss_split& l = f.loss;
    const auto part = [&l](double ns) { return json{{"ms", ns / 1e6}, {"pct", l.percent(ns)}}; };
    json j;
    j["wall_ms"] = f.wall_ms;
    j["efficiency_pct"] = or_null(f.efficiency_pct);
    j["estimated_efficiency_pct"] = f.estimated_efficiency_pct;
    j["imbalance_bound_pct"] = f.imbalance_bound_pct;
    j["speedup"] = or_null(f.speedup);
    j["inflation_ratio"] = or_null(f.inflation_ratio);
    j["contention"] = f.contention;
    j["loss"] = {{"agent_time_ms", l.agent_time / 1e6},
                 {"late_start", part(l.late_start)},
                 {"late_permit", part(l.late_permit)},
                 {"late_blocked", part(l.late_blocked)},
                 {"late_spawn", part(l.late_spawn)},
                 {"imbalance", part(l.imbalance)},
                 {"inflation", l.inflation ? part(*l.inflation) : json(nullptr)}};
    if (const auto& stages = l.inflation_by_stage) {
        json& by_stage = j["loss"]["inflation_by_stage"];
        by_stage = {{"scheduling", part(stages->scheduling)},
                    {"blocked", part(stages->blocked)},
                    {"transport", part(stages->transport)}};
        if (run.concurrent.shares_connections()) by_stage["head_of_line"] = part(stages->head_of_line);
        by_stage.update(
            {{"parsing", part(stages->parsing)}, {"work", part(stages->work)}, {"server", part(stages->server)}});
    }
    return j;
}

} // namespace

std::string text_file_name(const char* execution, const std::string& agent, const std::string& call) {
    return fmt::format("{}_{}_{}.txt", execution, agent, call);
}

json request_document(const char* execution, const execution_record& x, const agent_record& a,
                      const request_record& r) {
    json j;
    j["execution"] = execution;
    j["agent"] = a.id;
    j["call"] = r.call;
    j["status"] = r.status;
    j["error"] = r.error.empty() ? json(nullptr) : json(r.error);
    j["seed"] = r.seed;
    for (const auto& [name, t] : {std::pair{"intended_ns", r.intended},
                                  {"dispatched_ns", r.dispatched},
                                  {"connected_ns", r.connected},
                                  {"sent_ns", r.sent},
                                  {"first_byte_ns", r.first_byte},
                                  {"first_token_ns", r.first_token},
                                  {"last_token_ns", r.last_token},
                                  {"done_ns", r.done},
                                  {"drained_ns", r.drained},
                                  {"last_arrived_ns", r.arrived},
                                  {"last_polled_ns", r.polled},
                                  {"last_delivered_ns", r.delivered}})
        j[name] = moment(x, t);
    if (r.shared) j["last_behind_others_ns"] = r.behind_others;
    j["sending_delay_ns"] = r.sending_delay;
    j["reused"] = r.reused;
    j["retries"] = r.retries;
    j["tokens"] = r.tokens();
    j["tokens_from"] = r.counted_by_server() ? "server" : "content records";
    j["hidden_tokens"] = r.evidence.hidden_tokens;
    j["content_records"] = r.content_records;
    j["reasoning_records"] = r.reasoning_records;
    j["tool_call_records"] = r.tool_call_records;
    j["arrival_limited"] = r.evidence.arrival_limited;
    j["server_durations_used"] = !r.evidence.durations_contradicted;
    j["remarks"] = json::array();
    for (const remark& said : r.remarks)
        j["remarks"].push_back(said.detail.empty() ? std::string(said.what)
                                                   : fmt::format("{} ({})", said.what, said.detail));
    j["reasoning_first"] = r.reasoning_first;
    j["server"] = {{"prompt_tokens", or_null(r.server.prompt_tokens)},
                   {"completion_tokens", or_null(r.server.completion_tokens)},
                   {"reasoning_tokens", or_null(r.server.reasoning_tokens)},
                   {"total_ns", or_null(r.server.total_ns)},
                   {"load_ns", or_null(r.server.load_ns)},
                   {"prompt_eval_ns", or_null(r.server.prompt_eval_ns)},
                   {"eval_ns", or_null(r.server.eval_ns)},
                   {"finish_reason", r.server.finish_reason}};
    const std::string text = text_file_name(execution, a.id, r.call);
    j["prompt_file"] = "prompts/" + text;
    j["response_file"] = r.response.empty() ? json(nullptr) : json("responses/" + text);
    json pieces = json::array();
    for (std::size_t i = r.first_chunk; i < r.first_chunk + r.chunks; ++i) {
        const chunk_event& c = a.chunks[i];
        pieces.push_back({moment(x, c.delivered), c.readable_to_polled, c.polled_to_delivered, c.delivered_to_recorded,
                          c.content_records, c.arrived_to_readable});
    }
    j["pieces"] = std::move(pieces);
    return j;
}

json run_document(const profile& p, const run_record& run) {
    json j;
    j["schema_version"] = run_schema_version;
    j["source"] = "chimera";
    j["profile"] = p.name;
    j["config_hash"] = config_hash(p);
    j["executor"] = p.executor.plugin;
    j["transport"] = p.transport.plugin;
    j["seed"] = p.measure.seed;
    j["run"] = run.number;
    j["complete"] = run.complete();
    j["figures"] = run.complete() ? figures_document(run) : json(nullptr);
    std::optional<serialization_verdict> verdict;
    if (run.concurrent.ok() && run.concurrent.agents.size() > 1)
        verdict = judge_serialization(run.concurrent, p.executor.plugin);
    j["serialization"] = to_json(verdict);
    const std::vector<metric> metrics = metrics_of_run(run);
    const std::optional<self_check> client = check_client(metrics);
    j["self_check"] = run.complete() && client ? to_json(*client) : json(nullptr);
    j["remarks"] = json::array();
    for (const counted_remark& r : remarks_of({&run, 1}))
        j["remarks"].push_back({{"what", r.what}, {"detail", r.detail}, {"replies", r.replies}, {"of", r.of}});
    j["values"] = json::object();
    j["definitions"] = json::object();
    for (const run_value& v : values_of(metrics)) {
        j["values"][v.name] = v.value;
        j["definitions"][v.name] = {
            {"unit", v.of->unit}, {"provenance", name_of(v.of->from)}, {"definition", v.of->definition}};
    }
    j["baseline"] = json::array();
    for (const execution_record& x : run.baseline) j["baseline"].push_back(execution_document(x));
    j["concurrent"] = execution_document(run.concurrent);
    return j;
}

} // namespace chimera::host
