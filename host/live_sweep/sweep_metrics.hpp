// `sweep --metrics-port N`: the page that Prometheus scrapes while a sweep runs. docs/live-metrics.md names every
// series.
#pragma once

#include "sweep/run_sweep.hpp"

#include <memory>
#include <string>

namespace chimera::host {

/// Serves /metrics on its own thread, from construction to destruction: how far the sweep is, and the figures of the
/// cells that are done. The cells are processes of their own and are not asked while they run.
class sweep_metrics {
  public:
    /// address: IPv4 or IPv6, without brackets. port 0: any free port. Throws std::runtime_error that names the address
    /// when it cannot listen there.
    sweep_metrics(const sweep_definition&, const sweep_settings&, const std::string& address, int port);
    ~sweep_metrics();
    sweep_metrics(const sweep_metrics&) = delete;
    sweep_metrics& operator=(const sweep_metrics&) = delete;

    /// "http://127.0.0.1:9100/metrics", with the real port.
    const std::string& url() const noexcept;

    /// [the sweep's thread] As sweep_events has them.
    void begun(const sweep_progress&);
    void told(const cell_result&, const sweep_progress&);
    void changed(const sweep_now&);

  private:
    struct series;
    std::unique_ptr<series> series_;
};

} // namespace chimera::host
