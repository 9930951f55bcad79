// Studies held against each other: before and after, this machine and that one.
#pragma once

#include "study/analysis.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace chimera::host {

/// One pair of studies by one metric. a comes before b among the arguments.
struct study_pair : comparison_report {
    std::optional<double> change_pct; ///< (mean b - mean a) / |mean a|; nothing where that is 0
    bool worse = false;               ///< b is detectably worse than a; never where no way is better
};
template <>
inline constexpr auto fields_of<study_pair> = field_list_after(fields_of<comparison_report>,
                                                               field("change_pct", &study_pair::change_pct),
                                                               field("worse", &study_pair::worse));

/// The finished runs of one study that were compared, and those that have nothing to compare.
struct run_counts {
    std::size_t ok = 0, failed = 0;
    std::size_t damaged = 0; ///< neither: their files are lost or damaged
    double failed_share() const {
        return failed == 0 ? 0 : static_cast<double>(failed) / static_cast<double>(ok + failed);
    }
};
template <>
inline constexpr auto fields_of<run_counts> = field_list(field("ok", &run_counts::ok),
                                                         field("failed", &run_counts::failed),
                                                         field("damaged", &run_counts::damaged));

struct compared_study {
    std::string label; ///< its name, or its path where names are alike
    std::string name;
    std::filesystem::path path;
    run_counts runs;
};
template <>
inline constexpr auto
    fields_of<compared_study> = field_list(field("label", &compared_study::label), field("name", &compared_study::name),
                                           field("path", &compared_study::path), field("runs", &compared_study::runs));

/// One study in one configuration, by the first metric that was compared.
struct evolution_cell {
    std::size_t n = 0;
    std::optional<double> mean, sd;
};
template <>
inline constexpr auto fields_of<evolution_cell> = field_list(field("n", &evolution_cell::n),
                                                             field("mean", &evolution_cell::mean),
                                                             field("sd", &evolution_cell::sd));

/// A configuration across the studies, in their order.
struct evolution_row {
    std::string config;
    std::vector<evolution_cell> cells;
};
template <>
inline constexpr auto fields_of<evolution_row> = field_list(field("config", &evolution_row::config),
                                                            field("cells", &evolution_row::cells));

/// What was compared: runtimes of one name, the only runtime of each study, or runtimes that were said to be the same.
struct study_group {
    std::optional<std::string> runtime;   ///< nothing: the only runtime of each study; "a = b": as it was said
    std::vector<evolution_row> evolution; ///< nothing where there is one configuration
    std::vector<run_counts> runs;         ///< of each study
    std::vector<study_pair> comparisons;
    std::vector<std::string> not_judged; ///< sentences: what could not be held against the first study
};
template <>
inline constexpr auto fields_of<study_group> = field_list(field("runtime", &study_group::runtime),
                                                          field("evolution", &study_group::evolution),
                                                          field("runs", &study_group::runs),
                                                          field("comparisons", &study_group::comparisons),
                                                          field("not_judged", &study_group::not_judged));

/// Also the document of `compare --json`.
struct study_comparison {
    int schema_version = 1;
    std::string kind = "comparison";
    std::vector<compared_study> studies;
    std::vector<study_group> groups;
    std::vector<std::string> warnings; ///< what was left out, and what besides the client may have made a difference
    std::vector<std::string> damage;   ///< damage_of() the studies
};
template <>
inline constexpr auto fields_of<study_comparison> =
    field_list(field("schema_version", &study_comparison::schema_version), field("kind", &study_comparison::kind),
               field("studies", &study_comparison::studies), field("groups", &study_comparison::groups),
               field("warnings", &study_comparison::warnings), field("damage", &study_comparison::damage));

/// Compares two or more studies by these metrics; none named: by those that clients can change and every study has.
///
/// Where every study has a single runtime, those are compared, otherwise runtimes of the same name; over the
/// configurations that every study has. Single runtimes in a single configuration each are compared even where these
/// have different names, and a warning says so. Holm's correction is over the pairs of a metric in a group.
/// same: runtimes that count as the same whatever their names, each with a name for every study; then only these are
/// compared.
/// Throws results_error: a study given twice, one without a successful run, nothing in common, a metric or a runtime
/// that a study does not have, or a number of names that is not that of the studies.
study_comparison compare_studies(std::span<const study>, std::vector<std::string> metrics,
                                 const std::vector<std::vector<std::string>>& same = {});

/// The finished runs of a study: of this runtime in these configurations; none named: of all.
run_counts count_runs(const study&, const std::string& runtime = {}, const std::vector<std::string>& configs = {});

/// True where b of the pair is worse than a by more than this, in percent of a, and the difference is detectable.
bool regressed(const study_pair&, double by_more_than_pct);

} // namespace chimera::host
