// An agent's way into its group.
#pragma once

#include "coordination/group_tasks.hpp"

#include <chimera/sdk/endpoint.hpp>
#include <chimera/sdk/task.hpp>

#include <cstdint>
#include <memory>

namespace chimera::host {

/// How long the endpoints of a group wait for each other.
inline constexpr std::uint64_t group_patience_ns = 30'000'000'000;

/// An endpoint that is in the group. A hub in another process may come later, or still serve the execution before: then
/// it is asked again and again. Throws sdk::error.
sdk::task<std::unique_ptr<sdk::endpoint>> join_group(const group_environment&, std::int32_t number);

} // namespace chimera::host
