#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace chimera::host {

/// One line of `chimera-host plugins`. A file that cannot be used is listed too, with the reason.
struct plugin_listing {
    std::string id; ///< the plugin's own; the file's stem where it could not be asked
    std::filesystem::path path;
    std::filesystem::path shadowed_by; ///< not empty: the file that is found first under this id
    nlohmann::ordered_json said = nlohmann::ordered_json::object(); ///< as trial has it
    std::string error;                                              ///< not empty: why it cannot be used
};

} // namespace chimera::host
