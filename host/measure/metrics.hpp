// Every metric of the table, computed from what was recorded. Nothing else computes one.
#pragma once

#include "measure/timeline.hpp"
#include "result/metric_table.hpp"
#include "statistics/description.hpp"

#include <array>
#include <optional>
#include <span>

namespace chimera::host {

/// The metrics of some runs: of one, or of all of a campaign. A metric of runs has one value for each run in which
/// every agent succeeded; a metric of requests has one for each successful request, or piece of a body, of the
/// concurrent executions. A metric without a value (n = 0) was not measured.
class campaign_metrics {
  public:
    /// Computes one metric after the other, so that the largest sample is all the memory it takes: pieces of bodies go
    /// into the millions.
    explicit campaign_metrics(std::span<const run_record>);

    const statistics::description& operator[](metric m) const noexcept { return metrics_[static_cast<std::size_t>(m)]; }
    /// One number; nothing: not measured.
    std::optional<double> value(figure) const;

  private:
    std::array<statistics::description, metric_count> metrics_;
};

} // namespace chimera::host
