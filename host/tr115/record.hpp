// One run as the original programs wrote it down.
#pragma once

#include "result/json_fields.hpp"
#include "tr115/tree.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

/// What a file does not have is nothing.
struct tr115_request {
    std::optional<double> total_ms; ///< by the client's clock
    std::optional<double> tokens;
    double ttft_ms = 0, tokens_per_second = 0;
    std::optional<double> server_total_ms, load_ms, prompt_eval_ms, eval_ms; ///< the server's own durations
};

struct tr115_agent {
    std::string id; ///< its part: "collector" or "insight", as in our profiles
    std::string model, url, prompt, response;
    json options;
    std::optional<double> duration_ms;    ///< from the concurrent run: no agent ever ran alone
    std::optional<std::int64_t> ended_ns; ///< of the wall clock, since 1970
    std::vector<tr115_request> requests;
};

/// The machine and the compiler of the client.
struct tr115_system {
    std::optional<std::string> host_name, os, rust_version; ///< os: "windows x86_64"
};

/// Two agents. A record that only a summary.json has lacks the agents' durations, or the moments of their ends.
struct tr115_record {
    double wall_ms = 0, durations_ms = 0; ///< durations_ms: of both agents together
    double efficiency_percent = 0;        ///< as it was written down
    std::optional<bool> contention;
    std::optional<tr115_system> system;
    std::optional<std::int64_t> written_ns; ///< when the file was made, since 1970; after all of its runs
    std::vector<tr115_agent> agents;
};

/// (t_A + t_B) / (2 wall) in percent, both durations from the concurrent run.
double estimated_efficiency_pct(const tr115_record&);

/// When the first agent began, in ns since 1970; nothing where a file does not say when each agent ended.
std::optional<std::int64_t> began_ns(const tr115_record&);

/// The numbers of the runs in the document of a summary.json, of either program. Throws results_error.
std::vector<int> listed_runs(const json& summary, const std::string& file);

/// Reads the file of a run. Throws results_error, also for figures that no run can have: a duration that is not above
/// 0, or agents that together took more time than two agents have in the wall time.
tr115_record read_tr115_run(const tr115_run&);

} // namespace chimera::host
