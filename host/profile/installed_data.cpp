#include "profile/installed_data.hpp"

namespace chimera::host {

namespace fs = std::filesystem;

fs::path installed_data() {
    return fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "share" / "chimera";
}

fs::path installed_documentation() { return installed_data().parent_path() / "doc" / "chimera"; }

fs::path find_profile(const fs::path& given) {
    std::error_code error;
    if (given.empty() || given.has_parent_path() || given.has_extension() || fs::exists(given, error)) return given;
    const fs::path installed = installed_data() / "profiles" / (given.string() + ".toml");
    return fs::exists(installed, error) ? installed : given;
}

} // namespace chimera::host
