#pragma once
#include "profile/document.hpp"

namespace chimera::host {

/// Lays one document over another: a table is merged key by key, anything else replaces what was there. In a list, the
/// patch's keys are elements' ids or indices, and "*" is every element. A table of a plugin (one with the key "plugin")
/// replaces the other one, because its options mean nothing to another plugin. Returns what is wrong, empty where
/// nothing is.
std::string apply_patch(node& root, const node& patch);

/// The patch that puts a value at a dotted path such as "workload.agents.*.options.num_gpu".
node patch_at(std::string_view path, node value);

} // namespace chimera::host
