// Pairs of runtimes, or of studies, compared by one metric.
#pragma once

#include "statistics/two_samples.hpp"
#include "study/study.hpp"

#include <span>
#include <string>
#include <vector>

namespace chimera::host {

/// One value a run.
struct named_sample {
    std::string name;
    std::vector<double> values;
};

struct metric_comparison {
    std::string metric, unit, a, b;
    statistics::comparison figures;
    /// a - b run by run, where both got the same requests: two runtimes of a sweep in the same run of a configuration.
    /// What differs from request to request is not in it, so it sees far smaller differences than the two samples do.
    std::optional<statistics::description> paired;
    std::optional<double> rank_p_holm; ///< of the U test, corrected like p_holm; it can see what a few far values hide
};

/// Every pair of samples that have values, in their order; Holm's correction is over these.
std::vector<metric_comparison> compare_all(const std::string& metric, const std::string& unit,
                                           std::span<const named_sample> samples);

/// The runtimes of a study by the headline, and by the metrics in which clients can differ.
std::vector<metric_comparison> compare_runtimes(const study&);

/// "a_higher", "b_higher", "no_detectable_difference" or "too_few_runs".
const char* name_of(statistics::verdict) noexcept;

/// True for a_higher and b_higher.
bool detectable(const metric_comparison&) noexcept;

/// The means do not differ detectably, but the ranks do.
bool ranks_differ(const metric_comparison&) noexcept;

/// A figure within a sentence: four significant digits, without an exponent for what is above 1000.
std::string rounded(double);

/// One sentence.
std::string words_of(const metric_comparison&);

/// An entry of "comparisons" of the report document.
nlohmann::ordered_json to_json(const metric_comparison&);

} // namespace chimera::host
