#pragma once
#include <chimera/abi/plugin.h>
#include <string>

namespace chimera::host {

/// The host as one plugin sees it: its lines go to the default logger under the plugin's id.
struct plugin_host : chm_host {
    explicit plugin_host(std::string plugin_id);
    plugin_host(const plugin_host&) = delete; // the plugin keeps its address
    plugin_host& operator=(const plugin_host&) = delete;
    std::string id;
};

} // namespace chimera::host
