// What a run that lasts says about time: its figures slice by slice, and whether memory and latencies grow.
#pragma once

#include "result/json_fields.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

/// A part of a run. A request belongs to the slice in which it ended; the figures are over the successful ones.
struct time_slice {
    double begin_s = 0, end_s = 0;      ///< since the execution began
    std::optional<double> resident_mib; ///< at its end; nothing: not measured
    double recorded_mib = 0;            ///< of them, kept by the measurement itself for its results
    std::uint64_t requests = 0, failed = 0;
    std::optional<double> ttft_p50_ms, ttft_p99_ms, e2e_p50_ms, e2e_p99_ms; ///< nothing: no request ended
    double tokens_per_s = 0;
};
template <>
inline constexpr auto fields_of<time_slice> = field_list(
    field("begin_s", &time_slice::begin_s, "s", "since the execution began"), field("end_s", &time_slice::end_s, "s"),
    field("resident_mib", &time_slice::resident_mib, "MiB", "resident memory of the process at the end"),
    field("recorded_mib", &time_slice::recorded_mib, "MiB", "of it, kept by the measurement for its results"),
    field("requests", &time_slice::requests, "", "that ended, failed ones too"), field("failed", &time_slice::failed),
    field("ttft_p50_ms", &time_slice::ttft_p50_ms, "ms"), field("ttft_p99_ms", &time_slice::ttft_p99_ms, "ms"),
    field("e2e_p50_ms", &time_slice::e2e_p50_ms, "ms"), field("e2e_p99_ms", &time_slice::e2e_p99_ms, "ms"),
    field("tokens_per_s", &time_slice::tokens_per_s, "1/s", "tokens of the requests that ended"));

/// A trend over the slices (statistics/trend.hpp), per hour. The first tenth of the run is left out: it warms up.
struct trend_result {
    double per_hour = 0;
    double ci95_low = 0, ci95_high = 0; ///< of it
    double p = 1;
    std::uint64_t slices = 0; ///< that it comes from

    /// It grows or falls, and that is more than chance.
    bool detectable() const noexcept { return p < 0.05; }
};
template <>
inline constexpr auto
    fields_of<trend_result> = field_list(field("per_hour", &trend_result::per_hour, "", "Theil-Sen slope"),
                                         field("ci95_low", &trend_result::ci95_low, "", "95 % interval of the slope"),
                                         field("ci95_high", &trend_result::ci95_high),
                                         field("p", &trend_result::p, "", "of the Mann-Kendall test"),
                                         field("slices", &trend_result::slices, "", "that it comes from"));

/// The trends of a run; nothing: fewer than ten slices have the figure, or it never changed.
struct growth_result {
    std::optional<trend_result> memory, ttft, e2e;
};
template <>
inline constexpr auto fields_of<growth_result> = field_list(field("memory_mib", &growth_result::memory, "MiB/h",
                                                                  "resident memory without what the measurement keeps"),
                                                            field("ttft_ms", &growth_result::ttft, "ms/h",
                                                                  "median TTFT"),
                                                            field("e2e_ms", &growth_result::e2e, "ms/h", "median E2E"));

struct over_time_result {
    double slice_s = 0;
    std::vector<time_slice> slices;
    growth_result growth;
};
template <>
inline constexpr auto fields_of<over_time_result> =
    field_list(field("slice_s", &over_time_result::slice_s, "s", "length of a slice"),
               field("growth", &over_time_result::growth, "", "trends over the slices, per hour"),
               field("slices", &over_time_result::slices));

/// "95 % CI 10.1 to 14.5, p < 0.001".
std::string in_words(const trend_result&);
/// "memory grows by 12.3 MiB/h (95 % CI 10.1 to 14.5, p < 0.001)", or "no detectable growth of memory (0.2 MiB/h,
/// ...)".
std::string in_words(const trend_result&, const std::string& what, const std::string& unit);
/// A sentence for each trend.
std::vector<std::string> in_words(const growth_result&);

} // namespace chimera::host
