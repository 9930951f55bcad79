// What came out of a campaign, as one document and as a page that a person reads in ten seconds.
#pragma once

#include "measure/metrics.hpp"
#include "profile/profile.hpp"

#include <nlohmann/json_fwd.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace chimera::host {

/// A request or an agent that failed.
struct failure {
    int run = 0;           ///< 0: the warm-up
    std::string execution; ///< "together", or "alone"
    std::string agent, call, message;
};

/// Failures of the same agent and call with the same message are listed once for each execution.
std::vector<failure> failures_of(const std::vector<run_record>&);

struct campaign_summary {
    const profile& what;
    std::vector<metric> metrics;
    serialization_verdict serialization;
    std::vector<failure> failures;
    std::vector<std::string> warnings; ///< what makes a figure mean something else than it seems
    std::size_t runs = 0;              ///< completed
    std::size_t requests = 0;          ///< in all executions
    std::size_t failed_requests = 0;
    bool interrupted = false;
    std::filesystem::path files; ///< where everything was written; empty: nowhere
};

/// what must outlive the summary.
campaign_summary summarize(const profile& what, const std::vector<run_record>&);

/// The document of `--json` and summary.json: docs/output.md describes it. Its schema_version changes when a reader
/// would break.
nlohmann::ordered_json to_json(const campaign_summary&);

/// The page for a person.
std::string to_text(const campaign_summary&);

inline constexpr int summary_schema_version = 1;

} // namespace chimera::host
