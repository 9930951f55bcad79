// Could the client itself, or something on the way of the records, have changed the figures?
#pragma once

#include "measure/metrics.hpp"

#include <optional>

namespace chimera::host {

/// Judges the metrics of one run, or of all runs of a campaign together: see self_check. Nothing where pieces of bodies
/// were not timed. time_scale: measure.time_scale. What a client costs does not shrink with the times of a simulated
/// server: a delay is held against the times that the profile stands for, and a share of the time is that much smaller.
std::optional<self_check> check_client(const campaign_metrics&, double time_scale = 1);

} // namespace chimera::host
