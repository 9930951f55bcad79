// What a profile asks of plugins, answered by the registry.
#pragma once

#include "profile/load.hpp"
#include "registry/registry.hpp"

namespace chimera::host {

/// The registry must outlive the result.
inline schema_lookup lookup_in(registry& plugins) {
    return {[&plugins](plugin_kind kind, const std::string& name, const std::filesystem::path& directory) {
                return schema_answer{plugins.load(kind, name, directory)->options(kind), {}};
            },
            [&plugins](std::span<const std::string> names, const std::filesystem::path& directory) {
                plugins.try_ahead(names, directory);
            }};
}

} // namespace chimera::host
