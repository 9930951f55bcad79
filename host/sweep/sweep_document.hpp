// The plan of a sweep as sweep.json holds it.
#pragma once

#include "result/sweep_result.hpp"
#include "sweep/definition.hpp"

namespace chimera::host {

sweep_result result_of(const sweep_definition&);

} // namespace chimera::host
