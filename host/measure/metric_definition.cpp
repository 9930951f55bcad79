#include "measure/metric_definition.hpp"

#include "statistics/scaling.hpp"

#include "measure/gaps.hpp"

#include <algorithm>

namespace chimera::host {
namespace {

using enum provenance;

std::optional<double> some(double value) { return value; }

std::optional<double> lost(const run_facts& f, std::optional<double> part) {
    return part ? some(f.figures.loss.percent(*part)) : std::nullopt;
}

/// A part of the late starts, which polls tell apart.
std::optional<double> late(const run_facts& f, double part) { return f.polls ? lost(f, part) : std::nullopt; }

std::optional<double> inflated(const run_facts& f, double path_split::*stage) {
    const auto& stages = f.figures.loss.inflation_by_stage;
    return stages ? lost(f, (*stages).*stage) : std::nullopt;
}

/// Nothing where no transport shares a connection: there it is no question.
std::optional<double> head_of_line(const run_facts& f) {
    return f.shared ? inflated(f, &path_split::head_of_line) : std::nullopt;
}

std::optional<double> on_thread(const run_facts& f, double thread_load::*share) {
    return f.busiest ? some((*f.busiest).*share) : std::nullopt;
}

double ms(nanoseconds_t from, nanoseconds_t to) { return to > from ? static_cast<double>(to - from) / 1e6 : 0; }

double stream_ms(const request_record& r) { return ms(r.first_token, r.last_token); }

/// One of the server's durations, where it can be defended.
void add_ms(sample& s, const request_record& r, std::optional<std::int64_t> ns) {
    if (ns && !r.evidence.durations_contradicted) s.push_back(static_cast<double>(*ns) / 1e6);
}

/// Adds what `value` says of each piece of the body.
template <class F>
void for_each_piece(const agent_record& a, const request_record& r, sample& s, F value) {
    for (std::size_t i = r.first_chunk; i < r.first_chunk + r.chunks; ++i)
        if (const std::optional<double> x = value(a.chunks[i])) s.push_back(*x);
}

constexpr metric_definition_row definitions[] = {
    {"efficiency_pct", "%", derived, "sum(T_i) / (N W): T_i agent i alone, W wall time of the concurrent run",
     [](const run_facts& f) { return f.figures.efficiency_pct; }},
    {"estimated_efficiency_pct", "%", estimated,
     "sum(C_i) / (N W): an estimate from the concurrent run alone; cannot see contention",
     [](const run_facts& f) { return some(f.figures.estimated_efficiency_pct); }},
    {"imbalance_bound_pct", "%", derived, "sum(C_i) / (N max C_i): the most that agents of these lengths can reach",
     [](const run_facts& f) { return some(f.figures.imbalance_bound_pct); }},
    {"remainder_pct", "%", derived,
     "imbalance_bound_pct - estimated_efficiency_pct: what unequal lengths do not explain of the estimate's loss",
     [](const run_facts& f) { return some(f.figures.imbalance_bound_pct - f.figures.estimated_efficiency_pct); }},
    {"speedup", "x", derived, "sum(T_i) / W", [](const run_facts& f) { return f.figures.speedup; }},
    {"wall_ms", "ms", measured, "W, from the start of the executor to its end",
     [](const run_facts& f) { return some(f.figures.wall_ms); }},
    {"sequential_ms", "ms", measured, "sum(T_i): all agents, each alone",
     [](const run_facts& f) { return f.figures.sequential_ms; }},
    {"late_start_pct", "%", derived, "N (W - max C_i), in percent of the agent-time N W",
     [](const run_facts& f) { return lost(f, f.figures.loss.late_start); }},
    {"late_permit_pct", "%", derived, "the part of it spent waiting for a permit",
     [](const run_facts& f) { return late(f, f.figures.loss.late_permit); }},
    {"late_blocked_pct", "%", derived, "the part of it spent runnable while another agent's poll held a worker",
     [](const run_facts& f) { return late(f, f.figures.loss.late_blocked); }},
    {"late_spawn_pct", "%", derived, "the rest of it: spawning and joining",
     [](const run_facts& f) { return late(f, f.figures.loss.late_spawn); }},
    {"imbalance_pct", "%", derived, "N max C_i - sum(C_i), in percent of the agent-time: agents of unequal length",
     [](const run_facts& f) { return lost(f, f.figures.loss.imbalance); }},
    {"inflation_pct", "%", derived, "sum(C_i - T_i), in percent of the agent-time: slower together than alone",
     [](const run_facts& f) { return lost(f, f.figures.loss.inflation); }},
    {"inflation_scheduling_pct", "%", derived, "the part of it in which agents could run and were not polled",
     [](const run_facts& f) { return inflated(f, &path_split::scheduling); }},
    {"inflation_blocked_pct", "%", derived,
     "the same, while some poll held a worker for longer than measure.long_poll_ms",
     [](const run_facts& f) { return inflated(f, &path_split::blocked); }},
    {"inflation_transport_pct", "%", derived,
     "the part of it in the transport: dispatched -> sent, and polled -> delivered of the last piece",
     [](const run_facts& f) { return inflated(f, &path_split::transport); }},
    {"inflation_head_of_line_pct", "%", derived,
     "the part of it in which the last piece had arrived and stood behind others' bytes on a shared connection",
     head_of_line},
    {"inflation_parsing_pct", "%", derived, "the part of it in the parser: delivered -> done of the last piece",
     [](const run_facts& f) { return inflated(f, &path_split::parsing); }},
    {"inflation_work_pct", "%", derived, "the part of it in the agents' own work, outside of requests",
     [](const run_facts& f) { return inflated(f, &path_split::work); }},
    {"inflation_server_pct", "%", derived,
     "the rest of it: at the server, sent -> arrival of the last piece, and the end of the body after the answer",
     [](const run_facts& f) { return inflated(f, &path_split::server); }},
    {"inflation_ratio", "x", derived, "mean(C_i / T_i)", [](const run_facts& f) { return f.figures.inflation_ratio; }},
    {"contention", "1", derived, "share of runs with speedup < 0.75 N and inflation_ratio > 1.05",
     [](const run_facts& f) { return f.figures.inflation_ratio ? some(f.figures.contention ? 1 : 0) : std::nullopt; }},
    {"throughput_tok_s", "1/s", derived, "tokens of all agents / W",
     [](const run_facts& f) { return f.throughput_tok_s; }},
    {"jain_index", "1", derived,
     "(sum x_i)^2 / (N sum x_i^2) of the agents' token rates tokens_i / C_i (Jain, Chiu and Hawe 1984)",
     [](const run_facts& f) { return f.jain_index; }},
    {"busiest_worker_pct", "%", measured,
     "share of W that the busiest thread of the client was on a CPU (the kernel's schedstat)",
     [](const run_facts& f) { return on_thread(f, &thread_load::busy_pct); }},
    {"queued_worker_pct", "%", measured, "share of W that this thread was ready and had no CPU",
     [](const run_facts& f) { return on_thread(f, &thread_load::queued_pct); }},
    {"ttft_ms", "ms", measured, "first_token - dispatched",
     [](const agent_record&, const request_record& r, sample& s) {
         if (r.first_token) s.push_back(ms(r.dispatched, r.first_token));
     }},
    {"itl_ms", "ms", measured, "gaps between consecutive content records, pooled",
     [](const agent_record& a, const request_record& r, sample& s) {
         for_each_gap(a, r, [&s](nanoseconds_t gap, std::size_t times) {
             s.insert(s.end(), times, static_cast<double>(gap) / 1e6);
         });
     }},
    {"tpot_ms", "ms", derived,
     "(last_token - first_token) / the tokens after the first record, of the tokens that were sent; one record: none",
     [](const agent_record&, const request_record& r, sample& s) {
         if (r.has_pace()) s.push_back(stream_ms(r) / r.timed_tokens());
     }},
    {"e2e_ms", "ms", measured, "done - dispatched",
     [](const agent_record&, const request_record& r, sample& s) { s.push_back(ms(r.dispatched, r.done)); }},
    {"intended_ttft_ms", "ms", measured,
     "first_token - intended: with the wait for an agent that was busy when the call was due",
     [](const agent_record&, const request_record& r, sample& s) {
         if (r.first_token) s.push_back(ms(r.intended, r.first_token));
     }},
    {"intended_e2e_ms", "ms", measured,
     "done - intended: the same to the end; nothing is left out because the client was late",
     [](const agent_record&, const request_record& r, sample& s) { s.push_back(ms(r.intended, r.done)); }},
    {"tokens_per_second", "1/s", derived,
     "eval_count / eval_duration of the server where nothing contradicts them, else the tokens after the first record "
     "/ "
     "(last_token - first_token), of the tokens that were sent",
     [](const agent_record&, const request_record& r, sample& s) {
         if (const auto rate = r.server_rate())
             s.push_back(*rate);
         else if (r.has_pace())
             s.push_back(r.timed_tokens() / stream_ms(r) * 1e3);
     }},
    {"generated_tokens_per_second", "1/s", derived,
     "all tokens that the server counts / (last_token - sent), of replies with reasoning that was not sent",
     [](const agent_record&, const request_record& r, sample& s) {
         if (const double generating = ms(r.sent, r.last_token); r.evidence.hidden_tokens > 0 && generating > 0)
             s.push_back(static_cast<double>(r.tokens()) / generating * 1e3);
     }},
    {"arrivals_together_pct", "%", measured,
     "gaps between content records under 0.1 ms, or none, in percent of a reply's gaps; of replies with four and more",
     [](const agent_record&, const request_record& r, sample& s) {
         const reply_evidence& e = r.evidence;
         if (e.gaps >= 4) s.push_back(static_cast<double>(e.gaps_together) / static_cast<double>(e.gaps) * 100);
     }},
    {"drain_ms", "ms", measured, "done -> the end of the body, or until it was given up (backend.drain_ms)",
     [](const agent_record&, const request_record& r, sample& s) {
         if (r.drained) s.push_back(ms(r.done, r.drained));
     }},
    {"tokens", "1", measured, "tokens of a response, as the server counts them, else content records",
     [](const agent_record&, const request_record& r, sample& s) { s.push_back(static_cast<double>(r.tokens())); }},
    {"connect_ms", "ms", measured, "connected - dispatched, for requests that opened a connection",
     [](const agent_record&, const request_record& r, sample& s) {
         if (!r.reused && r.connected) s.push_back(ms(r.dispatched, r.connected));
     }},
    {"server_total_ms", "ms", measured, "the server's own total_duration",
     [](const agent_record&, const request_record& r, sample& s) { add_ms(s, r, r.server.total_ns); }},
    {"server_load_ms", "ms", measured, "the server's own load_duration",
     [](const agent_record&, const request_record& r, sample& s) { add_ms(s, r, r.server.load_ns); }},
    {"server_prompt_eval_ms", "ms", measured, "the server's own prompt_eval_duration",
     [](const agent_record&, const request_record& r, sample& s) { add_ms(s, r, r.server.prompt_eval_ns); }},
    {"server_eval_ms", "ms", measured, "the server's own eval_duration",
     [](const agent_record&, const request_record& r, sample& s) { add_ms(s, r, r.server.eval_ns); }},
    {"wakeup_us", "us", measured,
     "arrived (the kernel's receive time) -> readable (the wake), of pieces whose transport knows it",
     [](const agent_record& a, const request_record& r, sample& s) {
         for_each_piece(a, r, s, [](const chunk_event& c) {
             return c.arrived_to_readable != 0 ? some(c.arrived_to_readable / 1e3) : std::nullopt;
         });
     }},
    {"scheduling_us", "us", measured, "readable -> polled, of every piece of a body",
     [](const agent_record& a, const request_record& r, sample& s) {
         for_each_piece(a, r, s, [](const chunk_event& c) { return some(c.readable_to_polled / 1e3); });
     }},
    {"transport_us", "us", measured, "polled -> delivered, of every piece of a body",
     [](const agent_record& a, const request_record& r, sample& s) {
         for_each_piece(a, r, s, [](const chunk_event& c) { return some(c.polled_to_delivered / 1e3); });
     }},
    {"head_of_line_us", "us", measured,
     "part of arrived -> delivered behind others' bytes, of every piece of a body on a connection that is shared",
     [](const agent_record& a, const request_record& r, sample& s) {
         if (!r.shared) return;
         for_each_piece(a, r, s, [](const chunk_event& c) { return some(c.behind_others / 1e3); });
     }},
    {"parsing_us", "us", measured, "delivered -> recorded, of every piece of a body",
     [](const agent_record& a, const request_record& r, sample& s) {
         for_each_piece(a, r, s, [](const chunk_event& c) { return some(c.delivered_to_recorded / 1e3); });
     }},
    {"delivery_delay_us", "us", measured,
     "arrived where it is known, else readable -> delivered, of every piece of a body",
     [](const agent_record& a, const request_record& r, sample& s) {
         for_each_piece(a, r, s,
                        [](const chunk_event& c) { return some(static_cast<double>(c.delivery_delay()) / 1e3); });
     }},
    {"client_delay_ms", "ms", measured, "readable -> recorded, of every piece of a body",
     [](const agent_record& a, const request_record& r, sample& s) {
         for_each_piece(a, r, s,
                        [](const chunk_event& c) { return some(static_cast<double>(c.client_delay()) / 1e6); });
     }},
    {"token_delay_us", "us", measured,
     "t_ns, the server's stamp of sending -> recorded, of every piece from a server that stamps its records",
     [](const agent_record& a, const request_record& r, sample& s) {
         for_each_piece(a, r, s, [](const chunk_event& c) {
             return c.stamped_to_recorded != 0 ? some(c.stamped_to_recorded / 1e3) : std::nullopt;
         });
     }},
    {"dispatch_delay_us", "us", measured,
     "dispatched - intended, or - the end of the agent's call before where that is later: the client's own delay",
     [](const agent_record& a, const request_record& r, sample& s) {
         const bool first = &r == a.requests.data();
         s.push_back(ms(first ? r.intended : std::max(r.intended, (&r - 1)->over()), r.dispatched) * 1e3);
     }},
    {"client_overhead_pct", "%", derived, "scheduling, transport and parsing of a request's pieces / its E2E",
     [](const agent_record& a, const request_record& r, sample& s) {
         if (r.chunks == 0) return;
         nanoseconds_t client = 0;
         for (std::size_t i = r.first_chunk; i < r.first_chunk + r.chunks; ++i) client += a.chunks[i].client_delay();
         if (const double e2e = ms(r.dispatched, r.done); e2e > 0)
             s.push_back(static_cast<double>(client) / 1e6 / e2e * 100);
     }},
};

} // namespace

run_facts facts_of(const run_record& run) {
    run_facts f;
    f.figures = figures_of(run);
    f.polls = run.concurrent.pieces;
    f.shared = run.concurrent.shares_connections();
    if (!run.concurrent.busiest.thread.empty()) f.busiest = run.concurrent.busiest;
    double tokens = 0;
    std::vector<double> rates;
    for (const agent_record& a : run.concurrent.agents) {
        double of_agent = 0;
        for (const request_record& r : a.requests) of_agent += static_cast<double>(r.tokens());
        tokens += of_agent;
        rates.push_back(a.duration() > 0 ? of_agent / static_cast<double>(a.duration()) : 0);
    }
    if (f.figures.wall_ms > 0) f.throughput_tok_s = tokens / f.figures.wall_ms * 1e3;
    if (std::ranges::any_of(rates, [](double rate) { return rate > 0; })) f.jain_index = statistics::jain_index(rates);
    return f;
}

std::span<const metric_definition_row> metric_definitions() { return definitions; }

} // namespace chimera::host
