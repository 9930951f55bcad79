#include "study/order.hpp"

#include "statistics/drift.hpp"
#include "statistics/two_samples.hpp"
#include "study/analysis.hpp"

#include <algorithm>
#include <functional>
#include <map>

namespace chimera::host {
namespace {

/// The successful runs whose place in time is known, by that place.
std::vector<const study_run*> by_time(const study& s) {
    std::vector<const study_run*> out;
    for (const study_run& r : s.runs)
        if (r.ok() && r.order) out.push_back(&r);
    std::ranges::sort(out, {}, [](const study_run* r) { return *r->order; });
    return out;
}

/// How often the runtime changes from one run to the next, on average over all orders of these runs.
double changes_of_a_random_order(const std::vector<const study_run*>& runs) {
    std::map<std::string, double> count;
    for (const study_run* r : runs) ++count[r->runtime];
    const auto n = static_cast<double>(runs.size());
    double same = 0;
    for (const auto& [runtime, k] : count) same += k * (k - 1);
    return (n - 1) * (1 - same / (n * (n - 1)));
}

void add_sequence(order_report& out, const std::vector<const study_run*>& runs) {
    std::size_t changes = 0;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        if (i > 0 && runs[i]->runtime != runs[i - 1]->runtime) ++changes;
        if (std::ranges::find(out.sequence, runs[i]->runtime) == out.sequence.end())
            out.sequence.push_back(runs[i]->runtime);
    }
    // A campaign of one round is one run of each runtime: that is neither.
    if (out.sequence.size() > 1 && runs.size() > out.sequence.size())
        out.one_after_another =
            changes + 1 == out.sequence.size() || static_cast<double>(changes) < changes_of_a_random_order(runs) / 2;
}

void add_drift(order_report& out, const study& s, const std::vector<const study_run*>& runs,
               const std::string& metric) {
    std::vector<std::vector<statistics::moment_value>> groups;
    std::size_t n = 0;
    for (const planned_runtime& runtime : s.runtimes)
        for (const planned_configuration& config : s.configs) {
            auto& group = groups.emplace_back();
            for (const study_run* r : runs) {
                const bool is_of = r->runtime == runtime.name && r->config == config.name;
                const auto value = r->value(metric);
                if (is_of && value && r->number > 1 && !r->cold.value_or(false))
                    group.push_back({static_cast<double>(*r->order), *value});
            }
            n += group.size();
        }
    constexpr std::size_t fewest = 8; // a slope through fewer says nothing
    const auto slope = n < fewest ? std::nullopt : statistics::slope_within(groups);
    if (!slope) return;
    constexpr double ten = 10;
    out.drift.push_back(
        {metric, n, slope->slope * ten, statistics::interval{slope->ci95.low * ten, slope->ci95.high * ten}, slope->p});
}

void add_contrast(std::vector<contrast_report>& out, const study& s, const std::string& runtime,
                  const std::string& metric, const std::function<std::optional<bool>(const study_run&)>& is_a) {
    std::vector<double> a, b;
    for (const study_run& r : s.runs) {
        if (!r.ok() || r.runtime != runtime) continue;
        const auto side = is_a(r);
        if (const auto value = r.value(metric); value && side) (*side ? a : b).push_back(*value);
    }
    if (a.empty() || b.empty()) return;
    const auto test = statistics::mann_whitney(a, b);
    out.push_back({runtime, metric, a.size(), b.size(), statistics::describe(a).p50, statistics::describe(b).p50,
                   test ? std::optional(test->p) : std::nullopt});
}

} // namespace

order_report order_of(const study& s) {
    order_report out;
    const auto runs = by_time(s);
    add_sequence(out, runs);
    const std::string ttft = name_of({metric::ttft, statistic::p50});
    for (const std::string& metric : {choice_of(s), ttft}) add_drift(out, s, runs, metric);
    for (const planned_runtime& r : s.runtimes) {
        add_contrast(out.cold, s, r.name, ttft, [](const study_run& run) { return run.cold; });
        add_contrast(out.first, s, r.name, ttft, [](const study_run& run) { return std::optional(run.number == 1); });
    }
    return out;
}

} // namespace chimera::host
