#include "result/metric_table.hpp"

#include <algorithm>
#include <cassert>
#include <map>

namespace chimera::host {
namespace {

using enum provenance;
using enum metric_level;
using enum better;

constexpr metric_row table[] = {
    {metric::efficiency, "efficiency_pct", "efficiency", "%",
     "sum(T_i) / (N W): T_i agent i alone, W wall time of the concurrent run", derived, per_run, higher},
    {metric::recovered_efficiency, "recovered_efficiency_pct", "recovered efficiency", "%",
     "sum(T_i) / (N W) with T_i = tokens of agent i x its time for a token in the serialized runs of the study, where "
     "it "
     "had the servers to itself; of runs in which no server loaded its model",
     derived, per_run, higher},
    {metric::estimated_efficiency, "estimated_efficiency_pct", "estimated efficiency", "%",
     "sum(C_i) / (N W): an estimate from the concurrent run alone; it cannot see contention", estimated, per_run,
     higher},
    {metric::imbalance_bound, "imbalance_bound_pct", "imbalance bound", "%",
     "sum(C_i) / (N max C_i): the most that agents of these lengths can reach", derived, per_run, neither},
    {metric::remainder, "remainder_pct", "remainder", "%",
     "imbalance_bound_pct - estimated_efficiency_pct: what unequal lengths do not explain of the estimate's loss",
     derived, per_run, lower},
    {metric::speedup, "speedup", "speedup", "x", "sum(T_i) / W", derived, per_run, higher},
    {metric::wall, "wall_ms", "wall time", "ms", "W, from the start of the executor to its end", measured, per_run,
     lower},
    {metric::sequential, "sequential_ms", "sequential time", "ms", "sum(T_i): all agents, each alone", measured,
     per_run, neither},
    {metric::late_start, "late_start_pct", "late start", "%", "N (W - max C_i), in percent of the agent-time N W",
     derived, per_run, lower},
    {metric::late_permit, "late_permit_pct", "late permit", "%", "part of late_start_pct spent waiting for a permit",
     derived, per_run, lower},
    {metric::late_blocked, "late_blocked_pct", "late blocked", "%",
     "part of late_start_pct in which an agent was runnable while another agent's poll held a worker", derived, per_run,
     lower},
    {metric::late_spawn, "late_spawn_pct", "late spawn", "%", "rest of late_start_pct: spawning and joining", derived,
     per_run, lower},
    {metric::imbalance, "imbalance_pct", "imbalance", "%",
     "N max C_i - sum(C_i), in percent of the agent-time: agents of unequal length", derived, per_run, neither},
    {metric::inflation, "inflation_pct", "inflation", "%",
     "sum(C_i - T_i), in percent of the agent-time: slower together than alone", derived, per_run, lower},
    {metric::inflation_scheduling, "inflation_scheduling_pct", "inflation scheduling", "%",
     "part of inflation_pct in which agents were runnable and not polled", derived, per_run, lower},
    {metric::inflation_blocked, "inflation_blocked_pct", "inflation blocked", "%",
     "part of inflation_pct in which agents were runnable while a poll held a worker for longer than "
     "measure.long_poll_ms",
     derived, per_run, lower},
    {metric::inflation_transport, "inflation_transport_pct", "inflation transport", "%",
     "part of inflation_pct in the transport: dispatched -> sent, and polled -> delivered of the last piece", derived,
     per_run, lower},
    {metric::inflation_head_of_line, "inflation_head_of_line_pct", "inflation head of line", "%",
     "part of inflation_pct in which the last piece had arrived behind others' bytes on a shared connection", derived,
     per_run, lower},
    {metric::inflation_parsing, "inflation_parsing_pct", "inflation parsing", "%",
     "part of inflation_pct in the parser: delivered -> done of the last piece", derived, per_run, lower},
    {metric::inflation_work, "inflation_work_pct", "inflation work", "%",
     "part of inflation_pct in the agents' own work, outside of requests", derived, per_run, lower},
    {metric::inflation_coordination, "inflation_coordination_pct", "inflation coordination", "%",
     "part of inflation_pct in which agents share their reports and vote, with the wait for agents that come later",
     derived, per_run, lower},
    {metric::inflation_server, "inflation_server_pct", "inflation server", "%",
     "rest of inflation_pct: the server and the network, sent -> arrival of the last piece, and the end of the body "
     "after the answer",
     derived, per_run, lower},
    {metric::inflation_ratio, "inflation_ratio", "inflation ratio", "x", "mean(C_i / T_i)", derived, per_run, lower},
    {metric::contention, "contention", "contention", "1",
     "share of runs with speedup < 0.75 N and inflation_ratio > 1.05", derived, per_run, lower},
    {metric::throughput, "throughput_tok_s", "throughput", "tok/s", "tokens of all agents / W", derived, per_run,
     higher},
    {metric::jain_index, "jain_index", "Jain's index", "1",
     "(sum x_i)^2 / (N sum x_i^2) of the agents' token rates tokens_i / C_i (Jain, Chiu and Hawe 1984)", derived,
     per_run, higher},
    {metric::busiest_worker, "busiest_worker_pct", "busiest worker on CPU", "%",
     "share of W that the busiest thread of the client was on a CPU (schedstat of the kernel)", measured, per_run,
     lower},
    {metric::queued_worker, "queued_worker_pct", "busiest worker waiting for a CPU", "%",
     "share of W that the busiest thread was ready to run and had no CPU", measured, per_run, lower},
    {metric::cpu, "cpu_s", "CPU time", "s", "CPU time of the process during the run, user and system", measured,
     per_run, lower},
    {metric::peak_memory, "peak_memory_mib", "peak memory", "MiB", "most resident memory of the process during the run",
     measured, per_run, lower},
    {metric::startup, "startup_ms", "start-up", "ms", "creation of executor and transport -> first poll of an agent",
     measured, per_run, lower},
    {metric::steal, "steal_pct", "steal", "%",
     "share of the machine's CPU time that the hypervisor gave to others during the run", measured, per_run, lower},
    {metric::hundred_cycles, "hundred_cycles_ms", "100 cycles", "ms",
     "wall time from the first cycle to the last, of 100 cycles of all members", derived, per_run, lower},
    {metric::cycles_messages, "hundred_cycles_messages_ms", "messages in 100 cycles", "ms",
     "wall time until all messages of a cycle are answered, mean of the members", derived, per_run, lower},
    {metric::cycles_decisions, "hundred_cycles_decisions_ms", "decisions in 100 cycles", "ms",
     "wall time of the decisions of a cycle, mean of the members", derived, per_run, lower},
    {metric::cycles_handling, "hundred_cycles_handling_ms", "handling in 100 cycles", "ms",
     "time of all endpoints inside polls, taking, answering and queueing messages", derived, per_run, lower},
    {metric::cycles_consensus, "hundred_cycles_consensus_ms", "consensus in 100 cycles", "ms",
     "time of all endpoints inside polls, proposals, votes, signatures and certificates", derived, per_run, lower},
    {metric::cycles_network, "hundred_cycles_network_ms", "network in 100 cycles", "ms",
     "time of all endpoints inside polls, packets, encryption and system calls", derived, per_run, lower},
    {metric::cycles_serialization, "hundred_cycles_serialization_ms", "serialization in 100 cycles", "ms",
     "time of all endpoints inside polls, encoding and decoding", derived, per_run, lower},
    {metric::cycles_wait, "hundred_cycles_wait_ms", "waiting in 100 cycles", "ms",
     "the rest of 100 cycles: no endpoint of this process was polled", derived, per_run, lower},
    {metric::aborted_decisions, "aborted_decisions_pct", "aborted decisions", "%",
     "share of the decisions whose outcome was not known within the time limit", derived, per_run, lower},
    {metric::coordination_share, "coordination_share_pct", "coordination", "%",
     "time that agents with LLM calls spend on messages and votes, in percent of the agent-time N W", derived, per_run,
     lower},
    {metric::coordination_wait, "coordination_wait_pct", "waiting for other agents", "%",
     "part of coordination_share_pct in which an agent waits for others that have not shared yet", derived, per_run,
     lower},
    {metric::ttft, "ttft_ms", "TTFT", "ms", "first_token - dispatched", measured, per_request, lower},
    {metric::itl, "itl_ms", "ITL", "ms", "gaps between consecutive content records, pooled", measured, per_request,
     lower},
    {metric::tpot, "tpot_ms", "TPOT", "ms",
     "(last_token - first_token) / the sent tokens after the first record; not defined for a single record", derived,
     per_request, lower},
    {metric::e2e, "e2e_ms", "E2E", "ms", "done - dispatched", measured, per_request, lower},
    {metric::intended_ttft, "intended_ttft_ms", "TTFT from due", "ms",
     "first_token - intended: with the wait for an agent that was busy when the call was due", measured, per_request,
     lower},
    {metric::intended_e2e, "intended_e2e_ms", "E2E from due", "ms",
     "done - intended: E2E with the wait for an agent that was busy when the call was due", measured, per_request,
     lower},
    {metric::tokens_per_second, "tokens_per_second", "token rate of a request", "tok/s",
     "eval_count / eval_duration of the server unless the arrivals contradict them; else the sent tokens after the "
     "first record / (last_token - first_token)",
     derived, per_request, higher},
    {metric::generated_tokens_per_second, "generated_tokens_per_second", "generated token rate", "tok/s",
     "all tokens that the server counts / (last_token - sent), of replies with reasoning that was not sent", derived,
     per_request, lower},
    {metric::arrivals_together, "arrivals_together_pct", "records that arrived together", "%",
     "share of the gaps between content records that are under 0.1 ms; of replies with four gaps or more", measured,
     per_request, lower},
    {metric::drain, "drain_ms", "drain time", "ms",
     "done -> the end of the body, or until it was given up (backend.drain_ms)", measured, per_request, lower},
    {metric::tokens, "tokens", "tokens of a response", "1",
     "tokens of a response, as the server counts them, else content records", measured, per_request, neither},
    {metric::connect, "connect_ms", "connect time", "ms",
     "connected - dispatched, for requests that opened a connection", measured, per_request, lower},
    {metric::server_total, "server_total_ms", "server total", "ms", "the server's own total_duration", measured,
     per_request, lower},
    {metric::server_load, "server_load_ms", "server load", "ms", "the server's own load_duration", measured,
     per_request, lower},
    {metric::server_prompt_eval, "server_prompt_eval_ms", "server prompt eval", "ms",
     "the server's own prompt_eval_duration", measured, per_request, lower},
    {metric::server_eval, "server_eval_ms", "server eval", "ms", "the server's own eval_duration", measured,
     per_request, lower},
    {metric::wakeup, "wakeup_us", "wakeup", "us",
     "arrived (the kernel's receive time) -> readable (the wake), of pieces whose transport knows it", measured,
     per_request, lower},
    {metric::scheduling, "scheduling_us", "scheduling", "us", "readable -> polled, of every piece of a body", measured,
     per_request, lower},
    {metric::transport, "transport_us", "transport", "us", "polled -> delivered, of every piece of a body", measured,
     per_request, lower},
    {metric::head_of_line, "head_of_line_us", "head of line", "us",
     "part of arrived -> delivered behind others' bytes, of every piece of a body on a shared connection", measured,
     per_request, lower},
    {metric::parsing, "parsing_us", "parsing", "us", "delivered -> recorded, of every piece of a body", measured,
     per_request, lower},
    {metric::delivery_delay, "delivery_delay_us", "delivery delay", "us",
     "arrived (where known, else readable) -> delivered, of every piece of a body", measured, per_request, lower},
    {metric::client_delay, "client_delay_ms", "client delay", "ms", "readable -> recorded, of every piece of a body",
     measured, per_request, lower},
    {metric::token_delay, "token_delay_us", "token delay", "us",
     "server's stamp of sending (t_ns) -> recorded, of every piece from a server that stamps its records", measured,
     per_request, lower},
    {metric::dispatch_delay, "dispatch_delay_us", "dispatch delay", "us",
     "dispatched - the later of intended and the end of the agent's previous call: the client's own delay", measured,
     per_request, lower},
    {metric::client_overhead, "client_overhead_pct", "client overhead", "%",
     "scheduling, transport and parsing of a request's pieces / its E2E", derived, per_request, lower},
    {metric::round_trip, "round_trip_us", "message and answer", "us", "message sent -> the hub's answer read", measured,
     per_request, lower},
    {metric::fast_decision, "fast_decision_us", "fast decision", "us",
     "proposed -> approved or rejected, of classes low and medium", measured, per_request, lower},
    {metric::slow_decision, "slow_decision_us", "signed decision", "us",
     "proposed -> approved or rejected, of classes high and critical", measured, per_request, lower},
    {metric::cycle, "cycle_ms", "cycle", "ms", "messages and decisions of one member", measured, per_request, lower},
};

static_assert(std::size(table) == metric_count);
static_assert([] {
    for (std::size_t i = 0; i < metric_count; ++i)
        if (static_cast<std::size_t>(table[i].id) != i) return false;
    return true;
}());

constexpr statistic of_requests[] = {statistic::mean, statistic::p50, statistic::p95, statistic::p99};
constexpr std::string_view suffixes[] = {"", "_mean", "_p50", "_p95", "_p99"};

/// All figures, their names, and where each is.
struct figures {
    std::vector<figure> all;
    std::vector<std::string> names; ///< by metric and statistic
    std::map<std::string, figure, std::less<>> by_name;

    figures() : names(metric_count * std::size(suffixes)) {
        for (const metric_row& row : table) {
            if (row.level == per_run) add(row.id);
            if (row.level == per_request)
                for (const statistic s : of_requests) add({row.id, s});
        }
    }
    static std::size_t place(figure f) {
        return static_cast<std::size_t>(f.of) * std::size(suffixes) + static_cast<std::size_t>(f.how);
    }
    void add(figure f) {
        all.push_back(f);
        names[place(f)] = std::string(row_of(f.of).name) + std::string(suffixes[static_cast<std::size_t>(f.how)]);
        by_name.emplace(names[place(f)], f);
    }
};

const figures& known() {
    static const figures all;
    return all;
}

} // namespace

const char* name_of(provenance from) noexcept {
    switch (from) {
    case measured:
        return "measured";
    case derived:
        return "derived";
    case estimated:
        break;
    }
    return "estimated";
}

std::span<const metric_row> all_metrics() noexcept { return table; }

const metric_row& row_of(metric m) noexcept { return table[static_cast<std::size_t>(m)]; }

const std::string& name_of(figure f) {
    const std::string& name = known().names[figures::place(f)];
    assert(!name.empty());
    return name;
}

std::span<const figure> all_figures() { return known().all; }

std::optional<figure> figure_named(std::string_view name) noexcept {
    const auto found = known().by_name.find(name);
    return found == known().by_name.end() ? std::nullopt : std::optional(found->second);
}

better better_of(std::string_view figure_name) noexcept {
    const auto known_figure = figure_named(figure_name);
    return known_figure ? row_of(known_figure->of).way : neither;
}

} // namespace chimera::host
