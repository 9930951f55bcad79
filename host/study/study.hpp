// Results read back from disk: what was run, and one row for each run.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

/// What a figure is. provenance: "measured" (read off a clock or a counter), "derived" (computed from measured figures)
/// or "estimated" (computed from less than its definition needs).
struct metric_definition {
    std::string unit, text, provenance;
};

/// A variant under study. Empty: not recorded.
struct study_runtime {
    std::string name, description, executor, transport, foreign;
};

struct study_config {
    std::string name;
    nlohmann::ordered_json parameters = nlohmann::ordered_json::object(); ///< {name: number, text or bool}
};

/// One request of the concurrent execution; moments in ms since the execution began.
struct study_request {
    std::string call;
    bool ok = false;
    std::optional<double> dispatched_ms, first_token_ms, last_token_ms, done_ms;
    std::optional<double> tokens, prompt_tokens;
    double hidden_tokens = 0; ///< of tokens: counted by the server and not sent
};

/// One agent of the concurrent execution. Its requests are there once they were read (read_requests).
struct study_agent {
    std::string id, model; ///< model empty: not recorded
    std::optional<double> start_ms, end_ms;
    std::optional<std::int64_t> requests_made; ///< nothing: not recorded
    std::vector<study_request> requests;
};

struct study_serialization {
    bool serialized = false;
    std::string cause, evidence;
    std::optional<double> overlap_pct;
};

/// Whether the client could have changed the result of a run.
struct study_self_check {
    std::vector<std::string> client_limited;  ///< the metrics that it could have changed
    std::vector<std::string> arrival_limited; ///< the metrics that say how records were gathered on their way
    std::vector<std::string> evidence;        ///< sentences
};

/// A kind of remark on the replies of a run: read in another way than documented, or figures that contradict.
struct study_remark {
    std::string what, detail; ///< detail: of the first reply
    std::int64_t replies = 0, of = 0;
};

/// One finished cell: a runtime in a configuration, once.
struct study_run {
    std::string runtime, config;
    int number = 0;
    /// ok, failed, crashed or timed_out; damaged: it ended well, but its files are missing or are not those that were
    /// written. A damaged run has neither values nor agents.
    std::string status = "ok";
    std::string message; ///< why it is not ok
    std::filesystem::path folder;
    std::map<std::string, double> values; ///< one number for each metric; what is absent was not measured
    std::optional<study_serialization> serialization;
    std::optional<study_self_check> self_check;
    std::vector<study_remark> remarks;
    std::optional<bool> recorded_contention; ///< what an imported run said of itself
    std::vector<study_agent> agents;
    std::vector<double> itl_ms; ///< gaps between content records of all requests, once they were read

    bool ok() const { return status == "ok"; }
    bool damaged() const { return status == "damaged"; }
    std::optional<double> value(const std::string& metric) const {
        const auto found = values.find(metric);
        return found == values.end() ? std::nullopt : std::optional(found->second);
    }
};

/// Everything that one folder of results says. Runs are in the order of runtimes, configurations and run numbers.
struct study {
    std::filesystem::path path; ///< as it was given
    std::string name;
    std::string description, question; ///< may be empty
    std::string source = "chimera";    ///< who measured: "chimera" or "tr115"
    std::string backend, order;        ///< empty: not recorded
    std::string profile;               ///< the file that defines it; empty: not recorded
    std::optional<std::int64_t> seed;
    std::size_t cells_planned = 0;
    std::size_t cells_not_needed = 0;  ///< never run: the runs before them were enough
    std::vector<std::string> warnings; ///< what the campaign said of its own figures
    std::vector<std::string> damage;   ///< what is missing or damaged beside the files of `runs`: "FILE: what"
    bool sweep = false;                ///< false: a campaign or a single run, which is one runtime in one configuration
    std::vector<study_runtime> runtimes;
    std::vector<study_config> configs;
    std::map<std::string, metric_definition> definitions; ///< of every metric that some run has
    std::vector<study_run> runs;
};

/// What is missing or damaged, as "FILE: what; what to do": the messages of damaged runs, and the study's own damage.
/// Empty: the study is whole.
std::vector<std::string> damage_of(const study&);

} // namespace chimera::host
