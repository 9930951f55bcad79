#include "measure/alerts.hpp"

#include "measure/over_time.hpp"

#include <algorithm>

namespace chimera::host {
namespace {

// Of n samples, n / 20 may lie beyond a 95th percentile: with fewer than 20, one of them says nothing yet.
constexpr alert_rule rules[alert_rule_count] = {
    {"ttft_p95_ms", "ms", &alert_spec::ttft_p95_ms, metric::ttft, false, &statistics::description::p95, 0.05, 20},
    {"ttft_p99_ms", "ms", &alert_spec::ttft_p99_ms, metric::ttft, false, &statistics::description::p99, 0.01, 100},
    {"itl_p99_ms", "ms", &alert_spec::itl_p99_ms, metric::itl, false, &statistics::description::p99, 0.01, 100},
    {"e2e_p95_ms", "ms", &alert_spec::e2e_p95_ms, metric::e2e, false, &statistics::description::p95, 0.05, 20},
    {"client_delay_p99_ms", "ms", &alert_spec::client_delay_p99_ms, metric::client_delay, false,
     &statistics::description::p99, 0.01, 100},
    {"error_rate_pct", "%", &alert_spec::error_rate_pct, std::nullopt, false, nullptr, 0, 20},
    {"efficiency_min_pct", "%", &alert_spec::efficiency_min_pct, metric::efficiency, true,
     &statistics::description::mean, 0, 1},
    {"throughput_min_tok_s", "tok/s", &alert_spec::throughput_min_tok_s, metric::throughput, true,
     &statistics::description::mean, 0, 1},
    {"peak_memory_max_mib", "MiB", &alert_spec::peak_memory_max_mib, metric::peak_memory, false,
     &statistics::description::max, 0, 1},
    {"memory_growth_max_mib_per_h", "MiB/h", &alert_spec::memory_growth_max_mib_per_h, std::nullopt, false, nullptr, 0,
     1, true},
};

void count_failures(const execution_record& x, alert_outcome& out, double& failed) {
    for (const agent_record& a : x.agents)
        for (const request_record& r : a.requests) {
            ++out.samples;
            failed += r.ok() ? 0 : 1;
        }
}

void judge_growth(alert_outcome& out, std::span<const run_record> runs) {
    for (const run_record& run : runs) {
        const auto over_time = over_time_of(run.concurrent);
        if (!over_time || !over_time->growth.memory) continue;
        const trend_result& memory = *over_time->growth.memory;
        ++out.samples;
        out.value = std::max(out.value.value_or(0), memory.detectable() ? memory.per_hour : 0);
    }
}

} // namespace

std::span<const alert_rule, alert_rule_count> alert_rules() { return rules; }

std::vector<alert_outcome> judge_alerts(const alert_spec& limits, std::span<const run_record> runs,
                                        const campaign_metrics& metrics) {
    std::vector<alert_outcome> out;
    for (const alert_rule& rule : rules) {
        const std::optional<double>& limit = limits.*rule.limit;
        if (!limit) continue;
        alert_outcome o{&rule, *limit, std::nullopt};
        if (rule.figure) {
            const statistics::description& d = metrics[*rule.of];
            o.samples = d.n;
            if (d.n > 0) o.value = d.*rule.figure;
        } else if (rule.of_growth) {
            judge_growth(o, runs);
        } else {
            double failed = 0;
            for (const run_record& run : runs) {
                for (const execution_record& x : run.baseline) count_failures(x, o, failed);
                count_failures(run.concurrent, o, failed);
            }
            if (o.samples > 0) o.value = failed / static_cast<double>(o.samples) * 100;
        }
        o.tripped = o.value && (rule.at_least ? *o.value < *limit : *o.value > *limit);
        out.push_back(o);
    }
    return out;
}

} // namespace chimera::host
