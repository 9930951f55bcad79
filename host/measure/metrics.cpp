#include "measure/metrics.hpp"

#include "measure/attribution.hpp"
#include "result/request_times.hpp"
#include "statistics/scaling.hpp"

#include <algorithm>
#include <variant>

namespace chimera::host {
namespace {

/// What the metrics of a run are made of.
struct run_facts {
    run_figures figures;
    bool polls = true;   ///< polls were timed
    bool shared = false; ///< sessions of the transport may share connections
    std::optional<thread_load> busiest;
    std::optional<double> throughput_tok_s, jain_index;
    execution_cost cost;
    bool calls = true; ///< the agents called servers
    std::optional<coordination_figures> group;
    std::optional<double> coordination_pct, awaiting_pct; ///< of agents that also call servers
};

/// Nothing of a part of a group that had no member here.
std::optional<coordination_figures> group_of(const execution_record& x) {
    if (!x.coordination) return std::nullopt;
    const coordination_figures f = figures_of(*x.coordination);
    return f.total_ms > 0 ? std::optional(f) : std::nullopt;
}

/// Requires a run in which every agent succeeded.
run_facts facts_of(const run_record& run) {
    run_facts f;
    f.calls = run.concurrent.has_requests() || !run.concurrent.coordination;
    f.group = group_of(run.concurrent);
    f.figures = figures_of(run);
    if (f.calls && run.concurrent.coordination) {
        double coordinating = 0, awaiting = 0;
        for (const agent_record& a : run.concurrent.agents) {
            coordinating += static_cast<double>(a.coordinating);
            awaiting += static_cast<double>(a.awaiting);
        }
        f.coordination_pct = f.figures.loss.percent(coordinating);
        f.awaiting_pct = f.figures.loss.percent(awaiting);
    }
    f.polls = run.concurrent.pieces;
    f.shared = run.concurrent.shares_connections();
    f.busiest = run.concurrent.busiest;
    f.cost = run.concurrent.cost;
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

using sample = std::vector<double>;

/// The value of one run; nothing where it was not measured.
using of_run = std::optional<double> (*)(const run_facts&);
/// Adds the values of one request that succeeded.
using of_request = void (*)(const agent_record&, const request_record&, sample&);
/// Adds the values of one member of a group.
using of_member = void (*)(const endpoint_record&, sample&);

std::optional<double> some(double value) { return value; }

std::optional<double> of_cycles(const run_facts& f, double coordination_figures::*part) {
    return f.group && !f.calls ? some((*f.group).*part) : std::nullopt;
}

/// Work is counted in polls.
std::optional<double> of_work(const run_facts& f, double coordination_figures::*part) {
    return f.polls ? of_cycles(f, part) : std::nullopt;
}

std::optional<double> aborted_pct(const run_facts& f) {
    if (!f.group || f.group->decisions == 0) return std::nullopt;
    return 100 * static_cast<double>(f.group->aborted) / static_cast<double>(f.group->decisions);
}

void add_decisions(const endpoint_record& m, bool is_signed, sample& s) {
    for (const decision_sample& d : m.decisions)
        if (d.outcome != CHM_ABORTED && (d.level >= CHM_CLASS_HIGH) == is_signed) s.push_back(d.us);
}

/// A metric of runs that has a meaning without requests.
bool is_of_any_run(metric m) noexcept {
    using enum metric;
    return m == wall || (m >= busiest_worker && m <= coordination_wait);
}

std::optional<double> lost(const run_facts& f, std::optional<double> part) {
    return part ? some(f.figures.loss.percent(*part)) : std::nullopt;
}

/// A part of the late starts, which polls tell apart.
std::optional<double> late(const run_facts& f, double part) { return f.polls ? lost(f, part) : std::nullopt; }

std::optional<double> inflated(const run_facts& f, double path_split::*stage) {
    const auto& stages = f.figures.loss.inflation_by_stage;
    return stages ? lost(f, (*stages).*stage) : std::nullopt;
}

/// Nothing if no transport shares a connection: the metric has no meaning then.
std::optional<double> head_of_line(const run_facts& f) {
    return f.shared ? inflated(f, &path_split::head_of_line) : std::nullopt;
}

std::optional<double> on_thread(const run_facts& f, double thread_load::*share) {
    return f.busiest ? some((*f.busiest).*share) : std::nullopt;
}

double stream_ms(const request_record& r) { return milliseconds(r.first_token, r.last_token); }

/// One of the server's durations, where it can be defended.
void add_ms(sample& s, const request_record& r, std::optional<std::int64_t> ns) {
    if (ns && !r.evidence.durations_contradicted) s.push_back(static_cast<double>(*ns) / 1e6);
}

/// Adds what `value` says of each piece of the body.
template <class F>
void for_each_piece(const agent_record& a, const request_record& r, sample& s, F value) {
    for (const chunk_event& c : a.pieces_of(r))
        if (const std::optional<double> x = value(c)) s.push_back(*x);
}

/// Of any metric: one for each piece, or for each record; a piece may have several, or none.
std::size_t most_values(std::span<const run_record> runs) {
    std::size_t sum = 0;
    for (const run_record& run : runs)
        for (const agent_record& a : run.concurrent.agents)
            for (const request_record& r : a.requests) sum += std::max<std::size_t>(r.chunks, r.content_records);
    return sum;
}

/// The definitions of the table's metrics, as code.
struct metric_function {
    metric id;
    std::variant<of_run, of_request, of_member> values;
};
constexpr metric_function functions[] = {
    {metric::efficiency, [](const run_facts& f) { return f.figures.efficiency_pct; }},
    // Of several runs together: a study has it.
    {metric::recovered_efficiency, [](const run_facts&) { return std::optional<double>(); }},
    {metric::estimated_efficiency, [](const run_facts& f) { return some(f.figures.estimated_efficiency_pct); }},
    {metric::imbalance_bound, [](const run_facts& f) { return some(f.figures.imbalance_bound_pct); }},
    {metric::remainder,
     [](const run_facts& f) { return some(f.figures.imbalance_bound_pct - f.figures.estimated_efficiency_pct); }},
    {metric::speedup, [](const run_facts& f) { return f.figures.speedup; }},
    {metric::wall, [](const run_facts& f) { return some(f.figures.wall_ms); }},
    {metric::sequential, [](const run_facts& f) { return f.figures.sequential_ms; }},
    {metric::late_start, [](const run_facts& f) { return lost(f, f.figures.loss.late_start); }},
    {metric::late_permit, [](const run_facts& f) { return late(f, f.figures.loss.late_permit); }},
    {metric::late_blocked, [](const run_facts& f) { return late(f, f.figures.loss.late_blocked); }},
    {metric::late_spawn, [](const run_facts& f) { return late(f, f.figures.loss.late_spawn); }},
    {metric::imbalance, [](const run_facts& f) { return lost(f, f.figures.loss.imbalance); }},
    {metric::inflation, [](const run_facts& f) { return lost(f, f.figures.loss.inflation); }},
    {metric::inflation_scheduling, [](const run_facts& f) { return inflated(f, &path_split::scheduling); }},
    {metric::inflation_blocked, [](const run_facts& f) { return inflated(f, &path_split::blocked); }},
    {metric::inflation_transport, [](const run_facts& f) { return inflated(f, &path_split::transport); }},
    {metric::inflation_head_of_line, head_of_line},
    {metric::inflation_parsing, [](const run_facts& f) { return inflated(f, &path_split::parsing); }},
    {metric::inflation_work, [](const run_facts& f) { return inflated(f, &path_split::work); }},
    {metric::inflation_coordination,
     [](const run_facts& f) { return f.coordination_pct ? inflated(f, &path_split::coordination) : std::nullopt; }},
    {metric::inflation_server, [](const run_facts& f) { return inflated(f, &path_split::server); }},
    {metric::inflation_ratio, [](const run_facts& f) { return f.figures.inflation_ratio; }},
    {metric::contention,
     [](const run_facts& f) { return f.figures.inflation_ratio ? some(f.figures.contention ? 1 : 0) : std::nullopt; }},
    {metric::throughput, [](const run_facts& f) { return f.throughput_tok_s; }},
    {metric::jain_index, [](const run_facts& f) { return f.jain_index; }},
    {metric::busiest_worker, [](const run_facts& f) { return on_thread(f, &thread_load::busy_pct); }},
    {metric::queued_worker, [](const run_facts& f) { return on_thread(f, &thread_load::queued_pct); }},
    {metric::cpu,
     [](const run_facts& f) {
         return f.cost.cpu_user_s && f.cost.cpu_system_s ? some(*f.cost.cpu_user_s + *f.cost.cpu_system_s)
                                                         : std::nullopt;
     }},
    {metric::peak_memory,
     [](const run_facts& f) {
         return f.cost.peak_memory_bytes ? some(static_cast<double>(*f.cost.peak_memory_bytes) / (1024 * 1024))
                                         : std::nullopt;
     }},
    {metric::startup,
     [](const run_facts& f) { return f.cost.start_up_s ? some(*f.cost.start_up_s * 1e3) : std::nullopt; }},
    {metric::steal, [](const run_facts& f) { return f.cost.steal_pct; }},
    {metric::hundred_cycles, [](const run_facts& f) { return of_cycles(f, &coordination_figures::total_ms); }},
    {metric::cycles_messages, [](const run_facts& f) { return of_cycles(f, &coordination_figures::messages_ms); }},
    {metric::cycles_decisions, [](const run_facts& f) { return of_cycles(f, &coordination_figures::decisions_ms); }},
    {metric::cycles_handling, [](const run_facts& f) { return of_work(f, &coordination_figures::handling_ms); }},
    {metric::cycles_consensus, [](const run_facts& f) { return of_cycles(f, &coordination_figures::consensus_ms); }},
    {metric::cycles_network, [](const run_facts& f) { return of_cycles(f, &coordination_figures::network_ms); }},
    {metric::cycles_serialization,
     [](const run_facts& f) { return of_cycles(f, &coordination_figures::serialization_ms); }},
    {metric::cycles_wait, [](const run_facts& f) { return of_work(f, &coordination_figures::wait_ms); }},
    {metric::aborted_decisions, [](const run_facts& f) { return aborted_pct(f); }},
    {metric::coordination_share, [](const run_facts& f) { return f.coordination_pct; }},
    {metric::coordination_wait, [](const run_facts& f) { return f.awaiting_pct; }},
    {metric::ttft,
     [](const agent_record&, const request_record& r, sample& s) {
         if (const auto ttft = ttft_ms(r.dispatched, r.first_token)) s.push_back(*ttft);
     }},
    {metric::itl,
     [](const agent_record& a, const request_record& r, sample& s) {
         for_each_gap(a.pieces_of(r), [&s](nanoseconds_t gap, std::size_t times) {
             s.insert(s.end(), times, static_cast<double>(gap) / 1e6);
         });
     }},
    {metric::tpot,
     [](const agent_record&, const request_record& r, sample& s) {
         if (r.has_pace()) s.push_back(stream_ms(r) / r.timed_tokens());
     }},
    {metric::e2e,
     [](const agent_record&, const request_record& r, sample& s) { s.push_back(e2e_ms(r.dispatched, r.done)); }},
    {metric::intended_ttft,
     [](const agent_record&, const request_record& r, sample& s) {
         if (r.first_token) s.push_back(milliseconds(r.intended, r.first_token));
     }},
    {metric::intended_e2e,
     [](const agent_record&, const request_record& r, sample& s) { s.push_back(milliseconds(r.intended, r.done)); }},
    {metric::tokens_per_second,
     [](const agent_record&, const request_record& r, sample& s) {
         if (const auto rate = r.server_rate())
             s.push_back(*rate);
         else if (r.has_pace())
             s.push_back(r.timed_tokens() / stream_ms(r) * 1e3);
     }},
    {metric::generated_tokens_per_second,
     [](const agent_record&, const request_record& r, sample& s) {
         if (const double generating = milliseconds(r.sent, r.last_token);
             r.evidence.hidden_tokens > 0 && generating > 0)
             s.push_back(static_cast<double>(r.tokens()) / generating * 1e3);
     }},
    {metric::arrivals_together,
     [](const agent_record&, const request_record& r, sample& s) {
         const reply_evidence& e = r.evidence;
         if (e.gaps >= 4) s.push_back(static_cast<double>(e.gaps_together) / static_cast<double>(e.gaps) * 100);
     }},
    {metric::drain,
     [](const agent_record&, const request_record& r, sample& s) {
         if (r.drained) s.push_back(milliseconds(r.done, r.drained));
     }},
    {metric::tokens,
     [](const agent_record&, const request_record& r, sample& s) { s.push_back(static_cast<double>(r.tokens())); }},
    {metric::connect,
     [](const agent_record&, const request_record& r, sample& s) {
         if (!r.reused && r.connected) s.push_back(milliseconds(r.dispatched, r.connected));
     }},
    {metric::server_total,
     [](const agent_record&, const request_record& r, sample& s) { add_ms(s, r, r.server.total_ns); }},
    {metric::server_load,
     [](const agent_record&, const request_record& r, sample& s) { add_ms(s, r, r.server.load_ns); }},
    {metric::server_prompt_eval,
     [](const agent_record&, const request_record& r, sample& s) { add_ms(s, r, r.server.prompt_eval_ns); }},
    {metric::server_eval,
     [](const agent_record&, const request_record& r, sample& s) { add_ms(s, r, r.server.eval_ns); }},
    {metric::wakeup,
     [](const agent_record& a, const request_record& r, sample& s) {
         for_each_piece(a, r, s, [](const chunk_event& c) {
             return c.arrived_to_readable != 0 ? some(c.arrived_to_readable / 1e3) : std::nullopt;
         });
     }},
    {metric::scheduling,
     [](const agent_record& a, const request_record& r, sample& s) {
         for_each_piece(a, r, s, [](const chunk_event& c) { return some(c.readable_to_polled / 1e3); });
     }},
    {metric::transport,
     [](const agent_record& a, const request_record& r, sample& s) {
         for_each_piece(a, r, s, [](const chunk_event& c) { return some(c.polled_to_delivered / 1e3); });
     }},
    {metric::head_of_line,
     [](const agent_record& a, const request_record& r, sample& s) {
         if (!r.shared) return;
         for_each_piece(a, r, s, [](const chunk_event& c) { return some(c.behind_others / 1e3); });
     }},
    {metric::parsing,
     [](const agent_record& a, const request_record& r, sample& s) {
         for_each_piece(a, r, s, [](const chunk_event& c) { return some(c.delivered_to_recorded / 1e3); });
     }},
    {metric::delivery_delay,
     [](const agent_record& a, const request_record& r, sample& s) {
         for_each_piece(a, r, s,
                        [](const chunk_event& c) { return some(static_cast<double>(c.delivery_delay()) / 1e3); });
     }},
    {metric::client_delay,
     [](const agent_record& a, const request_record& r, sample& s) {
         for_each_piece(a, r, s,
                        [](const chunk_event& c) { return some(static_cast<double>(c.client_delay()) / 1e6); });
     }},
    {metric::token_delay,
     [](const agent_record& a, const request_record& r, sample& s) {
         for_each_piece(a, r, s, [](const chunk_event& c) {
             return c.stamped_to_recorded != 0 ? some(c.stamped_to_recorded / 1e3) : std::nullopt;
         });
     }},
    {metric::dispatch_delay,
     [](const agent_record& a, const request_record& r, sample& s) {
         const bool first = &r == a.requests.data();
         s.push_back(milliseconds(first ? r.intended : std::max(r.intended, (&r - 1)->over()), r.dispatched) * 1e3);
     }},
    {metric::client_overhead,
     [](const agent_record& a, const request_record& r, sample& s) {
         if (r.chunks == 0) return;
         nanoseconds_t client = 0;
         for (const chunk_event& c : a.pieces_of(r)) client += c.client_delay();
         if (const double e2e = e2e_ms(r.dispatched, r.done); e2e > 0)
             s.push_back(static_cast<double>(client) / 1e6 / e2e * 100);
     }},
    {metric::round_trip,
     [](const endpoint_record& m, sample& s) {
         s.insert(s.end(), m.round_trips_us.begin(), m.round_trips_us.end());
     }},
    {metric::fast_decision, [](const endpoint_record& m, sample& s) { add_decisions(m, false, s); }},
    {metric::slow_decision, [](const endpoint_record& m, sample& s) { add_decisions(m, true, s); }},
    {metric::cycle,
     [](const endpoint_record& m, sample& s) { s.insert(s.end(), m.cycles_ms.begin(), m.cycles_ms.end()); }},
};

static_assert(std::size(functions) == metric_count);
static_assert([] {
    for (std::size_t i = 0; i < metric_count; ++i)
        if (static_cast<std::size_t>(functions[i].id) != i) return false;
    return true;
}());

} // namespace

campaign_metrics::campaign_metrics(std::span<const run_record> runs) {
    std::vector<run_facts> facts;
    for (const run_record& run : runs)
        if (run.complete()) facts.push_back(facts_of(run));
    sample values; // of one metric after the other: the samples of a million pieces share one piece of memory
    values.reserve(most_values(runs));
    for (const metric_function& f : functions) {
        values.clear();
        if (const auto* value = std::get_if<of_run>(&f.values)) {
            for (const run_facts& of : facts) {
                if (!of.calls && !is_of_any_run(f.id)) continue;
                if (const std::optional<double> x = (*value)(of)) values.push_back(*x);
            }
        } else if (const auto* add = std::get_if<of_member>(&f.values)) {
            for (const run_record& run : runs)
                if (run.concurrent.coordination)
                    for (const endpoint_record& m : run.concurrent.coordination->members) (*add)(m, values);
        } else {
            for (const run_record& run : runs)
                for (const agent_record& a : run.concurrent.agents)
                    for (const request_record& r : a.requests)
                        if (r.ok()) std::get<of_request>(f.values)(a, r, values);
        }
        metrics_[static_cast<std::size_t>(f.id)] = statistics::describe_in_place(values);
    }
}

std::optional<double> campaign_metrics::value(figure f) const {
    const statistics::description& d = (*this)[f.of];
    if (d.n == 0) return std::nullopt;
    switch (f.how) {
    case statistic::value:
    case statistic::mean:
        return d.mean;
    case statistic::p50:
        return d.p50;
    case statistic::p95:
        return d.p95;
    case statistic::p99:
        break;
    }
    return d.p99;
}

} // namespace chimera::host
