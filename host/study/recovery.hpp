// The efficiency of a study in which no agent ever ran alone, recovered from the runs in which the agents ran one after
// the other: there, each had the servers to itself.
#pragma once

#include "statistics/description.hpp"
#include "study/study.hpp"

namespace chimera::host {

/// How fast an agent is that has the servers to itself: sum of its durations / sum of its tokens, over serialized runs.
struct agent_pace {
    std::string agent;
    double ms_per_token = 0;
};
template <>
inline constexpr auto fields_of<agent_pace> = field_list(field("agent", &agent_pace::agent),
                                                         field("ms_per_token", &agent_pace::ms_per_token, "ms"));

/// Over the runs of one runtime. ci95 is a bootstrap interval over these runs and the serialized ones.
struct recovered_runs {
    std::size_t n = 0;
    std::optional<double> mean_pct, sd_pct; ///< nothing: too few runs
    std::optional<statistics::interval> ci95_pct;
};
template <>
inline constexpr auto fields_of<recovered_runs> = field_list(field("n", &recovered_runs::n),
                                                             field("mean_pct", &recovered_runs::mean_pct),
                                                             field("sd_pct", &recovered_runs::sd_pct),
                                                             field("ci95_pct", &recovered_runs::ci95_pct));

struct recovered_runtime {
    std::string runtime;
    recovered_runs warm; ///< against the pace of warm serialized runs; all runs, where no server says what it loaded
    recovered_runs all;  ///< of every run, against the pace of every serialized run
};
template <>
inline constexpr auto fields_of<recovered_runtime> = field_list(field("runtime", &recovered_runtime::runtime),
                                                                field("warm", &recovered_runtime::warm),
                                                                field("all", &recovered_runtime::all));

struct recovery_report {
    std::vector<std::string> from; ///< the runtimes that have serialized runs
    std::size_t serialized_runs = 0, warm_serialized_runs = 0;
    bool loads_known = false;      ///< the servers say how long they loaded their models
    std::vector<agent_pace> paces; ///< of warm runs
    /// Tokens of all agents in a second: one after the other, and side by side; means over warm runs.
    double in_turn_tok_s = 0, together_tok_s = 0;
    std::vector<recovered_runtime> runtimes;
    std::vector<std::string> assumptions; ///< sentences
};
template <>
inline constexpr auto fields_of<recovery_report> =
    field_list(field("from", &recovery_report::from), field("serialized_runs", &recovery_report::serialized_runs),
               field("warm_serialized_runs", &recovery_report::warm_serialized_runs),
               field("loads_known", &recovery_report::loads_known), field("paces", &recovery_report::paces),
               field("in_turn_tok_s", &recovery_report::in_turn_tok_s, "tok/s"),
               field("together_tok_s", &recovery_report::together_tok_s, "tok/s"),
               field("runtimes", &recovery_report::runtimes), field("assumptions", &recovery_report::assumptions));

/// Says of each run with requests whether a server loaded its model for it: a load that takes half a second more than
/// the median load of the study, and three times as long. A study with a load in most runs has none that stands out.
void mark_model_loads(study&);

/// Adds metric::recovered_efficiency to each warm run, where no agent ever ran alone, some runs were serialized, and
/// the tokens and durations of the agents are known. Requires that the requests were read and mark_model_loads().
void recover(study&);

/// Nothing where recover() added nothing.
std::optional<recovery_report> recovery_of(const study&);

} // namespace chimera::host
