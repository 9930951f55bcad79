#include "result/over_time.hpp"

#include <fmt/format.h>

#include <cmath>

namespace chimera::host {
namespace {

/// Three significant digits, without an exponent above 1000.
std::string rounded(double value) {
    return std::abs(value) >= 1000 ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}", value);
}

} // namespace

std::string in_words(const trend_result& t) {
    const std::string p = t.p < 0.001 ? "p < 0.001" : fmt::format("p = {:.2g}", t.p);
    return fmt::format("95 % CI {} to {}, {}", rounded(t.ci95_low), rounded(t.ci95_high), p);
}

std::string in_words(const trend_result& t, const std::string& what, const std::string& unit) {
    if (!t.detectable())
        return fmt::format("no detectable growth of {} ({} {}, {})", what, rounded(t.per_hour), unit, in_words(t));
    return fmt::format("{} {} by {} {} ({})", what, t.per_hour < 0 ? "falls" : "grows", rounded(std::abs(t.per_hour)),
                       unit, in_words(t));
}

std::vector<std::string> in_words(const growth_result& g) {
    std::vector<std::string> out;
    // The memory of the measurement itself is subtracted, too much rather than too little: a fall means no growth.
    if (g.memory && g.memory->detectable() && g.memory->per_hour < 0)
        out.push_back(
            fmt::format("no growth of memory ({} MiB/h, {})", rounded(g.memory->per_hour), in_words(*g.memory)));
    else if (g.memory)
        out.push_back(in_words(*g.memory, "memory", "MiB/h"));
    if (g.ttft) out.push_back(in_words(*g.ttft, "TTFT", "ms/h"));
    if (g.e2e) out.push_back(in_words(*g.e2e, "E2E", "ms/h"));
    return out;
}

} // namespace chimera::host
