#include "report/summary.hpp"

#include "protocol/excerpt.hpp"
#include "provenance/in_words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace chimera::host {
namespace {

constexpr std::size_t failures_shown = 5;

class page {
  public:
    template <class... Args>
    void line(std::string_view label, fmt::format_string<Args...> text, Args&&... args) {
        fmt::format_to(std::back_inserter(text_), "  {:<17}", label);
        // A plugin, a server or a file's name may have had a say in it.
        text_ += on_one_line(fmt::format(text, std::forward<Args>(args)...)) + '\n';
    }
    void raw(std::string_view text) { text_ += printable(text); }
    std::string take() { return std::move(text_); }

  private:
    std::string text_;
};

/// "12.3 +/- 0.4 unit", or why there is no figure.
std::string mean_and_sd(const statistics::description& d, int digits, std::string_view unit) {
    if (d.n == 0) return "not measured";
    if (d.n == 1) return fmt::format("{:.{}f}{}", d.mean, digits, unit);
    return fmt::format("{:.{}f}{} (sd {:.{}f})", d.mean, digits, unit, d.sd, digits);
}

void latency(page& out, const campaign_summary& s, std::string_view label, metric of) {
    const statistics::description& d = s.metrics[of];
    if (d.n == 0)
        out.line(label, "not measured");
    else
        out.line(label, "p50 {:.1f} {}   p90 {:.1f}   p99 {:.1f}   max {:.1f}   (n {})", d.p50, row_of(of).unit, d.p90,
                 d.p99, d.max, d.n);
}

/// What 100 cycles of a group cost, and where: the phases by the clock, the work by the CPU.
void tell_cycles(page& out, const campaign_summary& s) {
    const campaign_metrics& m = s.metrics;
    const coordination_spec& c = s.what.workload.coordination;
    const statistics::description& all = m[metric::hundred_cycles];
    if (all.n == 0) {
        const auto& here = s.what.workload.coordination.here;
        const bool only_hub = here.size() == 1 && here.front() == "hub";
        out.line("100 cycles", "not measured: {}",
                 only_hub ? "this process had the hub alone; the members have them"
                          : "no member of the group was here to its end");
        return;
    }
    std::string votes;
    for (std::size_t i = 0; i < decision_classes; ++i)
        if (c.decisions[i] > 0)
            votes += fmt::format(", {} decisions of class {}", c.decisions[i], name_of(static_cast<decision_class>(i)));
    out.line("100 cycles", "{}   each: {} members, {} messages of {} B from each member{}", mean_and_sd(all, 1, " ms"),
             s.what.workload.agents.size(), c.messages, c.message_bytes, votes);
    out.raw(fmt::format("\n  {:<17}{:>10}{:>10}\n", "", "ms", "share"));
    const auto row = [&](const char* label, metric of, const char* what) {
        const double ms = m[of].mean;
        out.raw(
            fmt::format("  {:<17}{:>10.2f}{:>8.1f} %   {}\n", label, ms, all.mean > 0 ? ms / all.mean * 100 : 0, what));
    };
    row("messages", metric::cycles_messages, "by the clock, until all of a cycle are answered");
    row("decisions", metric::cycles_decisions, "by the clock");
    row("handling", metric::cycles_handling, "work: taking, answering and queueing messages");
    row("consensus", metric::cycles_consensus, "work: proposals, votes, signatures, certificates");
    row("network", metric::cycles_network, "work: packets, encryption, system calls");
    row("serialization", metric::cycles_serialization, "work: encoding and decoding");
    row("waiting", metric::cycles_wait, "no endpoint of this process was polled");
    out.raw("\n");
    latency(out, s, "message + answer", metric::round_trip);
    if (m[metric::fast_decision].n > 0) latency(out, s, "fast decision", metric::fast_decision);
    if (m[metric::slow_decision].n > 0) latency(out, s, "signed decision", metric::slow_decision);
    latency(out, s, "cycle", metric::cycle);
    if (const double aborted = m[metric::aborted_decisions].mean; aborted > 0)
        out.line("aborted", "{:.1f} % of the decisions: their outcome was not known within {:g} ms", aborted,
                 c.decision_limit_ms);
}

/// Lists each different message once, with how often it came.
void list_failures(page& out, const campaign_summary& s) {
    if (s.result.errors.empty()) {
        out.line("errors", "none");
        return;
    }
    if (s.result.requests > 0)
        out.line("errors", "{} of {} requests failed", s.result.failed_requests, s.result.requests);
    else if (s.what.workload.kind == workload_kind::coordination)
        out.line("errors", "{} of the group's members failed", s.result.errors.size());
    else
        out.line("errors", "no agent got as far as a request");
    std::map<std::string, std::size_t> seen;
    for (const failure_result& f : s.result.errors)
        ++seen[fmt::format("{}{}{}: {}", f.agent, f.call.empty() ? "" : "/", f.call, f.message)];
    std::size_t shown = 0;
    for (const auto& [message, times] : seen) {
        if (shown++ == failures_shown) {
            out.line("", "... and {} more; all are in summary.json", seen.size() - failures_shown);
            break;
        }
        out.line("", "{}{}", message, times > 1 ? fmt::format(" ({} times)", times) : "");
    }
}

void list_growth(page& out, const campaign_summary& s) {
    for (const run_growth& run : s.result.over_time) {
        std::string label = "over time";
        if (s.result.over_time.size() > 1) label += fmt::format(", run {}", run.run);
        for (const std::string& sentence : in_words(run.growth)) out.line(std::exchange(label, ""), "{}", sentence);
    }
}

void list_alerts(page& out, const campaign_summary& s) {
    if (s.alerts.empty()) return;
    const auto tripped = std::ranges::count_if(s.alerts, &alert_outcome::tripped);
    out.line("alerts", "{} of {} tripped", tripped, s.alerts.size());
    for (const alert_outcome& o : s.alerts)
        if (!o.value)
            out.line("", "{}: not measured", o.rule->name);
        else if (o.tripped)
            out.line("", "{}: {:.4g} {} (n {}); the limit is {:g}", o.rule->name, *o.value, o.rule->unit, o.samples,
                     o.limit);
}

/// How far the agents ran side by side, what was lost, and how fast the replies came.
void tell_replies(page& out, const campaign_summary& s) {
    const profile& p = s.what;
    const campaign_metrics& m = s.metrics;
    const statistics::description& efficiency = m[metric::efficiency];
    const statistics::description& estimate = m[metric::estimated_efficiency];
    if (s.result.complete_runs == 0)
        out.line("efficiency", "not measured: it takes a run without a failed request");
    else if (p.workload.is_timed())
        out.line("efficiency", "not measured: when agents begin and end is planned; throughput {:.1f} tokens/s",
                 m[metric::throughput].mean);
    else if (efficiency.n == 0)
        out.line("efficiency", "not measured: no agent was run alone (measure.baseline = false)");
    else
        out.line("efficiency", "{}   speedup {} of {}", mean_and_sd(efficiency, 2, " %"),
                 mean_and_sd(m[metric::speedup], 3, "x"), p.workload.agents.size());
    if (estimate.n > 0 && !p.workload.is_timed()) {
        out.line("estimate", "{}   sum(C) / (N W), as the reports computed it; cannot see contention",
                 mean_and_sd(estimate, 2, " %"));
        const statistics::description& inflation = m[metric::inflation];
        out.line("lost agent-time", "late start {:.2f} %   imbalance {:.2f} %   inflation {}",
                 m[metric::late_start].mean, m[metric::imbalance].mean,
                 inflation.n ? fmt::format("{:.2f} %", inflation.mean) : "not measured");
        const statistics::description& coordination = m[metric::coordination_share];
        if (coordination.n > 0)
            out.line("coordination", "{:.2f} % of the agents' time; {:.2f} of it waiting for agents that came later",
                     coordination.mean, m[metric::coordination_wait].mean);
        const statistics::description& behind = m[metric::inflation_head_of_line];
        if (inflation.n > 0)
            out.line("  of inflation",
                     "scheduling {:.2f} %   blocked {:.2f}   transport {:.2f}   {}parsing {:.2f}   own work "
                     "{:.2f}   {}server {:.2f}",
                     m[metric::inflation_scheduling].mean, m[metric::inflation_blocked].mean,
                     m[metric::inflation_transport].mean,
                     behind.n > 0 ? fmt::format("head of line {:.2f}   ", behind.mean) : "",
                     m[metric::inflation_parsing].mean, m[metric::inflation_work].mean,
                     coordination.n > 0 ? fmt::format("coordination {:.2f}   ", m[metric::inflation_coordination].mean)
                                        : "",
                     m[metric::inflation_server].mean);
    }
    if (const double share = m[metric::contention].mean; share > 0)
        out.line("contention", "in {:.0f} of {} runs: together the agents take {:.2f} times as long as alone",
                 share * static_cast<double>(s.result.complete_runs), s.result.complete_runs,
                 m[metric::inflation_ratio].mean);
    if (s.result.serialization) {
        const serialization_verdict& v = *s.result.serialization;
        out.line("verdict", "{}{} (overlap {:.0f} %)", v.serialized() ? "serialized by " : "parallel",
                 v.serialized() ? word_of(v.cause) : "", v.overlap_pct.value_or(0));
        if (!v.evidence.empty()) out.line("", "{}", v.evidence);
    }
    latency(out, s, "TTFT", metric::ttft);
    latency(out, s, "ITL", metric::itl);
    latency(out, s, "E2E", metric::e2e);
    if (p.workload.arrivals != arrival_kind::closed) latency(out, s, "E2E from due", metric::intended_e2e);
    if (const statistics::description& rate = m[metric::tokens_per_second]; rate.n > 0)
        out.line("tok/s", "{} for each agent, {:.0f} tokens a reply (counted by: {})", mean_and_sd(rate, 1, ""),
                 m[metric::tokens].mean, s.result.tokens_from);
    if (const statistics::description& all = m[metric::generated_tokens_per_second]; all.n > 0)
        out.line("tok/s generated", "{} with the tokens that were not sent", mean_and_sd(all, 1, ""));
    if (const statistics::description& client = m[metric::client_overhead]; client.n > 0)
        out.line("client", "{:.2f} % of E2E; p99 scheduling {:.0f} us, transport {:.0f} us, parsing {:.0f} us",
                 client.mean, m[metric::scheduling].p99, m[metric::transport].p99, m[metric::parsing].p99);
    if (!s.result.client) {
        if (s.result.complete_runs > 0) out.line("self-check", "not measured (measure.pieces = false)");
    } else if (!s.result.client->client_limited.empty()) {
        out.line("client-limited", "{}", fmt::join(s.result.client->client_limited, ", "));
        for (const std::string& why : s.result.client->evidence) out.line("", "{}", why);
    } else if (s.result.complete_runs > 0) {
        out.line("self-check",
                 "the client could not have changed the result: busiest thread {:.0f} % on CPU, p99 delivery "
                 "delay {:.0f} us",
                 m[metric::busiest_worker].mean, m[metric::delivery_delay].p99);
    }
    if (s.result.client && !s.result.client->arrival_limited.empty()) {
        out.line("arrival-limited", "{}", fmt::join(s.result.client->arrival_limited, ", "));
        out.line("", "{}", s.result.client->arrival_evidence);
    }
}

/// Where the figures come from: two or three lines.
void tell_provenance(page& out, const campaign_summary& s) {
    if (!s.result.origin) return;
    const campaign_provenance& origin = *s.result.origin;
    out.line("machine", "{}", in_words(origin.machine));
    std::string programs = in_words(origin.build), servers;
    for (const plugin_identity& p : origin.plugins) programs += ", " + in_words(p);
    out.line("programs", "{}", programs);
    for (const server_identity& server : origin.servers)
        if (server.software || server.version) servers += (servers.empty() ? "" : "; ") + in_words(server);
    if (!servers.empty()) out.line("servers", "{}", servers);
}

} // namespace

std::string to_text(const campaign_summary& s) {
    const profile& p = s.what;
    page out;
    std::string plugins = p.executor.plugin + (p.foreign ? " over " + p.foreign->plugin : "");
    if (!p.transport.plugin.empty()) plugins += " + " + p.transport.plugin;
    if (p.coordinator) plugins += " + " + p.coordinator->plugin;
    out.raw(fmt::format("\n{}: {}, {} agents, {} of {} runs, seed {}, {}\n\n", p.name, plugins,
                        p.workload.agents.size(), s.result.runs, p.measure.runs, p.measure.seed,
                        s.result.backend == "none" ? "no server" : s.result.backend));
    if (p.workload.kind == workload_kind::coordination)
        tell_cycles(out, s);
    else
        tell_replies(out, s);
    for (const std::string& warning : s.result.warnings) out.line("warning", "{}", warning);
    list_growth(out, s);
    list_alerts(out, s);
    list_failures(out, s);
    tell_provenance(out, s);
    if (s.result.interrupted) out.line("interrupted", "{} of {} runs were completed", s.result.runs, p.measure.runs);
    if (!s.result.files.empty()) out.line("files", "{}", s.result.files);
    return out.take();
}

} // namespace chimera::host
