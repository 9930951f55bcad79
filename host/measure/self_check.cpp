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
    metric of;
    bool dispatch; ///< it begins with the dispatch, which may itself be late
};
constexpr timing timings[] = {{metric::ttft, true}, {metric::itl, false}, {metric::e2e, true}};
constexpr metric client_parts[] = {metric::late_blocked,         metric::late_spawn,
                                   metric::inflation_scheduling, metric::inflation_blocked,
                                   metric::inflation_transport,  metric::inflation_head_of_line,
                                   metric::inflation_parsing,    metric::inflation_work};

std::string name_in_files(metric m) { return std::string(row_of(m).name); }

} // namespace

std::optional<self_check> check_client(const campaign_metrics& metrics, double time_scale) {
    if (metrics[metric::delivery_delay].n == 0) return std::nullopt;
    self_check out;
    const auto limit = [&out](metric m, std::string why) {
        const std::string name = name_in_files(m);
        if (std::ranges::find(out.client_limited, name) == out.client_limited.end()) out.client_limited.push_back(name);
        if (std::ranges::find(out.evidence, why) == out.evidence.end()) out.evidence.push_back(std::move(why));
    };

    const std::string scale =
        time_scale == 1 ? "" : fmt::format(", on the scale of the profile ({:g} times as long)", time_scale);
    if (const double busy = metrics[metric::busiest_worker].mean / time_scale; busy > most_busy_pct) {
        const std::string why =
            fmt::format("the busiest thread of the client was on a CPU for {:.0f} % of the time{}", busy, scale);
        for (const metric m : {metric::efficiency, metric::ttft, metric::itl, metric::e2e}) limit(m, why);
    }
    // Each part by its size: what the agents lost alone and what they lost together must not cancel.
    double own = 0;
    for (const metric part : client_parts) own += std::abs(metrics[part].mean);
    own /= time_scale;
    if (own > most_loss_pct)
        limit(metric::efficiency,
              fmt::format("the client itself accounts for {:.2f} % of the agent-time{}", own, scale));
    for (const timing& t : timings) {
        const double median_us = metrics[t.of].p50 * 1e3 * time_scale;
        if (median_us <= 0) continue;
        const auto judge = [&](metric delay, const char* label) {
            const double p99 = metrics[delay].p99;
            if (p99 > most_delay * median_us)
                limit(t.of, fmt::format("p99 {} delay {:.0f} us is {:.1f} % of the median {} ({:.2f} ms{})", label, p99,
                                        p99 / median_us * 100, row_of(t.of).label, median_us / 1e3, scale));
        };
        judge(metric::delivery_delay, "delivery");
        if (t.dispatch) judge(metric::dispatch_delay, "dispatch");
    }
    if (const double together = metrics[metric::arrivals_together].p50; together > most_together_pct) {
        out.arrival_limited = {name_in_files(metric::itl), name_in_files(metric::tpot)};
        if (metrics[metric::server_eval].n == 0)
            out.arrival_limited.push_back(name_in_files(metric::tokens_per_second));
        out.arrival_evidence = fmt::format("{:.0f} % of the records of the median reply came together with others: "
                                           "something on their way gathered them, or the server sends several at once",
                                           together);
    }
    return out;
}

} // namespace chimera::host
