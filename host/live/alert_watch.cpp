#include "live/alert_watch.hpp"

#include "result/request_times.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace chimera::host {
namespace {

struct tally {
    std::uint64_t samples = 0, beyond = 0;
    void add(double value, double limit, std::uint64_t times = 1) {
        samples += times;
        if (value > limit) beyond += times;
    }
};

/// How many samples of a metric a request has, and how many lie beyond the limit.
tally tally_of(metric m, double limit, const agent_record& a, const request_record& r) {
    tally t;
    if (m == metric::ttft) {
        if (const auto ttft = ttft_ms(r.dispatched, r.first_token)) t.add(*ttft, limit);
    } else if (m == metric::e2e) {
        t.add(e2e_ms(r.dispatched, r.done), limit);
    } else if (m == metric::itl) {
        for_each_gap(a.pieces_of(r), [&](nanoseconds_t gap, std::size_t times) {
            t.add(static_cast<double>(gap) / 1e6, limit, times);
        });
    } else if (m == metric::client_delay) {
        for (const chunk_event& c : a.pieces_of(r)) t.add(static_cast<double>(c.client_delay()) / 1e6, limit);
    }
    return t;
}

} // namespace

void alert_watch::begins(const planned_execution& x) {
    measured_ = x.run > 0;
    together_ = measured_ && x.concurrent;
}

void alert_watch::request_ends(const agent_record& a, const request_record& r) noexcept {
    const auto rules = alert_rules();
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const alert_rule& rule = rules[i];
        const std::optional<double>& limit = limits_.*rule.limit;
        if (!limit) continue;
        if (!rule.figure) {
            if (measured_ && !rule.of_growth) add(i, 1, r.ok() ? 0 : 1, *limit / 100);
        } else if (rule.allowed > 0 && together_ && r.ok()) {
            const tally t = tally_of(*rule.of, *limit, a, r);
            add(i, t.samples, t.beyond, rule.allowed);
        }
    }
}

void alert_watch::add(std::size_t rule, std::uint64_t samples, std::uint64_t beyond, double allowed) noexcept {
    count& c = counts_[rule];
    const std::uint64_t n = c.samples.fetch_add(samples, std::memory_order_relaxed) + samples;
    const std::uint64_t over = c.beyond.fetch_add(beyond, std::memory_order_relaxed) + beyond;
    const alert_rule& r = alert_rules()[rule];
    if (n < r.samples_to_warn || static_cast<double>(over) <= allowed * static_cast<double>(n)) return;
    if (c.warned.exchange(true, std::memory_order_relaxed)) return;
    if (r.figure)
        spdlog::warn("alert {}: so far {} of {} samples are above {:g} {}; {:g} % may be", r.name, over, n,
                     *(limits_.*r.limit), r.unit, allowed * 100);
    else
        spdlog::warn("alert {}: so far {} of {} requests failed; {:g} % may", r.name, over, n, allowed * 100);
}

void alert_watch::run_done(const std::vector<alert_outcome>& outcomes) {
    for (const alert_outcome& o : outcomes) {
        if (!o.tripped || o.samples < o.rule->samples_to_warn) continue;
        count& c = counts_[static_cast<std::size_t>(o.rule - alert_rules().data())];
        if (!c.warned.exchange(true, std::memory_order_relaxed))
            spdlog::warn("alert {}: so far {:.4g} {}; the limit is {:g}", o.rule->name, *o.value, o.rule->unit,
                         o.limit);
    }
}

} // namespace chimera::host
