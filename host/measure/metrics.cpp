#include "measure/metrics.hpp"

#include "statistics/scaling.hpp"

#include "measure/gaps.hpp"

#include <algorithm>
#include <cassert>
#include <map>

namespace chimera::host {
namespace {

struct definition {
    std::string_view name, unit;
    provenance from;
    metric_level level;
    std::string_view text;
};

using enum provenance;
using enum metric_level;

// Every metric there is, in the order of the output.
constexpr definition definitions[] = {
    {"efficiency_pct", "%", derived, per_run, "sum(T_i) / (N W): T_i agent i alone, W wall time of the concurrent run"},
    {"estimated_efficiency_pct", "%", estimated, per_run,
     "sum(C_i) / (N W): an estimate from the concurrent run alone; cannot see contention"},
    {"imbalance_bound_pct", "%", derived, per_run,
     "sum(C_i) / (N max C_i): the most that agents of these lengths can reach"},
    {"remainder_pct", "%", derived, per_run,
     "imbalance_bound_pct - estimated_efficiency_pct: what unequal lengths do not explain of the estimate's loss"},
    {"speedup", "x", derived, per_run, "sum(T_i) / W"},
    {"wall_ms", "ms", measured, per_run, "W, from the start of the executor to its end"},
    {"sequential_ms", "ms", measured, per_run, "sum(T_i): all agents, each alone"},
    {"late_start_pct", "%", derived, per_run, "N (W - max C_i), in percent of the agent-time N W"},
    {"late_permit_pct", "%", derived, per_run, "the part of it spent waiting for a permit"},
    {"late_blocked_pct", "%", derived, per_run,
     "the part of it spent runnable while another agent's poll held a worker"},
    {"late_spawn_pct", "%", derived, per_run, "the rest of it: spawning and joining"},
    {"imbalance_pct", "%", derived, per_run,
     "N max C_i - sum(C_i), in percent of the agent-time: agents of unequal length"},
    {"inflation_pct", "%", derived, per_run,
     "sum(C_i - T_i), in percent of the agent-time: slower together than alone"},
    {"inflation_scheduling_pct", "%", derived, per_run, "the part of it in which agents could run and were not polled"},
    {"inflation_blocked_pct", "%", derived, per_run,
     "the same, while some poll held a worker for longer than measure.long_poll_ms"},
    {"inflation_transport_pct", "%", derived, per_run,
     "the part of it in the transport: dispatched -> sent, and polled -> delivered of the last piece"},
    {"inflation_parsing_pct", "%", derived, per_run,
     "the part of it in the parser: delivered -> done of the last piece"},
    {"inflation_work_pct", "%", derived, per_run, "the part of it in the agents' own work, outside of requests"},
    {"inflation_server_pct", "%", derived, per_run,
     "the rest of it: sent -> arrival of the last piece, which is contention at the server"},
    {"inflation_ratio", "x", derived, per_run, "mean(C_i / T_i)"},
    {"contention", "1", derived, per_run, "share of runs with speedup < 0.75 N and inflation_ratio > 1.05"},
    {"throughput_tok_s", "1/s", derived, per_run, "tokens of all agents / W"},
    {"jain_index", "1", derived, per_run,
     "(sum x_i)^2 / (N sum x_i^2) of the agents' token rates tokens_i / C_i (Jain, Chiu and Hawe 1984)"},
    {"busiest_worker_pct", "%", measured, per_run,
     "share of W that the busiest thread of the client was on a CPU (the kernel's schedstat)"},
    {"queued_worker_pct", "%", measured, per_run, "share of W that this thread was ready and had no CPU"},
    {"ttft_ms", "ms", measured, per_request, "first_token - dispatched"},
    {"itl_ms", "ms", measured, per_request, "gaps between consecutive content records, pooled"},
    {"tpot_ms", "ms", derived, per_request, "(last_token - first_token) / (tokens - 1)"},
    {"e2e_ms", "ms", measured, per_request, "done - dispatched"},
    {"tokens_per_second", "1/s", derived, per_request,
     "eval_count / eval_duration of the server, else (tokens - 1) / (last_token - first_token)"},
    {"tokens", "1", measured, per_request, "tokens of a response, as the server counts them, else content records"},
    {"connect_ms", "ms", measured, per_request, "connected - dispatched, for requests that opened a connection"},
    {"server_total_ms", "ms", measured, per_request, "the server's own total_duration"},
    {"server_load_ms", "ms", measured, per_request, "the server's own load_duration"},
    {"server_prompt_eval_ms", "ms", measured, per_request, "the server's own prompt_eval_duration"},
    {"server_eval_ms", "ms", measured, per_request, "the server's own eval_duration"},
    {"wakeup_us", "us", measured, per_request,
     "arrived (the kernel's receive time) -> readable (the wake), of pieces whose transport knows it"},
    {"scheduling_us", "us", measured, per_request, "readable -> polled, of every piece of a body"},
    {"transport_us", "us", measured, per_request, "polled -> delivered, of every piece of a body"},
    {"parsing_us", "us", measured, per_request, "delivered -> recorded, of every piece of a body"},
    {"delivery_delay_us", "us", measured, per_request,
     "arrived where it is known, else readable -> delivered, of every piece of a body"},
    {"client_delay_ms", "ms", measured, per_request, "readable -> recorded, of every piece of a body"},
    {"dispatch_delay_us", "us", measured, per_request, "dispatched - intended"},
    {"client_overhead_pct", "%", derived, per_request,
     "scheduling, transport and parsing of a request's pieces / its E2E"},
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
    add("late_permit_pct", f.loss.percent(f.loss.late_permit));
    add("late_blocked_pct", f.loss.percent(f.loss.late_blocked));
    add("late_spawn_pct", f.loss.percent(f.loss.late_spawn));
    add("imbalance_pct", f.loss.percent(f.loss.imbalance));
    if (f.efficiency_pct) add("efficiency_pct", *f.efficiency_pct);
    if (f.speedup) add("speedup", *f.speedup);
    if (f.inflation_ratio) {
        add("inflation_ratio", *f.inflation_ratio);
        add("contention", f.contention ? 1 : 0);
    }
    add("remainder_pct", f.imbalance_bound_pct - f.estimated_efficiency_pct);
    if (f.sequential_ms) add("sequential_ms", *f.sequential_ms);
    if (f.loss.inflation) add("inflation_pct", f.loss.percent(*f.loss.inflation));
    if (const auto& stages = f.loss.inflation_by_stage) {
        add("inflation_scheduling_pct", f.loss.percent(stages->scheduling));
        add("inflation_blocked_pct", f.loss.percent(stages->blocked));
        add("inflation_transport_pct", f.loss.percent(stages->transport));
        add("inflation_parsing_pct", f.loss.percent(stages->parsing));
        add("inflation_work_pct", f.loss.percent(stages->work));
        add("inflation_server_pct", f.loss.percent(stages->server));
    }
    if (!run.concurrent.busiest.thread.empty()) {
        add("busiest_worker_pct", run.concurrent.busiest.busy_pct);
        add("queued_worker_pct", run.concurrent.busiest.queued_pct);
    }
    double tokens = 0;
    std::vector<double> rates;
    for (const agent_record& a : run.concurrent.agents) {
        double of_agent = 0;
        for (const request_record& r : a.requests) of_agent += static_cast<double>(r.tokens());
        tokens += of_agent;
        rates.push_back(a.duration() > 0 ? of_agent / static_cast<double>(a.duration()) : 0);
    }
    if (f.wall_ms > 0) add("throughput_tok_s", tokens / f.wall_ms * 1e3);
    if (std::ranges::any_of(rates, [](double rate) { return rate > 0; }))
        add("jain_index", statistics::jain_index(rates));
}

void add_request(samples& s, const agent_record& a, const request_record& r) {
    const auto add = [&s](std::string_view name, double value) { s[name].push_back(value); };
    add("e2e_ms", ms(r.dispatched, r.done));
    add("dispatch_delay_us", ms(r.intended, r.dispatched) * 1e3);
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
    for_each_gap(a, r, [&gaps = s["itl_ms"]](nanoseconds_t gap, std::size_t times) {
        gaps.insert(gaps.end(), times, static_cast<double>(gap) / 1e6);
    });
    double client_ms = 0;
    for (std::size_t i = r.first_chunk; i < r.first_chunk + r.chunks; ++i) {
        const chunk_event& c = a.chunks[i];
        if (c.arrived_to_readable != 0) add("wakeup_us", c.arrived_to_readable / 1e3);
        add("scheduling_us", c.readable_to_polled / 1e3);
        add("transport_us", c.polled_to_delivered / 1e3);
        add("parsing_us", c.delivered_to_recorded / 1e3);
        add("delivery_delay_us", static_cast<double>(c.delivery_delay()) / 1e3);
        add("client_delay_ms", static_cast<double>(c.client_delay()) / 1e6);
        client_ms += static_cast<double>(c.client_delay()) / 1e6;
    }
    if (const double e2e = ms(r.dispatched, r.done); e2e > 0) add("client_overhead_pct", client_ms / e2e * 100);
}

void add_all(samples& s, const run_record& run) {
    if (run.complete()) add_run(s, run);
    for (const agent_record& a : run.concurrent.agents)
        for (const request_record& r : a.requests)
            if (r.ok()) add_request(s, a, r);
}

std::vector<metric> described(samples s) {
    std::vector<metric> out;
    for (const definition& d : definitions)
        out.push_back({d.name, d.unit, d.text, d.from, d.level, describe(std::move(s[d.name]))});
    return out;
}

} // namespace

std::vector<metric> metrics_of(const std::vector<run_record>& runs) {
    samples s;
    for (const run_record& run : runs) add_all(s, run);
    return described(std::move(s));
}

std::vector<metric> metrics_of_run(const run_record& run) {
    samples s;
    add_all(s, run);
    return described(std::move(s));
}

std::vector<run_value> values_of(const std::vector<metric>& of_one_run) {
    std::vector<run_value> out;
    for (const metric& m : of_one_run) {
        if (m.values.n == 0) continue;
        const std::string name(m.name);
        if (m.level == per_run) {
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
