// A published statement in a form that data can be held against.
#pragma once

#include "result/json_fields.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace chimera::host {

/// One figure of a sample.
enum class aggregate : std::uint8_t {
    mean,
    sd,
    mean_sd, ///< mean of the deviations within the configurations
    median,
    min,
    max,
    q1,
    q3,
    cv_pct,
    ci95_low,
    ci95_high,
    range, ///< max - min
    count
};
template <>
inline constexpr auto words_of_enum<aggregate> = std::array{std::pair{aggregate::mean, "mean"},
                                                            std::pair{aggregate::sd, "sd"},
                                                            std::pair{aggregate::mean_sd, "mean_sd"},
                                                            std::pair{aggregate::median, "median"},
                                                            std::pair{aggregate::min, "min"},
                                                            std::pair{aggregate::max, "max"},
                                                            std::pair{aggregate::q1, "q1"},
                                                            std::pair{aggregate::q3, "q3"},
                                                            std::pair{aggregate::cv_pct, "cv_pct"},
                                                            std::pair{aggregate::ci95_low, "ci95_low"},
                                                            std::pair{aggregate::ci95_high, "ci95_high"},
                                                            std::pair{aggregate::range, "range"},
                                                            std::pair{aggregate::count, "count"}};

/// What a sample has one value of: a run, or a configuration (the mean of its runs).
enum class sample_unit : std::uint8_t { runs, configurations };
template <>
inline constexpr auto words_of_enum<sample_unit> =
    std::array{std::pair{sample_unit::runs, "runs"}, std::pair{sample_unit::configurations, "configurations"}};

/// A figure and the sample that it is taken of.
struct measure {
    aggregate how = aggregate::mean;
    sample_unit over = sample_unit::runs;

    bool operator==(const measure&) const = default;
};
template <>
inline constexpr auto fields_of<measure> = field_list(field("aggregate", &measure::how), field("over", &measure::over));

/// What kind of statement a claim is. Each has its own key in a file, of the same name.
enum class claim_kind : std::uint8_t {
    value,
    between,          ///< each of several values lies in a range
    difference,       ///< a - b
    change_pct,       ///< (a - b) / |b|
    ratio,            ///< a / b
    speedup,          ///< agents x efficiency / 100
    cohens_d,         ///< (a - b) / pooled deviation
    order,            ///< one is the highest, the best, the most stable, ... of several
    ranking,          ///< several are in this order
    test,             ///< a difference is detectable, is not, or is too small to matter
    success_rate_pct, ///< share of the configurations that are better than a baseline
    formula           ///< arithmetic with other published figures
};
template <>
inline constexpr auto words_of_enum<claim_kind> =
    std::array{std::pair{claim_kind::value, "value"},
               std::pair{claim_kind::between, "between"},
               std::pair{claim_kind::difference, "difference"},
               std::pair{claim_kind::change_pct, "change_pct"},
               std::pair{claim_kind::ratio, "ratio"},
               std::pair{claim_kind::speedup, "speedup"},
               std::pair{claim_kind::cohens_d, "cohens_d"},
               std::pair{claim_kind::order, "order"},
               std::pair{claim_kind::ranking, "ranking"},
               std::pair{claim_kind::test, "test"},
               std::pair{claim_kind::success_rate_pct, "success_rate_pct"},
               std::pair{claim_kind::formula, "formula"}};

/// Of the figures of several runtimes or configurations. best and worst: as the metric knows which way is better.
enum class place_in_order : std::uint8_t { highest, lowest, best, worst, most_stable, least_stable };
template <>
inline constexpr auto words_of_enum<place_in_order> =
    std::array{std::pair{place_in_order::highest, "highest"},
               std::pair{place_in_order::lowest, "lowest"},
               std::pair{place_in_order::best, "best"},
               std::pair{place_in_order::worst, "worst"},
               std::pair{place_in_order::most_stable, "most_stable"},
               std::pair{place_in_order::least_stable, "least_stable"}};

/// What is said of a difference a - b.
enum class relation : std::uint8_t {
    higher,
    lower,
    different,
    no_difference, ///< none is detectable, which is no evidence of equality
    equivalent     ///< shown to be within the margin
};
template <>
inline constexpr auto words_of_enum<relation> =
    std::array{std::pair{relation::higher, "higher"}, std::pair{relation::lower, "lower"},
               std::pair{relation::different, "different"}, std::pair{relation::no_difference, "no_difference"},
               std::pair{relation::equivalent, "equivalent"}};

/// Which test decides. welch: of means (against a reference: Student's). ranks: Mann and Whitney's U.
enum class deciding_test : std::uint8_t { welch, ranks };
template <>
inline constexpr auto words_of_enum<deciding_test> =
    std::array{std::pair{deciding_test::welch, "welch"}, std::pair{deciding_test::ranks, "ranks"}};

/// A value that is known without error, such as one that another report published.
struct reference_value {
    std::string name; ///< "TR114"; a number that stands in place of a name is its own name
    double value = 0;
};
template <>
inline constexpr auto fields_of<reference_value> = field_list(field("name", &reference_value::name),
                                                              field("value", &reference_value::value));

/// One claim. Which members count depends on the kind; the others are as they were made.
///
/// A subject names runs: "smol" (a runtime, in every configuration), "smol/chimera_homo*" (in the configurations that
/// match the pattern of a shell), "*/default" (of every runtime).
struct claim_spec {
    std::string id, statement;
    claim_kind kind = claim_kind::value;
    std::string metric;                       ///< a figure of the metric table, or of the study; empty for a formula
    measure by;                               ///< the figure that is compared
    std::vector<std::string> of;              ///< subjects; in a ranking, from the first place to the last
    std::string a, b;                         ///< subjects
    std::optional<reference_value> reference; ///< in place of b
    std::optional<double> published;
    double tolerance = 0;
    std::optional<double> low, high; ///< between
    place_in_order place = place_in_order::highest;
    std::vector<std::string> among; ///< the subjects that are put in order; empty: every runtime, or configuration
    relation says = relation::different;
    deciding_test test = deciding_test::welch;
    double level = 0.05, margin = 0;
    std::string baseline; ///< a configuration
    std::string formula;
    std::vector<std::pair<std::string, double>> inputs; ///< of the formula, by name
    std::string unit;                                   ///< of a figure that comes from a formula
    std::string note;                                   ///< what the author of the file adds to the verdict
};
template <>
inline constexpr auto fields_of<claim_spec> = field_list(
    field("id", &claim_spec::id), field("statement", &claim_spec::statement), field("kind", &claim_spec::kind),
    field("metric", &claim_spec::metric).left_out(), field("by", &claim_spec::by),
    field("of", &claim_spec::of).left_out(), field("a", &claim_spec::a).left_out(),
    field("b", &claim_spec::b).left_out(), field("reference", &claim_spec::reference).left_out(),
    field("published", &claim_spec::published).left_out(), field("tolerance", &claim_spec::tolerance).left_out(),
    field("low", &claim_spec::low).left_out(), field("high", &claim_spec::high).left_out(),
    field("place", &claim_spec::place), field("among", &claim_spec::among).left_out(), field("says", &claim_spec::says),
    field("test", &claim_spec::test), field("level", &claim_spec::level), field("margin", &claim_spec::margin),
    field("baseline", &claim_spec::baseline).left_out(), field("formula", &claim_spec::formula).left_out(),
    field("inputs", &claim_spec::inputs).left_out(), field("unit", &claim_spec::unit).left_out(),
    field("note", &claim_spec::note).left_out());

} // namespace chimera::host
