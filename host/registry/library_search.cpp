#include "registry/library_search.hpp"
#include "registry/path_walk.hpp"
#include "registry/write_access.hpp"
#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <set>
#include <stdexcept>
#include <string_view>
#include <sys/auxv.h>
#include <utility>
#include <vector>

namespace chimera::host {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 2> origin_tokens{"$ORIGIN", "${ORIGIN}"};

std::string with_origin(std::string text, const std::string& origin) {
    for (const auto token : origin_tokens)
        for (std::size_t at = 0; (at = text.find(token, at)) != std::string::npos; at += origin.size())
            text.replace(at, token.size(), origin);
    return text;
}

std::vector<std::string> entries_of(const std::string& list) {
    std::vector<std::string> entries;
    if (list.empty()) return entries; // not the same as an empty entry
    for (std::size_t begin = 0;;) {
        const auto colon = list.find(':', begin);
        entries.push_back(list.substr(begin, colon - begin));
        if (colon == std::string::npos) return entries;
        begin = colon + 1;
    }
}

/// Subfolders in which the dynamic linker looks for a variant of a library for this processor.
bool holds_variants(const fs::path& folder) {
    static constexpr std::array<std::string_view, 6> names{"glibc-hwcaps", "tls",    "haswell",
                                                           "xeon_phi",     "x86_64", "avx512_1"};
    if (folder.parent_path().filename() == "glibc-hwcaps") return true;
    const auto name = folder.filename().string();
    const auto* platform = reinterpret_cast<const char*>(getauxval(AT_PLATFORM));
    return std::find(names.begin(), names.end(), name) != names.end() || (platform != nullptr && name == platform);
}

struct distrusted : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Follows what a file names. Errors: distrusted, with the first reason that is found.
class library_walk {
  public:
    /// shown: how the file is called in a fault; handed_down: folders in which those that need it look too.
    void follow(const elf_file& elf, const fs::path& origin, const std::string& shown,
                const std::vector<fs::path>& handed_down) {
        const auto& search = elf.search;
        if (!search.readable)
            throw distrusted(fmt::format("{} names libraries in a way that cannot be read; build it again", shown));
        auto folders = handed_down;
        auto to_hand_down = handed_down;
        if (search.runpath) {
            for (const auto& entry : entries_of(*search.runpath))
                folders.push_back(checked_folder(entry, origin, shown));
        } else if (search.rpath) { // counts only without the other, and then also for the libraries that it needs
            for (const auto& entry : entries_of(*search.rpath))
                to_hand_down.push_back(checked_folder(entry, origin, shown));
            folders = to_hand_down;
        }
        std::vector<fs::path> with_variants;
        for (const auto& folder : folders) add_with_variants(folder, shown, with_variants);
        for (const auto& name : search.names) {
            if (name.find('/') != std::string::npos) {
                look_at(absolute(name, origin, shown + " needs the library"), shown, to_hand_down);
                continue;
            }
            for (const auto& folder : with_variants) look_at(folder / name, shown, to_hand_down);
        }
    }

  private:
    static fs::path absolute(const std::string& named, const fs::path& origin, const std::string& what) {
        const auto path = with_origin(named, origin.string());
        if (path.find('$') != std::string::npos)
            throw distrusted(
                fmt::format("{} \"{}\", of which only $ORIGIN is understood; link it with plain folders", what, named));
        if (path.empty() || path.front() != '/')
            throw distrusted(
                fmt::format("{} \"{}\", which is relative to wherever the host is started; link it with an absolute "
                            "folder or with $ORIGIN",
                            what, named));
        return path;
    }

    static fs::path checked_folder(const std::string& entry, const fs::path& origin, const std::string& shown) {
        const auto path = absolute(entry, origin, shown + " looks for libraries in the folder");
        if (const auto found = walk(path); !found.distrust.empty())
            throw distrusted(
                fmt::format("{} looks for libraries in {}, which {}", shown, path.string(), found.distrust));
        return path;
    }

    void add_with_variants(const fs::path& folder, const std::string& shown, std::vector<fs::path>& to) {
        to.push_back(folder);
        std::error_code ignored;
        for (const auto& entry : fs::directory_iterator(folder, ignored)) {
            if (!holds_variants(entry.path()) || !entry.is_directory(ignored)) continue;
            checked_folder(entry.path(), folder, shown);
            add_with_variants(entry.path(), shown, to);
        }
    }

    void look_at(const fs::path& library, const std::string& shown, const std::vector<fs::path>& handed_down) {
        const auto found = walk(library);
        if (!found.distrust.empty())
            throw distrusted(fmt::format("{} needs {}, which {}", shown, library.string(), found.distrust));
        if (found.error != 0 || !S_ISREG(found.status.st_mode)) return; // the dynamic linker cannot take it either
        if (!seen_.emplace(found.status.st_dev, found.status.st_ino).second) return;
        const sdk::owned_fd fd(open(own_descriptor(found.file.get()).c_str(), O_RDONLY | O_CLOEXEC));
        if (fd) follow(read_elf(fd.get()), found.path.parent_path(), found.path.string(), handed_down);
    }

    std::set<std::pair<dev_t, ino_t>> seen_;
};

} // namespace

bool uses_origin(const elf_file& elf) {
    const auto has = [](const std::string& text) {
        return std::any_of(origin_tokens.begin(), origin_tokens.end(),
                           [&](auto token) { return text.find(token) != std::string::npos; });
    };
    return std::any_of(elf.search.names.begin(), elf.search.names.end(), has) || has(elf.search.runpath.value_or("")) ||
           has(elf.search.rpath.value_or(""));
}

std::string library_search_fault(const elf_file& elf, const fs::path& origin) {
    try {
        library_walk().follow(elf, origin, "it", {});
    } catch (const distrusted& fault) {
        return fault.what();
    }
    return {};
}

} // namespace chimera::host
