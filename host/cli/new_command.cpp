#include "cli/commands.hpp"

#include "cli/output.hpp"
#include "process/files.hpp"
#include "process/messages.hpp"
#include "protocol/excerpt.hpp"
#include "registry/registry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace chimera::host {
namespace {

namespace fs = std::filesystem;

/// Names that CMake or cargo reserve.
constexpr std::string_view reserved[] = {
    "all",     "clean",         "core", "depend", "edit_cache", "help", "install", "list_install_components",
    "package", "rebuild_cache", "std",  "test",   "validate"};

void check_word(std::string_view what, const std::string& word, const std::vector<std::string>& known) {
    if (std::ranges::find(known, word) == known.end())
        throw new_error(fmt::format("{} '{}' is unknown; {}", what, word, suggest(word, known)));
}

void check_name(const std::string& name) {
    const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
    constexpr std::size_t longest = 64;
    if (name.empty() || name.size() > longest || name[0] < 'a' || name[0] > 'z' || !std::ranges::all_of(name, fits))
        throw new_error(fmt::format("'{}' is not a plugin name: use small letters, digits and _, beginning with a "
                                    "letter, at most {} characters",
                                    name, longest));
    if (std::ranges::find(reserved, name) != std::end(reserved))
        throw new_error(fmt::format("'{}' is reserved by build tools; choose another name", name));
    for (const fs::path& folder : own_plugin_path()) // `cmake --install` would write over it
        if (const fs::path file = folder / (name + ".so"); fs::exists(file))
            throw new_error(fmt::format("a plugin '{}' already exists ({}); choose another name", name, file.string()));
}

/// The languages that have a template of this kind.
std::vector<std::string> languages_of(const fs::path& templates, const std::string& kind) {
    std::vector<std::string> found;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(templates, none))
        if (const std::string name = entry.path().filename().string(); name.starts_with(kind + "_"))
            found.push_back(name.substr(kind.size() + 1));
    std::ranges::sort(found);
    return found;
}

using replacements = std::vector<std::pair<std::string, std::string>>;

void replace_all(std::string& text, const replacements& by) {
    for (const auto& [from, to] : by)
        for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
            text.replace(at, from.size(), to);
}

/// A temporary folder beside the wanted one. Its destructor removes it, unless finish() has renamed it to the wanted
/// one.
class unfinished_folder {
  public:
    explicit unfinished_folder(const fs::path& wanted) : wanted_(wanted) {
        std::string name = (wanted.parent_path() / ".chimera-new-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category());
        path_ = name;
    }
    unfinished_folder(const unfinished_folder&) = delete;
    unfinished_folder& operator=(const unfinished_folder&) = delete;
    ~unfinished_folder() {
        std::error_code ignored;
        if (!path_.empty()) fs::remove_all(path_, ignored);
    }
    const fs::path& path() const noexcept { return path_; }
    void finish() {
        fs::permissions(path_, fs::perms(0755));
        fs::rename(path_, wanted_);
        path_.clear();
    }

  private:
    fs::path wanted_, path_;
};

void write_copy(const fs::path& from, const fs::path& to, const replacements& by) {
    if (fs::exists(to))
        throw new_error(
            fmt::format("'{}' is the name of another file of this template; choose another name", to.stem().string()));
    std::ifstream in(from, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    replace_all(text, by);
    if (!in || !(std::ofstream(to, std::ios::binary) << text).flush())
        throw std::system_error(errno, std::generic_category(), (in ? to : from).string());
}

/// A line with the page that explains this kind of plugin; empty if the pages are not installed.
std::string what_to_read(const std::string& kind) {
    const fs::path page =
        installed_documentation() / "docs" / ((kind == "executor" ? "writing-an-" : "writing-a-") + kind + ".md");
    std::error_code none;
    if (!fs::exists(page, none)) return {};
    return fmt::format("\nhow it works, step by step: {}\n", on_one_line(page.string()));
}

} // namespace

exit_status new_command(const new_arguments& a) {
    check_word("kind", a.kind, {"executor", "transport", "coordinator"});
    check_name(a.name);
    const fs::path templates = installed_data() / "templates";
    const std::vector<std::string> languages = languages_of(templates, a.kind);
    if (languages.empty())
        throw new_error(
            fmt::format("{}: the templates are missing; install the package chimera-dev", templates.string()));
    check_word("--lang", a.lang, languages);
    const fs::path source = templates / (a.kind + "_" + a.lang);
    fs::path folder = fs::absolute(a.folder.empty() ? fs::path(a.name) : a.folder).lexically_normal();
    if (!folder.has_filename()) folder = folder.parent_path();
    try {
        const fs::file_status there = fs::symlink_status(folder);
        if (fs::exists(there) && !(fs::is_directory(there) && fs::is_empty(folder)))
            throw new_error(fmt::format("{} exists and is not an empty folder; choose another one", folder.string()));
        fs::create_directories(folder.parent_path());
        unfinished_folder made(folder);
        // In the source tree, where the templates are built too, the Rust crates and the pages lie elsewhere.
        const replacements by{{"my_" + a.kind, a.name},
                              {"../../../examples/rust", (installed_data() / "rust").string()},
                              {"../../../docs", (installed_documentation() / "docs").string()}};
        for (const auto& entry : fs::recursive_directory_iterator(source)) {
            std::string relative = entry.path().lexically_relative(source).string();
            replace_all(relative, by);
            if (entry.is_directory())
                fs::create_directory(made.path() / relative);
            else
                write_copy(entry.path(), made.path() / relative, by);
        }
        made.finish();
    } catch (const std::system_error& e) {
        throw new_error(fmt::format("{}: cannot be created: {}", folder.string(), e.code().message()));
    }
    const char* const build =
        a.lang == "rust" ? "cargo build --release && cargo test --release"
                         : "cmake -B build && cmake --build build && ctest --test-dir build --output-on-failure";
    print_result(fmt::format("{}\n\nbuild it, test it against every rule of the contract, and run it:\n\n"
                             "  cd {}\n  {}\n  chimera-host --profile {}.toml\n{}",
                             on_one_line(folder.string()), shell_word(folder.string()), build, a.name,
                             what_to_read(a.kind)));
    return exit_status::success;
}

} // namespace chimera::host
