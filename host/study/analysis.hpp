// The parts of the report on a study (study/report.hpp), each computed from its runs.
#pragma once

#include "study/report.hpp"
#include "study/study.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::host {

/// The whole report. Requires that the study's requests were read. generated_by: program and version.
study_report report_of(const study&, std::string_view generated_by);

/// One for each runtime of the study, in its order.
std::vector<runtime_report> runtimes_of(const study&);
/// The headline of every runtime in every configuration.
std::vector<config_report> configs_of(const study&);

/// One value for each run.
struct named_sample {
    std::string name;
    std::vector<double> values;
};

/// Every pair of samples that have values, in their order; Holm's correction is over these.
std::vector<comparison_report> compare_all(const std::string& metric, const std::string& unit,
                                           std::span<const named_sample>);
/// The runtimes of a study by the headline, and by the metrics in which clients can differ.
std::vector<comparison_report> compare_runtimes(const study&);

/// The metric that runtimes are chosen by: the headline; for studies of single agents the token rate of a request.
const std::string& choice_of(const study&);

/// A figure within a sentence: four significant digits, without an exponent above 1000.
std::string rounded(double);
/// A metric as people write it: "TTFT", "parallel efficiency"; the name itself where the table does not know it.
std::string label_of(const std::string& metric);
/// The unit of a difference: points for percentages.
std::string unit_of_difference(const std::string& unit);
/// With a capital, and with a full stop unless it ends with one or with a question mark.
std::string sentence_of(std::string);
/// "a, b and c".
std::string listed(const std::vector<std::string>& names);

/// The runtimes that have a headline and whose agents ran side by side.
std::vector<const runtime_report*> side_by_side(const std::vector<runtime_report>&);
/// Mean over the runs of several runtimes; nothing: not measured.
std::optional<double> mean_over(const std::vector<const runtime_report*>&, const std::string& metric);

/// Points of metric::imbalance, as the mean over these runtimes' runs, that servers caused that loaded their model for
/// longer than another agent's did; and the runs in which such a load stood out. Nothing where no server says.
struct load_imbalance {
    double points = 0;
    std::size_t runs = 0;
};
std::optional<load_imbalance> load_imbalance_of(const study&, const std::vector<const runtime_report*>&);

/// The parameter of a configuration that is the number of agents.
inline constexpr const char* agents_parameter = "agents";
/// True where at least three numbers of agents were run.
bool scales(const study&);
/// For each runtime, and for each set of the other parameters, the throughput by number of agents and the fits. Empty
/// where the study does not scale.
std::vector<scaling_report> scaling_of(const study&);

/// For each parameter with at least two levels and each metric that was measured, the runs by level. Runs of all
/// runtimes are pooled, except of runtimes whose agents ran one after the other: their efficiency says nothing about
/// parameters. The number of agents is left to scaling_of() where the study scales.
std::vector<parameter_report> parameters_of(const study&, const std::vector<runtime_report>&);
/// Each configuration against the one named "default" or "baseline"; nothing without one. By the headline, which for
/// studies of single agents is the token rate of a request (a single agent has no parallel efficiency), and by TTFT.
std::vector<improvement_report> improvements_of(const study&);

/// Where the runs come from, and what of it is not the same in all of them; nothing where no run says.
std::optional<provenance_report> provenance_of(const study&);
/// A sentence for each of machines, builds, plugins, servers and models in which a study differs from another one,
/// where that can have changed the figures; and one where only one of the two says where it comes from. Only what both
/// tell is compared.
std::vector<std::string> provenance_differences(const study& a, const std::string& label_a, const study& b,
                                                const std::string& label_b);

/// From the parts of the report that are there already.
answer_report answer_of(const study&, const study_report&);

/// Sentences, the largest first: damage and runs that failed; then by the points or percent that they are about:
/// runtimes whose agents ran one after the other, causes of the loss, differences between runtimes, loads of models,
/// drift, scaling, the gain over a baseline; then the findings that have no size.
std::vector<std::string> findings_of(const study&, const study_report&);

/// How the study was made.
std::vector<std::string> method_of(const study&);
/// The questions that the study cannot answer.
std::vector<std::string> limits_of(const study&, const study_report&);
/// The commands that repeat it.
std::vector<std::string> repeat_of(const study&);

} // namespace chimera::host
