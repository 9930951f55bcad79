// What the measured speed costs, at the prices that a file states. Every figure is an estimate.
#pragma once

#include "questions/question_set.hpp"
#include "statistics/description.hpp"
#include "study/study.hpp"

#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

/// How one kind of figure is computed.
struct cost_formula {
    std::string figure, formula, inputs;
    std::string provenance = "estimated";
};
template <>
inline constexpr auto fields_of<cost_formula> = field_list(field("figure", &cost_formula::figure),
                                                           field("formula", &cost_formula::formula),
                                                           field("inputs", &cost_formula::inputs),
                                                           field("provenance", &cost_formula::provenance));

/// Amounts in the currency. Nothing: a price or the load is not stated, or the study did not measure the throughput.
struct runtime_cost {
    std::string runtime;
    std::optional<double> throughput; ///< tokens per second of all agents, mean over the runs
    std::optional<double> per_million_tokens;
    std::optional<statistics::interval> per_million_ci95; ///< at the ends of the interval of the throughput
    std::optional<double> per_month;
    std::optional<double> saved_per_month; ///< against the baseline; nothing for it
    std::optional<double> break_even_months;
    std::optional<double> point_per_month; ///< what a point more of efficiency saves
    std::string note;
};
template <>
inline constexpr auto fields_of<runtime_cost> =
    field_list(field("runtime", &runtime_cost::runtime), field("throughput", &runtime_cost::throughput),
               field("per_million_tokens", &runtime_cost::per_million_tokens),
               field("per_million_ci95", &runtime_cost::per_million_ci95), field("per_month", &runtime_cost::per_month),
               field("saved_per_month", &runtime_cost::saved_per_month),
               field("break_even_months", &runtime_cost::break_even_months),
               field("point_per_month", &runtime_cost::point_per_month), field("note", &runtime_cost::note));

struct cost_report {
    std::string source, currency, baseline;
    std::string efficiency;             ///< the metric that a point is a point of
    std::vector<cost_formula> formulas; ///< of the figures that some runtime has
    std::vector<runtime_cost> runtimes;
};
template <>
inline constexpr auto fields_of<cost_report> = field_list(field("source", &cost_report::source),
                                                          field("currency", &cost_report::currency),
                                                          field("baseline", &cost_report::baseline),
                                                          field("efficiency", &cost_report::efficiency),
                                                          field("formulas", &cost_report::formulas),
                                                          field("runtimes", &cost_report::runtimes));

/// One for each file that states prices from which something follows.
std::vector<cost_report> costs_of(const study&);

} // namespace chimera::host
