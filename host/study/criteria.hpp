// Bars that runtimes clear or miss, and published values that they are held against.
#pragma once

#include "questions/question_set.hpp"
#include "statistics/description.hpp"
#include "study/study.hpp"

#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

/// One runtime before a bar.
struct criterion_row {
    std::string subject;
    std::optional<double> value;  ///< nothing: the study does not say; `missing` says why
    std::optional<double> over;   ///< by how much it clears the bar; negative: misses it
    std::optional<double> p_holm; ///< of a test against a reference, one-sided, over the rows
    std::optional<bool> met;
    std::string missing;
};
template <>
inline constexpr auto
    fields_of<criterion_row> = field_list(field("subject", &criterion_row::subject),
                                          field("value", &criterion_row::value), field("over", &criterion_row::over),
                                          field("p_holm", &criterion_row::p_holm), field("met", &criterion_row::met),
                                          field("missing", &criterion_row::missing).left_out());

struct judged_criterion {
    std::string source, id, statement;
    std::string about; ///< "efficiency_pct, highest configuration mean: at least 98 %, by any"
    std::string unit, unit_of_over;
    std::optional<bool> met; ///< nothing: the rows that could be judged do not settle it
    std::vector<criterion_row> rows;
    std::string words;
};
template <>
inline constexpr auto fields_of<judged_criterion> =
    field_list(field("source", &judged_criterion::source), field("id", &judged_criterion::id),
               field("statement", &judged_criterion::statement), field("about", &judged_criterion::about),
               field("unit", &judged_criterion::unit), field("unit_of_over", &judged_criterion::unit_of_over),
               field("met", &judged_criterion::met), field("rows", &judged_criterion::rows),
               field("words", &judged_criterion::words));

/// One runtime against a published value. Gaps are the runtime minus the value.
struct reference_row {
    std::string runtime;
    std::size_t n = 0;
    double mean = 0, gap = 0;
    std::optional<statistics::interval> ci95;           ///< of the gap of the mean
    std::optional<double> p_holm;                       ///< Student's t test, two-sided, over the rows
    double gap_of_best_config = 0, gap_of_best_run = 0; ///< best: as the metric knows which way is better
};
template <>
inline constexpr auto
    fields_of<reference_row> = field_list(field("runtime", &reference_row::runtime), field("n", &reference_row::n),
                                          field("mean", &reference_row::mean), field("gap", &reference_row::gap),
                                          field("ci95", &reference_row::ci95), field("p_holm", &reference_row::p_holm),
                                          field("gap_of_best_config", &reference_row::gap_of_best_config),
                                          field("gap_of_best_run", &reference_row::gap_of_best_run));

struct judged_reference {
    std::string source, name, what, metric, unit, unit_of_gap;
    double value = 0;
    std::vector<reference_row> rows; ///< of the runtimes that have the metric
};
template <>
inline constexpr auto fields_of<judged_reference> =
    field_list(field("source", &judged_reference::source), field("name", &judged_reference::name),
               field("what", &judged_reference::what), field("metric", &judged_reference::metric),
               field("unit", &judged_reference::unit), field("unit_of_gap", &judged_reference::unit_of_gap),
               field("value", &judged_reference::value), field("rows", &judged_reference::rows));

/// Every criterion of the study's questions, in their order.
std::vector<judged_criterion> criteria_of(const study&);
/// Every reference that has a metric.
std::vector<judged_reference> references_of(const study&);

} // namespace chimera::host
