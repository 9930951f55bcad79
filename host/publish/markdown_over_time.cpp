#include "publish/markdown_parts.hpp"

#include <fmt/format.h>

namespace chimera::host {
namespace {

/// "12.3 (95 % CI 10.1 to 14.5, p < 0.001)".
std::string trend_cell(const std::optional<trend_result>& t) {
    if (!t) return missing;
    return fmt::format("{} ({}{})", number(t->per_hour), in_words(*t), t->detectable() ? "" : ": none detectable");
}

std::string growth_table(const study_report& report) {
    markdown_table t({"runtime", "configuration", "run", "slices", "memory, MiB/h", "TTFT, ms/h", "E2E, ms/h"});
    for (const soaked_run& r : report.soak) {
        const growth_result& g = r.over_time.growth;
        t.add({r.runtime, r.config, fmt::format("{}", r.run), count(r.over_time.slices.size()), trend_cell(g.memory),
               trend_cell(g.ttft), trend_cell(g.e2e)});
    }
    if (t.empty()) return "";
    return "### Over time\n\nTheil-Sen slopes per hour with 95 % intervals, and p of the Mann-Kendall test, corrected "
           "for neighbours that resemble each other. Memory is without what the measurement keeps for its "
           "results.\n\n" +
           t.text();
}

std::string alert_table(const study_report& report) {
    markdown_table t({"runtime", "configuration", "run", "alert", "value", "limit"});
    for (const alerted_run& r : report.alerts)
        for (const alert_result& a : r.alerts)
            t.add({r.runtime, r.config, fmt::format("{}", r.run), a.alert, number(a.value) + ' ' + a.unit,
                   fmt::format("{:g} {}", a.limit, a.unit)});
    if (t.empty()) return "";
    return "### Alerts that tripped\n\nThe runs count all the same.\n\n" + t.text();
}

} // namespace

std::string over_time_markdown(const study_report& report) { return growth_table(report) + alert_table(report); }

} // namespace chimera::host
