// sweep.json: what a sweep is, beside its results. docs/sweep.md describes it.
#pragma once

#include "sweep/definition.hpp"

#include <nlohmann/json_fwd.hpp>

namespace chimera::host {

nlohmann::ordered_json sweep_document(const sweep_definition&);

inline constexpr int sweep_schema_version = 1;

} // namespace chimera::host
