// The runs of a study in the order of time: was one runtime run after the other, did the machine drift, and how much
// does a server that loads its model change?
#pragma once

#include "statistics/description.hpp"
#include "study/study.hpp"

namespace chimera::host {

/// The change of a metric while runs go by, within a runtime and configuration: what differs between these is not in
/// it. The first run of each and runs in which a server loaded its model are left out: they differ for another reason.
struct drift_report {
    std::string metric;
    std::size_t n = 0;
    double in_ten_runs = 0; ///< in the metric's unit
    std::optional<statistics::interval> ci95;
    double p = 1;
};
template <>
inline constexpr auto
    fields_of<drift_report> = field_list(field("metric", &drift_report::metric), field("n", &drift_report::n),
                                         field("in_ten_runs", &drift_report::in_ten_runs),
                                         field("ci95", &drift_report::ci95), field("p", &drift_report::p));

/// Two kinds of runs of one runtime by one metric: medians over runs, and the U test between them.
struct contrast_report {
    std::string runtime, metric;
    std::size_t n_a = 0, n_b = 0;
    std::optional<double> median_a, median_b, p;
};
template <>
inline constexpr auto fields_of<contrast_report> = field_list(field("runtime", &contrast_report::runtime),
                                                              field("metric", &contrast_report::metric),
                                                              field("n_a", &contrast_report::n_a),
                                                              field("n_b", &contrast_report::n_b),
                                                              field("median_a", &contrast_report::median_a),
                                                              field("median_b", &contrast_report::median_b),
                                                              field("p", &contrast_report::p));

struct order_report {
    /// Each runtime was finished before the next began, or they alternate so seldom that a drift of the machine looks
    /// like a difference: less than half as often as in a random order. Nothing: the order is not known, or there is
    /// one runtime.
    std::optional<bool> one_after_another;
    std::vector<std::string> sequence;  ///< the runtimes by their first run
    std::vector<drift_report> drift;    ///< of the metric that runtimes are chosen by, and of TTFT
    std::vector<contrast_report> cold;  ///< a: runs in which a server loaded its model, b: the others
    std::vector<contrast_report> first; ///< a: the first run of each configuration, b: the others
};
template <>
inline constexpr auto fields_of<order_report> = field_list(field("one_after_another", &order_report::one_after_another),
                                                           field("sequence", &order_report::sequence),
                                                           field("drift", &order_report::drift),
                                                           field("cold", &order_report::cold),
                                                           field("first", &order_report::first));

/// Requires that the requests were read.
order_report order_of(const study&);

} // namespace chimera::host
