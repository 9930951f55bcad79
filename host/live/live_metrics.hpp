// `--metrics-port N`: the page that Prometheus scrapes while a campaign runs. docs/live-metrics.md names every series.
#pragma once

#include "measure/agent_observer.hpp"
#include "run/campaign.hpp"

#include <memory>
#include <string>

namespace chimera::host {

/// Serves /metrics on its own thread, from construction to destruction. When a request ends, its agent sorts the pieces
/// of the body into buckets and adds them all at once. The token counter, which exists anyway, is read at each scrape.
class live_metrics final : public agent_observer {
  public:
    /// address: of an interface, IPv4 or IPv6, without brackets. port 0: any free port. Everything referred to outlives
    /// this object. Throws std::runtime_error that names the address when it cannot listen there.
    live_metrics(const profile&, const execution_control&, const std::string& address, int port);
    ~live_metrics() override;

    /// "http://127.0.0.1:9100/metrics", with the real port.
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
