#include "measure/metrics.hpp"

#include <algorithm>
#include <cassert>
#include <map>

namespace chimera::host {
namespace {

struct definition {
    std::string_view name, unit, text;
};

// Every metric there is, in the order of the output.
constexpr definition definitions[] = {
    {"efficiency_pct", "%", "sum(T_i) / (N W): T_i agent i alone, W wall time of the concurrent run"},
    {"estimated_efficiency_pct", "%",
     "sum(C_i) / (N W): an estimate from the concurrent run alone; cannot see contention"},
    {"imbalance_bound_pct", "%", "sum(C_i) / (N max C_i): the most that agents of these lengths can reach"},
    {"speedup", "x", "sum(T_i) / W"},
    {"wall_ms", "ms", "W, from the start of the executor to its end"},
    {"late_start_pct", "%", "N (W - max C_i), in percent of the agent-time N W"},
    {"late_start_permit_pct", "%", "the part of it spent waiting for a permit"},
    {"late_start_blocked_pct", "%", "the part of it spent runnable while another agent's poll held a worker"},
    {"late_start_spawn_pct", "%", "the rest of it: spawning and joining"},
    {"imbalance_pct", "%", "N max C_i - sum(C_i), in percent of the agent-time: agents of unequal length"},
    {"inflation_pct", "%", "sum(C_i - T_i), in percent of the agent-time: slower together than alone"},
    {"inflation_ratio", "x", "mean(C_i / T_i)"},
    {"contention", "1", "share of runs with speedup < 0.75 N and inflation_ratio > 1.05"},
    {"ttft_ms", "ms", "first_token - dispatched"},
    {"itl_ms", "ms", "gaps between consecutive content records, pooled"},
    {"tpot_ms", "ms", "(last_token - first_token) / (tokens - 1)"},
    {"e2e_ms", "ms", "done - dispatched"},
    {"tokens_per_second", "1/s",
     "eval_count / eval_duration of the server, else (tokens - 1) / (last_token - first_token)"},
    {"tokens", "1", "tokens of a response, as the server counts them, else content records"},
    {"connect_ms", "ms", "connected - dispatched, for requests that opened a connection"},
    {"server_total_ms", "ms", "the server's own total_duration"},
    {"server_load_ms", "ms", "the server's own load_duration"},
    {"server_prompt_eval_ms", "ms", "the server's own prompt_eval_duration"},
    {"server_eval_ms", "ms", "the server's own eval_duration"},
    {"scheduling_us", "us", "readable -> polled, of every piece of a body"},
    {"transport_us", "us", "polled -> delivered, of every piece of a body"},
    {"parsing_us", "us", "delivered -> recorded, of every piece of a body"},
    {"client_overhead_pct", "%", "scheduling, transport and parsing of a request's pieces / its E2E"},
};

using samples = std::map<std::string_view, std::vector<double>>;

double ms(nanoseconds_t from, nanoseconds_t to) { return to > from ? static_cast<double>(to - from) / 1e6 : 0; }

void add_run(samples& s, const run_record& run) {
    const run_figures f = figures_of(run);
    const auto add = [&s](std::string_view name, double value) { s[name].push_back(value); };
    add("estimated_efficiency_pct", f.estimated_efficiency_pct);
    add("imbalance_bound_pct", f.imbalance_bound_pct);
    add("wall_ms", f.wall_ms);
    add("late_start_pct", f.loss.percent(f.loss.late_start));
    add("late_start_permit_pct", f.loss.percent(f.loss.late_permit));
    add("late_start_blocked_pct", f.loss.percent(f.loss.late_blocked));
    add("late_start_spawn_pct", f.loss.percent(f.loss.late_spawn));
    add("imbalance_pct", f.loss.percent(f.loss.imbalance));
    if (f.efficiency_pct) add("efficiency_pct", *f.efficiency_pct);
    if (f.speedup) add("speedup", *f.speedup);
    if (f.inflation_ratio) {
        add("inflation_ratio", *f.inflation_ratio);
        add("contention", f.contention ? 1 : 0);
    }
    if (f.loss.inflation) add("inflation_pct", f.loss.percent(*f.loss.inflation));
}

/// Gaps between content records. Records that came in one piece have no gap between them: they were there at once.
void add_gaps(std::vector<double>& gaps, const agent_record& a, const request_record& r) {
    nanoseconds_t previous = 0;
    for (std::size_t i = r.first_chunk; i < r.first_chunk + r.chunks; ++i) {
        const chunk_event& c = a.chunks[i];
        if (c.content_records == 0) continue;
        if (previous) gaps.push_back(ms(previous, c.delivered));
        gaps.insert(gaps.end(), c.content_records - 1, 0.0);
        previous = c.delivered;
    }
}

void add_request(samples& s, const agent_record& a, const request_record& r) {
    const auto add = [&s](std::string_view name, double value) { s[name].push_back(value); };
    add("e2e_ms", ms(r.dispatched, r.done));
    if (r.first_token) add("ttft_ms", ms(r.dispatched, r.first_token));
    const double tokens = static_cast<double>(r.tokens());
    const double stream_ms = ms(r.first_token, r.last_token);
    add("tokens", tokens);
    if (tokens > 1 && stream_ms > 0) add("tpot_ms", stream_ms / (tokens - 1));
    if (const auto rate = r.server_rate())
        add("tokens_per_second", *rate);
    else if (tokens > 1 && stream_ms > 0)
        add("tokens_per_second", (tokens - 1) / stream_ms * 1e3);
    if (!r.reused && r.connected) add("connect_ms", ms(r.dispatched, r.connected));
    const auto server = [&](std::string_view name, std::optional<std::int64_t> ns) {
        if (ns) add(name, static_cast<double>(*ns) / 1e6);
    };
    server("server_total_ms", r.server.total_ns);
    server("server_load_ms", r.server.load_ns);
    server("server_prompt_eval_ms", r.server.prompt_eval_ns);
    server("server_eval_ms", r.server.eval_ns);
    add_gaps(s["itl_ms"], a, r);
    double client_us = 0;
    for (std::size_t i = r.first_chunk; i < r.first_chunk + r.chunks; ++i) {
        const chunk_event& c = a.chunks[i];
        add("scheduling_us", c.readable_to_polled / 1e3);
        add("transport_us", c.polled_to_delivered / 1e3);
        add("parsing_us", c.delivered_to_recorded / 1e3);
        client_us += (c.readable_to_polled + c.polled_to_delivered + c.delivered_to_recorded) / 1e3;
    }
    if (const double e2e = ms(r.dispatched, r.done); e2e > 0) add("client_overhead_pct", client_us / 1e3 / e2e * 100);
}

} // namespace

std::vector<metric> metrics_of(const std::vector<run_record>& runs) {
    samples s;
    for (const run_record& run : runs) {
        if (run.complete()) add_run(s, run);
        for (const agent_record& a : run.concurrent.agents)
            for (const request_record& r : a.requests)
                if (r.ok()) add_request(s, a, r);
    }
    std::vector<metric> out;
    for (const definition& d : definitions) out.push_back({d.name, d.unit, d.text, describe(std::move(s[d.name]))});
    return out;
}

const distribution& find(const std::vector<metric>& metrics, std::string_view name) {
    const auto found = std::ranges::find(metrics, name, &metric::name);
    assert(found != metrics.end());
    return found->values;
}

std::optional<serialization_verdict> judge_serialization(const std::vector<run_record>& runs,
                                                         const std::string& executor) {
    std::vector<serialization_verdict> verdicts;
    for (const run_record& run : runs)
        if (run.concurrent.ok() && run.concurrent.agents.size() > 1)
            verdicts.push_back(judge_serialization(run.concurrent, executor));
    const auto serialized =
        static_cast<std::size_t>(std::ranges::count_if(verdicts, &serialization_verdict::serialized));
    const bool verdict = serialized * 2 > verdicts.size();
    for (const serialization_verdict& v : verdicts)
        if (v.serialized == verdict) return v;
    return std::nullopt;
}

} // namespace chimera::host
