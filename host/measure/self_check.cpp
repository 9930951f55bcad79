#include "measure/self_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace chimera::host {
namespace {

constexpr double most_busy_pct = 85;
constexpr double most_delay = 0.01; // of the metric that it enters
constexpr double most_loss_pct = 1;
constexpr double most_together_pct = 50;

struct timing {
    const char *metric, *label;
    bool dispatch; ///< it begins with the dispatch, which may itself be late
};
constexpr timing timings[] = {{"ttft_ms", "TTFT", true}, {"itl_ms", "ITL", false}, {"e2e_ms", "E2E", true}};

} // namespace

std::optional<self_check> check_client(const std::vector<metric>& metrics) {
    if (find(metrics, "delivery_delay_us").n == 0) return std::nullopt;
    self_check out;
    const auto limit = [&out](const char* metric, std::string why) {
        if (std::ranges::find(out.client_limited, metric) == out.client_limited.end())
            out.client_limited.emplace_back(metric);
        if (std::ranges::find(out.evidence, why) == out.evidence.end()) out.evidence.push_back(std::move(why));
    };
    const auto mean = [&](const char* name) { return find(metrics, name).mean; };

    if (const double busy = mean("busiest_worker_pct"); busy > most_busy_pct) {
        const std::string why =
            fmt::format("the busiest thread of the client was on a CPU for {:.0f} % of the time", busy);
        for (const char* metric : {"efficiency_pct", "ttft_ms", "itl_ms", "e2e_ms"}) limit(metric, why);
    }
    // Each part by its size: what the agents lost alone and what they lost together must not cancel.
    double own = 0;
    for (const char* part :
         {"late_blocked_pct", "late_spawn_pct", "inflation_scheduling_pct", "inflation_blocked_pct",
          "inflation_transport_pct", "inflation_head_of_line_pct", "inflation_parsing_pct", "inflation_work_pct"})
        own += std::abs(mean(part));
    if (own > most_loss_pct)
        limit("efficiency_pct", fmt::format("the client itself accounts for {:.2f} % of the agent-time", own));
    for (const timing& t : timings) {
        const double median_us = find(metrics, t.metric).p50 * 1e3;
        if (median_us <= 0) continue;
        const auto judge = [&](const char* delay, const char* label) {
            const double p99 = find(metrics, delay).p99;
            if (p99 > most_delay * median_us)
                limit(t.metric, fmt::format("p99 {} delay {:.0f} us is {:.1f} % of the median {} ({:.2f} ms)", label,
                                            p99, p99 / median_us * 100, t.label, median_us / 1e3));
        };
        judge("delivery_delay_us", "delivery");
        if (t.dispatch) judge("dispatch_delay_us", "dispatch");
    }
    if (const statistics::description& together = find(metrics, "arrivals_together_pct");
        together.p50 > most_together_pct) {
        out.arrival_limited = {"itl_ms", "tpot_ms"};
        if (find(metrics, "server_eval_ms").n == 0) out.arrival_limited.emplace_back("tokens_per_second");
        out.arrival_evidence = fmt::format("{:.0f} % of the records of the median reply came together with others: "
                                           "something on their way gathered them, or the server sends several at once",
                                           together.p50);
    }
    return out;
}

} // namespace chimera::host
