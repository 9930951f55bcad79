// Collects what can be asked of this process and its machine. Servers are asked by run/ask_servers.hpp.
#pragma once

#include "provenance/provenance.hpp"

#include <filesystem>
#include <string>

namespace chimera::host {

class plugin;

/// Now, in UTC: "2025-11-14T09:30:00Z".
std::string utc_now();

/// Reads /proc and /sys below `root`; another root is for tests. Never throws for a file that is missing.
machine_identity this_machine(const std::filesystem::path& root = "/");

build_identity this_build();

/// Reads the plugin's file once, for its hash.
plugin_identity identity_of(const plugin&);

} // namespace chimera::host
