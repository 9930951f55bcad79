#include "study/alerts_report.hpp"

#include "study/study.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace chimera::host {
namespace {

/// A trend of a run, by its name in a sentence.
struct named_trend {
    const char *what, *unit;
    std::optional<trend_result> growth_result::*trend;
};
constexpr named_trend trends[] = {{"memory", "MiB/h", &growth_result::memory},
                                  {"TTFT", "ms/h", &growth_result::ttft},
                                  {"E2E", "ms/h", &growth_result::e2e}};

} // namespace

std::vector<alerted_run> alerted_runs_of(const study& s) {
    std::vector<alerted_run> out;
    for (const study_run& r : s.runs)
        if (!r.alerts.empty()) out.push_back({r.runtime, r.config, r.number, r.alerts});
    return out;
}

std::vector<soaked_run> soaked_runs_of(const study& s) {
    std::vector<soaked_run> out;
    for (const study_run& r : s.runs)
        if (r.result.over_time) out.push_back({r.runtime, r.config, r.number, *r.result.over_time});
    return out;
}

std::vector<std::string> alert_findings(const std::vector<alerted_run>& runs) {
    struct tripped {
        std::size_t times = 0;
        std::string first;
    };
    std::map<std::string, tripped> alerts;
    for (const alerted_run& r : runs)
        for (const alert_result& a : r.alerts)
            if (tripped& t = alerts[a.alert]; ++t.times == 1)
                t.first = fmt::format("{}/{} run {}: {}", r.runtime, r.config, r.run, in_words(a));
    std::vector<std::string> out;
    for (const auto& [name, t] : alerts)
        out.push_back(fmt::format("The alert {} tripped in {} run{}, first in {}.", name, t.times,
                                  t.times == 1 ? "" : "s", t.first));
    return out;
}

std::vector<std::string> growth_findings(const std::vector<soaked_run>& runs) {
    std::vector<std::string> out;
    for (const named_trend& t : trends) {
        std::size_t measured = 0;
        const soaked_run* steepest = nullptr;
        std::size_t growing = 0;
        for (const soaked_run& r : runs) {
            const auto& trend = r.over_time.growth.*t.trend;
            if (!trend) continue;
            ++measured;
            if (!trend->detectable() || trend->per_hour <= 0) continue;
            ++growing;
            if (steepest == nullptr || trend->per_hour > (steepest->over_time.growth.*t.trend)->per_hour) steepest = &r;
        }
        if (measured == 0) continue;
        if (steepest == nullptr) {
            out.push_back(fmt::format("No growth of {} is detectable in {} run{} that last{}.", t.what, measured,
                                      measured == 1 ? "" : "s", measured == 1 ? "s" : ""));
            continue;
        }
        out.push_back(fmt::format("Over time {} grows in {} of {} runs, most in {}/{} run {}: {}.", t.what, growing,
                                  measured, steepest->runtime, steepest->config, steepest->run,
                                  in_words(*(steepest->over_time.growth.*t.trend), t.what, t.unit)));
    }
    return out;
}

} // namespace chimera::host
