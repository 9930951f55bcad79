#include "registry/registry.hpp"
#include <cstdlib>
#include <string_view>

namespace chimera::host {

namespace fs = std::filesystem;

std::vector<fs::path> default_plugin_path() {
    std::vector<fs::path> folders;
    if (const char* variable = std::getenv("CHIMERA_PLUGIN_PATH")) {
        std::string_view rest = variable;
        while (!rest.empty()) {
            const auto colon = rest.find(':');
            if (const auto folder = rest.substr(0, colon); !folder.empty()) folders.push_back(fs::absolute(folder));
            rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
        }
    }
    std::error_code error;
    if (const auto program = fs::read_symlink("/proc/self/exe", error); !error)
        folders.push_back((program.parent_path() / "../lib/chimera").lexically_normal());
    if (const fs::path installed = CHIMERA_INSTALLED_PLUGIN_DIR; folders.empty() || folders.back() != installed)
        folders.push_back(installed);
    return folders;
}

} // namespace chimera::host
