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

/// A figure within a sentence: four significant digits, without an exponent above 1000.
std::string rounded(double);

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
/// Each configuration against the one named "default" or "baseline"; nothing without one. The metric is the headline;
/// for studies of single agents it is the token rate of a request: a single agent has no parallel efficiency.
std::optional<improvement_report> improvement_of(const study&);

/// Where the runs come from, and what of it is not the same in all of them; nothing where no run says.
std::optional<provenance_report> provenance_of(const study&);
/// A sentence for each of machines, builds, plugins, servers and models in which a study differs from another one,
/// where that can have changed the figures; and one where only one of the two says where it comes from. Only what both
/// tell is compared.
std::vector<std::string> provenance_differences(const study& a, const std::string& label_a, const study& b,
                                                const std::string& label_b);

/// Sentences: where the runs come from different machines or builds, why agent-time was lost, which runtimes differ
/// detectably, which were serialized and by what, how throughput scales, the gain over a baseline, and where the client
/// could have changed the result.
std::vector<std::string> findings_of(const study&, const study_report&);

/// How the study was made.
std::vector<std::string> method_of(const study&);
/// The questions that the study cannot answer.
std::vector<std::string> limits_of(const study&, const study_report&);
/// The commands that repeat it.
std::vector<std::string> repeat_of(const study&);

} // namespace chimera::host
