#include "registry/registry.hpp"
#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace chimera::host {

namespace fs = std::filesystem;

std::vector<fs::path> plugin_path_of_environment() {
    std::vector<fs::path> folders;
    if (const char* variable = secure_getenv("CHIMERA_PLUGIN_PATH")) {
        std::string_view rest = variable;
        while (!rest.empty()) {
            const auto colon = rest.find(':');
            if (const auto folder = rest.substr(0, colon); !folder.empty()) folders.push_back(fs::absolute(folder));
            rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
        }
    }
    return folders;
}

std::vector<fs::path> own_plugin_path() {
    std::vector<fs::path> folders;
    const auto add = [&](const fs::path& folder) {
        const auto plain = folder.lexically_normal();
        if (std::find(folders.begin(), folders.end(), plain) == folders.end()) folders.push_back(plain);
    };
    std::error_code error;
    if (const auto program = fs::read_symlink("/proc/self/exe", error); !error) {
        add(program.parent_path() / "../lib/chimera");
        add(program.parent_path() / ".." / CHIMERA_LIBDIR / "chimera"); // an installation may be moved
    }
    add(CHIMERA_INSTALLED_PLUGIN_DIR);
    return folders;
}

} // namespace chimera::host
