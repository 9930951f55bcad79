#include "measure/serialization.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace chimera::host {
namespace {

constexpr double serialized_below_pct = 5;

struct edge {
    nanoseconds_t at;
    int step;
};

double ms(nanoseconds_t ns) { return static_cast<double>(ns) / 1e6; }

nanoseconds_t active_time(const agent_record& a) {
    nanoseconds_t sum = 0;
    for (const request_record& r : a.requests)
        if (r.first_byte && r.done > r.first_byte) sum += r.done - r.first_byte;
    return sum;
}

/// The time that every pair of agents is active together, over the active time of the pair's less active one.
double overlap_pct(const execution_record& x) {
    std::vector<edge> edges;
    std::vector<double> active;
    for (const agent_record& a : x.agents) {
        active.push_back(static_cast<double>(active_time(a)));
        for (const request_record& r : a.requests)
            if (r.first_byte && r.done > r.first_byte) {
                edges.push_back({r.first_byte, 1});
                edges.push_back({r.done, -1});
            }
    }
    std::ranges::sort(edges, [](const edge& a, const edge& b) { return a.at != b.at ? a.at < b.at : a.step < b.step; });
    double together = 0; // pair-nanoseconds: k agents at once are k (k - 1) / 2 pairs
    double k = 0;
    for (std::size_t i = 0; i + 1 < edges.size(); ++i) {
        k += edges[i].step;
        together += k * (k - 1) / 2 * static_cast<double>(edges[i + 1].at - edges[i].at);
    }
    std::ranges::sort(active, std::greater{});
    double most = 0; // sum over pairs of the smaller: the i-th largest is the smaller one of i pairs
    for (std::size_t i = 0; i < active.size(); ++i) most += static_cast<double>(i) * active[i];
    return most > 0 ? std::min(together / most * 100, 100.0) : 0;
}

struct candidate {
    nanoseconds_t weight = 0;
    serialization_cause cause = serialization_cause::unknown;
    std::string evidence;
};

/// The agent that waited longest for its permit while another one was at work.
candidate permit_wait(const execution_record& x) {
    candidate c{0, serialization_cause::permit, {}};
    for (const agent_record& a : x.agents) {
        if (a.permit_wait() <= c.weight) continue;
        c.weight = a.permit_wait();
        c.evidence = fmt::format("agent '{}' waited {:.1f} ms for a permit", a.id, ms(c.weight));
    }
    return c;
}

/// The longest time that an agent was runnable and not polled while another agent's poll held a worker.
candidate blocked_worker(const execution_record& x, const std::string& executor) {
    candidate c{0, serialization_cause::blocked_executor, {}};
    for (const agent_record& holder : x.agents)
        for (const long_poll& p : holder.long_polls)
            for (const agent_record& victim : x.agents) {
                if (&victim == &holder) continue;
                std::vector<late_poll> late = victim.late_polls;
                late.push_back({std::max(victim.spawned, x.begin), victim.first_polled}); // nobody wakes a new task
                for (const late_poll& l : late) {
                    const nanoseconds_t from = std::max(p.begin, l.runnable), to = std::min(p.end, l.polled);
                    if (to <= from || to - from <= c.weight) continue;
                    c.weight = to - from;
                    c.evidence = fmt::format(
                        "a poll of agent '{}' ({}) held a worker of executor '{}' for {:.1f} ms; agent '{}' "
                        "was runnable for {:.1f} ms of them and not polled",
                        holder.id, name_of(p.stage), executor, ms(p.end - p.begin), victim.id, ms(c.weight));
                }
            }
    return c;
}

/// The longest wait of a request that had been sent for its first byte while the server was sending to another agent.
candidate server_queue(const execution_record& x) {
    candidate c{0, serialization_cause::server_queue, {}};
    for (const agent_record& waiting : x.agents)
        for (const request_record& w : waiting.requests)
            for (const agent_record& served : x.agents) {
                if (&served == &waiting || w.sent == 0 || w.first_byte <= w.sent) continue;
                for (const request_record& s : served.requests) {
                    if (s.first_byte == 0) continue;
                    const nanoseconds_t from = std::max(w.sent, s.first_byte), to = std::min(w.first_byte, s.done);
                    if (to <= from || to - from <= c.weight) continue;
                    c.weight = to - from;
                    c.evidence = fmt::format(
                        "request '{}' of agent '{}' was sent and got no byte for {:.1f} ms while the server "
                        "answered agent '{}'",
                        w.call, waiting.id, ms(c.weight), served.id);
                }
            }
    return c;
}

} // namespace

serialization_verdict judge_serialization(const execution_record& x, const std::string& executor) {
    serialization_verdict verdict;
    if (x.agents.size() < 2 || !x.has_requests()) return verdict;
    verdict.overlap_pct = overlap_pct(x);
    if (verdict.overlap_pct >= serialized_below_pct) return verdict;
    verdict.verdict = concurrency::serialized;

    nanoseconds_t shortest = x.wall();
    for (const agent_record& a : x.agents) shortest = std::min(shortest, active_time(a));
    const candidate candidates[] = {permit_wait(x), blocked_worker(x, executor), server_queue(x)};
    const candidate& best = *std::ranges::max_element(candidates, {}, &candidate::weight);
    // A wait that is short beside the agents' work did not keep them apart.
    if (best.weight == 0 || best.weight < shortest / 2) {
        verdict.cause = serialization_cause::unknown;
        verdict.evidence =
            "no wait for a permit, no blocked worker and no queue at the server was long enough to explain it";
    } else {
        verdict.cause = best.cause;
        verdict.evidence = best.evidence;
    }
    return verdict;
}

std::optional<serialization_verdict> judge_serialization(std::span<const run_record> runs,
                                                         const std::string& executor) {
    std::vector<serialization_verdict> verdicts;
    for (const run_record& run : runs)
        if (run.concurrent.ok() && run.concurrent.pieces && run.concurrent.agents.size() > 1)
            verdicts.push_back(judge_serialization(run.concurrent, executor));
    const auto serialized =
        static_cast<std::size_t>(std::ranges::count_if(verdicts, &serialization_verdict::serialized));
    const bool verdict = serialized * 2 > verdicts.size();
    for (const serialization_verdict& v : verdicts)
        if (v.serialized() == verdict) return v;
    return std::nullopt;
}

} // namespace chimera::host
