#include "measure/over_time.hpp"

#include "result/request_times.hpp"
#include "statistics/trend.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace chimera::host {
namespace {

constexpr double mib = 1024.0 * 1024.0;
constexpr double hour_s = 3600;
constexpr std::size_t fewest_slices = 10;
constexpr std::size_t most_slices = 1000; ///< replies may go on for long after the planned end

/// What the requests of one slice say.
struct gathered {
    std::uint64_t requests = 0, failed = 0;
    double tokens = 0, recorded_bytes = 0;
    std::vector<double> ttft_ms, e2e_ms;
};

/// Memory that a request's record takes until the results are written, rather too much than too little: a vector that
/// grows has room for up to twice its elements and leaves its old blocks to the heap, as a log of pieces does for a
/// quarter, and each text has the heap's header and padding.
double recorded_bytes_of(const agent_record& a, const request_record& r) {
    constexpr double vector_room = 2, log_room = 1.25, heap_bytes = 3 * 32;
    const double piece =
        a.chunks.empty() ? 0 : static_cast<double>(a.chunks.bytes()) / static_cast<double>(a.chunks.size());
    return vector_room * static_cast<double>(sizeof r) + static_cast<double>(r.kept_bytes) + heap_bytes +
           log_room * piece * static_cast<double>(r.chunks);
}

void gather(gathered& into, const agent_record& a, const request_record& r) {
    ++into.requests;
    into.recorded_bytes += recorded_bytes_of(a, r);
    if (!r.ok()) {
        ++into.failed;
        return;
    }
    into.tokens += static_cast<double>(r.tokens());
    into.e2e_ms.push_back(e2e_ms(r.dispatched, r.done));
    if (const auto ttft = ttft_ms(r.dispatched, r.first_token)) into.ttft_ms.push_back(*ttft);
}

std::optional<double> quantile_of(std::vector<double>& values, double p) {
    if (values.empty()) return std::nullopt;
    std::ranges::sort(values);
    return statistics::quantile(values, p);
}

/// The sample that was taken last before a moment, at most a slice and a half earlier.
std::optional<double> resident_mib_at(const std::vector<memory_sample>& samples, nanoseconds_t at, double slice_s) {
    const auto after = std::ranges::upper_bound(samples, at, {}, &memory_sample::at);
    if (after == samples.begin()) return std::nullopt;
    const memory_sample& last = *std::prev(after);
    if (last.resident_bytes == 0 || static_cast<double>(at - last.at) > 1.5e9 * slice_s) return std::nullopt;
    return static_cast<double>(last.resident_bytes) / mib;
}

template <class Figure>
std::optional<trend_result> trend_over(const std::vector<time_slice>& slices, const Figure& figure) {
    std::vector<double> hours, values;
    for (std::size_t i = slices.size() / 10; i < slices.size(); ++i)
        if (const std::optional<double> value = figure(slices[i])) {
            hours.push_back(slices[i].end_s / hour_s);
            values.push_back(*value);
        }
    if (values.size() < fewest_slices) return std::nullopt;
    const auto found = statistics::trend_of(hours, values);
    if (!found) return std::nullopt;
    return trend_result{found->slope, found->ci95.low, found->ci95.high, found->p, values.size()};
}

} // namespace

double slice_length_s(double duration_s) {
    constexpr double second = 1, most = 200, least = 20;
    return std::max(duration_s / most, std::min(second, duration_s / least));
}

std::optional<over_time_result> over_time_of(const execution_record& x) {
    if (x.memory.empty() || x.slice_s <= 0 || x.end <= x.begin) return std::nullopt;
    over_time_result out;
    const double wall_s = static_cast<double>(x.wall()) / 1e9;
    out.slice_s = std::max(x.slice_s, wall_s / static_cast<double>(most_slices));
    const auto slices = static_cast<std::size_t>(std::max(1.0, std::ceil(wall_s / out.slice_s)));
    const auto slice_of = [&](nanoseconds_t at) {
        const double since_s = at > x.begin ? static_cast<double>(at - x.begin) / 1e9 : 0;
        return std::min(static_cast<std::size_t>(since_s / out.slice_s), slices - 1);
    };
    std::vector<gathered> all(slices);
    for (const agent_record& a : x.agents)
        for (const request_record& r : a.requests) gather(all[slice_of(r.over() != 0 ? r.over() : r.dispatched)], a, r);

    double recorded = 0;
    for (std::size_t i = 0; i < slices; ++i) {
        gathered& g = all[i];
        time_slice s;
        s.begin_s = out.slice_s * static_cast<double>(i);
        s.end_s = std::min(out.slice_s * static_cast<double>(i + 1), wall_s);
        s.resident_mib = resident_mib_at(x.memory, x.begin + static_cast<nanoseconds_t>(s.end_s * 1e9), out.slice_s);
        recorded += g.recorded_bytes;
        s.recorded_mib = recorded / mib;
        s.requests = g.requests;
        s.failed = g.failed;
        s.ttft_p50_ms = quantile_of(g.ttft_ms, 0.5);
        s.ttft_p99_ms = quantile_of(g.ttft_ms, 0.99);
        s.e2e_p50_ms = quantile_of(g.e2e_ms, 0.5);
        s.e2e_p99_ms = quantile_of(g.e2e_ms, 0.99);
        if (s.end_s > s.begin_s) s.tokens_per_s = g.tokens / (s.end_s - s.begin_s);
        out.slices.push_back(s);
    }
    out.growth.memory = trend_over(out.slices, [](const time_slice& s) {
        return s.resident_mib ? std::optional(*s.resident_mib - s.recorded_mib) : std::nullopt;
    });
    out.growth.ttft = trend_over(out.slices, [](const time_slice& s) { return s.ttft_p50_ms; });
    out.growth.e2e = trend_over(out.slices, [](const time_slice& s) { return s.e2e_p50_ms; });
    return out;
}

} // namespace chimera::host
