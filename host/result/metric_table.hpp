// Every metric there is, in one table: name, unit, definition, how it came about, and which way is better. Files,
// imports, summaries, reports, comparisons and docs/output.md are made from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::host {

/// In the order of every output. The comments name what there is one value of.
enum class metric : std::uint8_t {
    // a run
    efficiency,
    recovered_efficiency,
    estimated_efficiency,
    imbalance_bound,
    remainder,
    speedup,
    wall,
    sequential,
    late_start,
    late_permit,
    late_blocked,
    late_spawn,
    imbalance,
    inflation,
    inflation_scheduling,
    inflation_blocked,
    inflation_transport,
    inflation_head_of_line,
    inflation_parsing,
    inflation_work,
    inflation_coordination,
    inflation_server,
    inflation_ratio,
    contention,
    throughput,
    jain_index,
    busiest_worker,
    queued_worker,
    cpu,
    peak_memory,
    startup,
    steal,
    hundred_cycles,
    cycles_messages,
    cycles_decisions,
    cycles_handling,
    cycles_consensus,
    cycles_network,
    cycles_serialization,
    cycles_wait,
    aborted_decisions,
    coordination_share,
    coordination_wait,
    // a request, or a piece of a response body
    ttft,
    itl,
    tpot,
    e2e,
    intended_ttft,
    intended_e2e,
    tokens_per_second,
    generated_tokens_per_second,
    arrivals_together,
    drain,
    tokens,
    connect,
    server_total,
    server_load,
    server_prompt_eval,
    server_eval,
    wakeup,
    scheduling,
    transport,
    head_of_line,
    parsing,
    delivery_delay,
    client_delay,
    token_delay,
    dispatch_delay,
    client_overhead,
    // a message, a decision or a cycle of a member
    round_trip,
    fast_decision,
    slow_decision,
    cycle
};

/// How a figure came about. measured: read off a clock or a counter. derived: computed from measured figures by its
/// definition. estimated: computed from less than its definition needs.
enum class provenance : std::uint8_t { measured, derived, estimated };

/// "measured", "derived", "estimated".
const char* name_of(provenance) noexcept;

/// per_request also for pieces of bodies, messages and decisions: a run has many values, which are pooled.
enum class metric_level : std::uint8_t { per_run, per_request };

enum class better : std::uint8_t { higher, lower, neither };

struct metric_row {
    metric id;
    std::string_view name;  ///< in files and on the command line: "ttft_ms"
    std::string_view label; ///< for people: "TTFT"
    std::string_view unit;  ///< "1": a number without a unit
    std::string_view definition;
    provenance from;
    metric_level level;
    better way;
};

/// One row for each metric; the row of a metric m is number static_cast<std::size_t>(m).
std::span<const metric_row> all_metrics() noexcept;
const metric_row& row_of(metric) noexcept;

inline constexpr std::size_t metric_count = static_cast<std::size_t>(metric::cycle) + 1;

/// Which number of a run: `value` of a metric of runs, one of the others of a metric of requests.
enum class statistic : std::uint8_t { value, mean, p50, p95, p99 };

/// One number of a run.
struct figure {
    // NOLINTNEXTLINE(google-explicit-constructor): a metric of runs is its only figure
    constexpr figure(metric m, statistic s = statistic::value) noexcept : of(m), how(s) {}
    metric of;
    statistic how;
};

/// The key of a figure in metrics.json: "efficiency_pct", "ttft_ms_p50". Requires a statistic that fits the metric.
const std::string& name_of(figure);

/// The figures that a full measurement has, in the order of the table.
std::span<const figure> all_figures();

/// The figure of that name; nothing for a name that is not in the table, such as a metric of another version.
std::optional<figure> figure_named(std::string_view) noexcept;

/// Which way is better; `neither` for an unknown name.
better better_of(std::string_view figure_name) noexcept;

} // namespace chimera::host
