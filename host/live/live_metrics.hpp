// `--metrics-port N`: what Prometheus scrapes while a campaign runs. docs/live-metrics.md names every series.
#pragma once

#include "measure/agent_observer.hpp"
#include "run/campaign.hpp"

#include <memory>
#include <string>

namespace chimera::host {

/// Serves /metrics on a thread of its own, from construction to destruction. An agent feeds it when a request ends:
/// the pieces of the body are sorted into buckets on the spot and added at once. Tokens are read where they are counted
/// anyway, when somebody scrapes.
class live_metrics final : public agent_observer {
  public:
    /// address: of an interface, IPv4 or IPv6, without brackets. port 0: any free one. Everything referred to outlives
    /// this object. Throws std::runtime_error naming the address when it cannot be listened on.
    live_metrics(const profile&, const execution_control&, const std::string& address, int port);
    ~live_metrics() override;

    /// "http://127.0.0.1:9100/metrics", with the port that was taken.
    const std::string& url() const noexcept;

    /// [the thread that runs the campaign, no agent running]
    void begins(const planned_execution&);
    void run_done(const run_record&);

    void agent_starts() noexcept override;
    void agent_ends() noexcept override;
    void request_ends(const agent_record&, const request_record&) noexcept override;

  private:
    struct series;
    std::unique_ptr<series> series_;
};

} // namespace chimera::host
