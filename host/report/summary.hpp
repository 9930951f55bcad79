// What came out of a campaign, as one document and as a page that a person reads in ten seconds.
#pragma once

#include "measure/alerts.hpp"
#include "measure/metrics.hpp"
#include "measure/self_check.hpp"
#include "profile/profile.hpp"

#include <nlohmann/json_fwd.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

/// A request or an agent that failed.
struct failure {
    int run = 0;           ///< 0: the warm-up
    std::string execution; ///< "together", or "alone"
    std::string agent, call, message;
};

/// In the order of the runs.
std::vector<failure> failures_of(const std::vector<run_record>&);

struct campaign_summary {
    const profile& what;
    std::vector<metric> metrics;
    std::optional<self_check> client;                   ///< nothing: pieces of bodies were not timed
    std::optional<serialization_verdict> serialization; ///< nothing: no complete run of two agents or more
    std::vector<alert_outcome> alerts;                  ///< those that the profile sets
    std::vector<failure> failures;
    std::vector<std::string> warnings; ///< what makes a figure mean something else than it seems
    std::vector<int> runs;             ///< numbers of those that came to their end, as their folders have them
    std::size_t complete_runs = 0;     ///< those of them without a failed request: only they have figures
    std::size_t requests = 0;          ///< in all executions
    std::string tokens_from;           ///< who counted tokens: "server", "content records" or "mixed"; empty: nobody
    std::size_t failed_requests = 0;
    bool interrupted = false;
    std::filesystem::path files; ///< where everything was written; empty: nowhere
};

/// What the client could have changed, and why.
nlohmann::ordered_json to_json(const self_check&);

/// "parallel" or "serialized" with cause and evidence; null for none.
nlohmann::ordered_json to_json(const std::optional<serialization_verdict>&);

/// "simulator", "server", or "mixed".
std::string backend_of(const profile&);

/// what must outlive the summary.
campaign_summary summarize(const profile& what, const std::vector<run_record>&);

/// The document of `--json` and summary.json: docs/output.md describes it. Its schema_version changes when a reader
/// would break.
nlohmann::ordered_json to_json(const campaign_summary&);

/// The page for a person.
std::string to_text(const campaign_summary&);

inline constexpr int summary_schema_version = 2;

} // namespace chimera::host
