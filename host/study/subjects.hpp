// The runs that a question is about, and the figures of them.
#pragma once

#include "questions/claim.hpp"
#include "study/study.hpp"

#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

/// The values of one metric in the successful runs that a subject names ("smol/chimera_homo*", see claim_spec).
struct subject_sample {
    std::vector<double> runs;
    std::vector<std::vector<double>> configs; ///< the same by runtime and configuration, those without a value left out
    std::optional<std::size_t> agents;        ///< of each run with a value; nothing: they differ
    std::string missing; ///< why there is none (sentence_of() makes a sentence of it); empty: there is

    bool empty() const { return runs.empty(); }
};

subject_sample sample_of(const study&, const std::string& subject, const std::string& metric);

/// Nothing where the sample is too small for the figure: a deviation or an interval takes two values.
std::optional<double> figure_of(const subject_sample&, const measure&);

/// "mean", "highest configuration mean", "sd of the configuration means": how a measure is called in a sentence.
std::string words_of(const measure&);

/// The unit of a metric in the study: "%", "ms"; empty where it has none.
std::string unit_of_metric(const study&, const std::string& metric);
/// The same of a difference: percentages differ by points.
std::string unit_of_difference(const study&, const std::string& metric);

/// A figure in a sentence: "0.1 points", "1 point", "799.4 ms".
std::string amount(double, const std::string& unit);

/// Every runtime of the study; for "runtime/configuration": the runtime in each of the study's configurations.
std::vector<std::string> rivals_of(const study&, const std::string& subject);

/// Whether both name the same runs of this study.
bool same_runs(const study&, const std::string& a, const std::string& b);

/// The name of a subject as the study's own names have it: a pattern that matches one configuration is that.
std::string full_name(const study&, const std::string& subject);

} // namespace chimera::host
