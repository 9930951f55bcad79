// A run that lasts, slice by slice.
#pragma once

#include "measure/timeline.hpp"
#include "result/over_time.hpp"

#include <optional>

namespace chimera::host {

/// The length of the slices of a run whose agents make calls for so long, s: 1 s, but 200 slices at most, and of a run
/// of less than 20 s a twentieth.
double slice_length_s(double duration_s);

/// The slices of an execution, and their trends. Nothing for one that was not sampled (execution_record::memory): only
/// one with a planned duration is.
std::optional<over_time_result> over_time_of(const execution_record&);

} // namespace chimera::host
