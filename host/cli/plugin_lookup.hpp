// How a profile's questions about plugins are answered.
#pragma once

#include "profile/load.hpp"
#include "registry/registry.hpp"

#include <filesystem>
#include <span>
#include <string>

namespace chimera::host {

/// Asks this registry, which must outlive the result.
inline schema_lookup lookup_in(registry& plugins) {
    return {[&plugins](plugin_kind kind, const std::string& name, const std::filesystem::path& directory) {
                return schema_answer{plugins.load(kind, name, directory)->options(kind), {}};
            },
            [&plugins](std::span<const std::string> names, const std::filesystem::path& directory) {
                plugins.try_ahead(names, directory);
            }};
}

} // namespace chimera::host
