// What a study was to find out, decided by its runs.
#pragma once

#include "questions/question_set.hpp"
#include "statistics/description.hpp"
#include "study/study.hpp"

#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

enum class hypothesis_verdict : std::uint8_t {
    supported,
    refuted,      ///< its opposite is supported
    not_shown,    ///< neither is
    too_few_runs, ///< fewer than three on a side, or none of them varies
    not_derivable ///< the study has no such runs, or did not measure this
};
template <>
inline constexpr auto words_of_enum<hypothesis_verdict> =
    std::array{std::pair{hypothesis_verdict::supported, "supported"}, std::pair{hypothesis_verdict::refuted, "refuted"},
               std::pair{hypothesis_verdict::not_shown, "not_shown"},
               std::pair{hypothesis_verdict::too_few_runs, "too_few_runs"},
               std::pair{hypothesis_verdict::not_derivable, "not_derivable"}};

struct judged_hypothesis {
    std::string source, id, statement, metric, unit; ///< unit: of the differences
    std::string a, b;                                ///< b: a subject, or the name of a reference
    relation direction = relation::different;
    double margin = 0;
    deciding_test test = deciding_test::welch;
    std::size_t n_a = 0, n_b = 0; ///< n_b: 0 for a reference
    std::optional<double> mean_a, mean_b, median_a, median_b, difference;
    std::optional<statistics::interval> ci95;        ///< of the difference of the means
    std::optional<double> p, p_holm;                 ///< small: the hypothesis is supported
    std::optional<double> p_against, p_against_holm; ///< small: its opposite is
    std::optional<double> p_means,
        p_ranks;                 ///< two-sided, of no difference: Welch's or Student's, and Mann and Whitney's
    std::optional<double> level; ///< 0.05 / number of hypotheses, the strictest after Holm
    std::optional<double> power; ///< chance of showing it, at that level, if the true difference is twice the margin;
                                 ///< of "equivalent" if there is none; nothing without a margin
    std::optional<double> detectable; ///< the true difference with which it is shown with a chance of 0.8, at that
                                      ///< level; of "equivalent" the margin
    hypothesis_verdict verdict = hypothesis_verdict::not_derivable;
    std::string words; ///< the verdict as sentences, with figures
};
template <>
inline constexpr auto fields_of<judged_hypothesis> = field_list(
    field("source", &judged_hypothesis::source), field("id", &judged_hypothesis::id),
    field("statement", &judged_hypothesis::statement), field("metric", &judged_hypothesis::metric),
    field("unit", &judged_hypothesis::unit), field("a", &judged_hypothesis::a), field("b", &judged_hypothesis::b),
    field("direction", &judged_hypothesis::direction), field("margin", &judged_hypothesis::margin),
    field("test", &judged_hypothesis::test), field("n_a", &judged_hypothesis::n_a),
    field("n_b", &judged_hypothesis::n_b), field("mean_a", &judged_hypothesis::mean_a),
    field("mean_b", &judged_hypothesis::mean_b), field("median_a", &judged_hypothesis::median_a),
    field("median_b", &judged_hypothesis::median_b), field("difference", &judged_hypothesis::difference),
    field("ci95", &judged_hypothesis::ci95), field("p", &judged_hypothesis::p),
    field("p_holm", &judged_hypothesis::p_holm), field("p_against", &judged_hypothesis::p_against),
    field("p_against_holm", &judged_hypothesis::p_against_holm), field("p_means", &judged_hypothesis::p_means),
    field("p_ranks", &judged_hypothesis::p_ranks), field("level", &judged_hypothesis::level),
    field("power", &judged_hypothesis::power), field("detectable", &judged_hypothesis::detectable),
    field("verdict", &judged_hypothesis::verdict), field("words", &judged_hypothesis::words));

/// Every hypothesis of the study's questions, in their order.
///
/// p is one-sided: of a difference beyond the margin in the direction of the hypothesis; for "different" two-sided; for
/// "equivalent" that of TOST. p_against is that of the opposite: that the difference does not reach the margin; for
/// "different" that it lies within the margin (nothing without one); for "equivalent" that it lies beyond it. Each is
/// corrected after Holm over all hypotheses, so that the chance of any wrong "supported", and that of any wrong
/// "refuted", stays below 0.05.
///
/// Power is that of the t test with these deviations; for "equivalent" of the two tests if there is no true difference,
/// bounded from below.
std::vector<judged_hypothesis> hypotheses_of(const study&);

} // namespace chimera::host
