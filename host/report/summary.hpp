// The result of a campaign, as summary.json and as a page that a person reads in ten seconds.
#pragma once

#include "measure/alerts.hpp"
#include "measure/metrics.hpp"
#include "profile/profile.hpp"
#include "result/campaign_result.hpp"

#include <string>
#include <vector>

namespace chimera::host {

struct campaign_summary {
    const profile& what;
    campaign_metrics metrics;
    std::vector<alert_outcome> alerts; ///< those that the profile sets
    campaign_result result;            ///< summary.json
};

/// In the order of the runs.
std::vector<failure_result> failures_of(const std::vector<run_record>&);

/// "simulator", "server", or "mixed".
std::string backend_of(const profile&);

/// what must outlive the summary. metrics: of all these runs, where they are known already.
campaign_summary summarize(const profile& what, const std::vector<run_record>&, const campaign_metrics& metrics);
campaign_summary summarize(const profile& what, const std::vector<run_record>&);

/// The page for a person.
std::string to_text(const campaign_summary&);

} // namespace chimera::host
