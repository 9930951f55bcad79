// The agents of a study one by one, where there are few: who waits longer, who is faster, and whether every runtime was
// given the same work.
#pragma once

#include "result/json_fields.hpp"
#include "statistics/description.hpp"
#include "study/study.hpp"

namespace chimera::host {

/// One agent over the runs of a runtime (config empty) or over those of a configuration (runtime empty; of all runtimes
/// whose agents ran side by side). One value for each run: medians of TTFT and E2E, means of the others.
struct agent_figures {
    std::string runtime, config, agent;
    std::size_t n = 0;
    std::optional<double> ttft_ms, e2e_ms, tokens_per_second, tokens;
};
template <>
inline constexpr auto fields_of<agent_figures> = field_list(
    field("runtime", &agent_figures::runtime), field("config", &agent_figures::config),
    field("agent", &agent_figures::agent), field("n", &agent_figures::n),
    field("ttft_ms", &agent_figures::ttft_ms, "ms"), field("e2e_ms", &agent_figures::e2e_ms, "ms"),
    field("tokens_per_second", &agent_figures::tokens_per_second, "tok/s"), field("tokens", &agent_figures::tokens));

/// An agent against the first one of the same runs: agent - first, paired run by run. Warm runs only.
struct agent_delta {
    std::string runtime, config, agent, against, metric;
    std::size_t n = 0;
    double difference = 0; ///< mean
    std::optional<statistics::interval> ci95;
    std::optional<double> p; ///< of the paired t test
};
template <>
inline constexpr auto fields_of<agent_delta> = field_list(
    field("runtime", &agent_delta::runtime), field("config", &agent_delta::config), field("agent", &agent_delta::agent),
    field("against", &agent_delta::against), field("metric", &agent_delta::metric), field("n", &agent_delta::n),
    field("difference", &agent_delta::difference), field("ci95", &agent_delta::ci95), field("p", &agent_delta::p));

/// A quantity of work by runtime: the mean over its runs; nothing: not recorded.
struct parity_cell {
    std::string runtime;
    std::optional<double> mean;
};
template <>
inline constexpr auto fields_of<parity_cell> = field_list(field("runtime", &parity_cell::runtime),
                                                          field("mean", &parity_cell::mean));

struct parity_report {
    std::string quantity; ///< "calls", "prompt tokens", "tokens of replies"
    bool equal = false;   ///< the runs of one number in one configuration had the same, on every runtime
    std::vector<parity_cell> cells;
};
template <>
inline constexpr auto fields_of<parity_report> = field_list(field("quantity", &parity_report::quantity),
                                                            field("equal", &parity_report::equal),
                                                            field("cells", &parity_report::cells));

/// More agents than this are not shown one by one.
inline constexpr std::size_t most_agents_shown = 4;

// All require that the requests were read, and give nothing for other numbers of agents than 2 to most_agents_shown
// (parity: also for one).

std::vector<agent_figures> agents_report_of(const study&);
std::vector<agent_delta> agent_deltas_of(const study&);
std::vector<parity_report> parity_of(const study&);

} // namespace chimera::host
