// Could the client itself, or something on the way of the records, have changed the figures?
#pragma once

#include "measure/metrics.hpp"

#include <optional>

namespace chimera::host {

/// Judges the metrics of one run, or of all runs of a campaign together: see self_check. Nothing where pieces of bodies
/// were not timed.
std::optional<self_check> check_client(const campaign_metrics&);

} // namespace chimera::host
