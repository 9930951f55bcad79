// One run as the original programs wrote it down.
#pragma once

#include "result/json_fields.hpp"
#include "tr115/tree.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

struct tr115_request {
    std::optional<double> total_ms, tokens;
    double ttft_ms = 0, tokens_per_second = 0;
};

struct tr115_agent {
    std::string id, model;
    json options;
    std::optional<double> duration_ms;    ///< from the concurrent run: no agent ever ran alone
    std::optional<std::int64_t> ended_ns; ///< of the wall clock, since 1970
    std::vector<tr115_request> requests;
};

/// Two agents. A record that only a summary.json has lacks the agents' durations.
struct tr115_record {
    double wall_ms = 0, durations_ms = 0; ///< durations_ms: of both agents together
    double efficiency_percent = 0;        ///< as it was written down
    std::optional<bool> contention;
    std::vector<tr115_agent> agents;
};

/// (t_A + t_B) / (2 wall) in percent, both durations from the concurrent run.
double estimated_efficiency_pct(const tr115_record&);

/// Reads the file of a run. Throws results_error, also for figures that no run can have: a duration that is not above
/// 0, or agents that together took more time than two agents have in the wall time.
tr115_record read_tr115_run(const tr115_run&);

} // namespace chimera::host
