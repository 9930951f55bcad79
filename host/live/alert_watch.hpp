// Warns while a campaign runs, as soon as a limit of [alerts] no longer holds.
#pragma once

#include "measure/agent_observer.hpp"
#include "measure/alerts.hpp"
#include "run/campaign.hpp"

#include <array>
#include <atomic>

namespace chimera::host {

/// Logs one line for each alert, once. It keeps no samples, it counts the ones beyond a limit: the 95th percentile is
/// above the limit when more than 5 % of the samples are. The same executions count as in the summary: the concurrent
/// ones, and for the error rate also the agents alone; never a warm-up.
class alert_watch final : public agent_observer {
  public:
    explicit alert_watch(const alert_spec& limits) : limits_(limits) {}

    /// [the thread that runs the campaign, no agent running]
    void begins(const planned_execution&);
    /// [the same] Limits on figures of runs rather than requests: the outcomes of all runs so far.
    void run_done(const std::vector<alert_outcome>&);

    void agent_starts() noexcept override {}
    void agent_ends() noexcept override {}
    void request_ends(const agent_record&, const request_record&) noexcept override;

  private:
    struct count {
        std::atomic<std::uint64_t> samples{0}, beyond{0};
        std::atomic<bool> warned{false};
    };
    void add(std::size_t rule, std::uint64_t samples, std::uint64_t beyond, double allowed) noexcept;

    const alert_spec limits_;
    bool measured_ = false, together_ = false; // written between executions
    std::array<count, alert_rule_count> counts_;
};

} // namespace chimera::host
