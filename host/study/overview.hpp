// The key figures of every runtime in one table, and which runtime is best by which of them.
#pragma once

#include "result/json_fields.hpp"
#include "study/study.hpp"

namespace chimera::host {

/// One runtime, over its successful runs; nothing: not measured.
struct overview_cell {
    std::string runtime;
    std::size_t n = 0;
    std::optional<double> mean, sd, q1, median, q3;
};
template <>
inline constexpr auto
    fields_of<overview_cell> = field_list(field("runtime", &overview_cell::runtime), field("n", &overview_cell::n),
                                          field("mean", &overview_cell::mean), field("sd", &overview_cell::sd),
                                          field("q1", &overview_cell::q1), field("median", &overview_cell::median),
                                          field("q3", &overview_cell::q3));

/// `shown` is "mean" (with sd), or "median" (with quartiles) for times, which have long tails.
struct overview_row {
    std::string metric, label, unit, provenance, shown;
    std::vector<overview_cell> cells;
};
template <>
inline constexpr auto
    fields_of<overview_row> = field_list(field("metric", &overview_row::metric), field("label", &overview_row::label),
                                         field("unit", &overview_row::unit),
                                         field("provenance", &overview_row::provenance),
                                         field("shown", &overview_row::shown), field("cells", &overview_row::cells));

/// best: no other is better. tied: within the margin of the best by two one-sided tests. worse: detectably, and not
/// tied. undecided: these runs are too few or scatter too much for either. serialized: its agents ran one after the
/// other, so that its times are those of agents alone.
enum class standing { best, tied, worse, undecided, serialized, not_measured };
template <>
inline constexpr auto words_of_enum<standing> = std::array{std::pair{standing::best, "best"},
                                                           std::pair{standing::tied, "tied"},
                                                           std::pair{standing::worse, "worse"},
                                                           std::pair{standing::undecided, "undecided"},
                                                           std::pair{standing::serialized, "serialized"},
                                                           std::pair{standing::not_measured, "not_measured"}};

struct decision_cell {
    std::string runtime;
    standing stands = standing::not_measured;
};
template <>
inline constexpr auto fields_of<decision_cell> = field_list(field("runtime", &decision_cell::runtime),
                                                            field("standing", &decision_cell::stands));

/// One criterion: means, by Welch's test and two one-sided tests; of times, which have long tails, medians, by ranks.
/// margin: the difference that is taken for none, in the metric's unit: one point of a percentage, 5 % of the best
/// runtime's figure otherwise. Runs in which a server loaded its model are left out.
struct decision_row {
    std::string metric, label, unit;
    double margin = 0;
    std::vector<decision_cell> cells;
};
template <>
inline constexpr auto
    fields_of<decision_row> = field_list(field("metric", &decision_row::metric), field("label", &decision_row::label),
                                         field("unit", &decision_row::unit), field("margin", &decision_row::margin),
                                         field("cells", &decision_row::cells));

/// A row for each key metric that some runtime has. A study of single agents has no row of efficiency.
std::vector<overview_row> overview_of(const study&);
/// A row for each of these in which one way is better, of runtimes with three runs or more; none for a single runtime.
/// serialized: the runtimes whose agents ran one after the other.
std::vector<decision_row> decisions_of(const study&, const std::vector<std::string>& serialized);

} // namespace chimera::host
