#include "registry/checked_file.hpp"

#include "registry/registry.hpp"
#include "registry/trust.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

namespace chimera::host {

// ---- the libraries that a file names

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
    if (list.empty()) return entries; // an empty list has no entry, not one empty entry
    for (std::size_t begin = 0;;) {
        const auto colon = list.find(':', begin);
        entries.push_back(list.substr(begin, colon - begin));
        if (colon == std::string::npos) return entries;
        begin = colon + 1;
    }
}

/// Whether the dynamic linker looks in this subfolder for a variant of a library for this processor.
bool holds_variants(const fs::path& folder) {
    static constexpr std::array<std::string_view, 6> names{"glibc-hwcaps", "tls",    "haswell",
                                                           "xeon_phi",     "x86_64", "avx512_1"};
    if (folder.parent_path().filename() == "glibc-hwcaps") return true;
    const auto name = folder.filename().string();
    const auto* platform = reinterpret_cast<const char*>(getauxval(AT_PLATFORM)); // NOLINT(performance-no-int-to-ptr)
    return std::find(names.begin(), names.end(), name) != names.end() || (platform != nullptr && name == platform);
}

/// Whether the file names a library or a folder of libraries relative to its own folder.
bool uses_origin(const elf_file& elf) {
    const auto has = [](const std::string& text) {
        return std::any_of(origin_tokens.begin(), origin_tokens.end(),
                           [&](auto token) { return text.find(token) != std::string::npos; });
    };
    return std::any_of(elf.search.names.begin(), elf.search.names.end(), has) || has(elf.search.runpath.value_or("")) ||
           has(elf.search.rpath.value_or(""));
}

struct distrusted : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Follows the libraries that a file names, recursively. Errors: distrusted, with the first reason.
class library_walk {
  public:
    /// shown: the name of the file in a fault; handed_down: folders inherited from the files that need this one.
    void follow(const elf_file& elf, const fs::path& origin, const std::string& shown,
                const std::vector<fs::path>& handed_down) {
        const auto& search = elf.search;
        if (!search.readable)
            throw distrusted(fmt::format("{} names libraries outside its own tables; build it again", shown));
        auto folders = handed_down;
        auto to_hand_down = handed_down;
        if (search.runpath) {
            for (const auto& entry : entries_of(*search.runpath))
                folders.push_back(checked_folder(entry, origin, shown));
        } else if (search.rpath) { // used only without RUNPATH, and then also for the libraries that it needs
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
                fmt::format("{} \"{}\", but only $ORIGIN is understood; link it with plain folders", what, named));
        if (path.empty() || path.front() != '/')
            throw distrusted(
                fmt::format("{} \"{}\", which is relative to the working directory; link it with an absolute "
                            "folder or with $ORIGIN",
                            what, named));
        return path;
    }

    static fs::path checked_folder(const std::string& entry, const fs::path& origin, const std::string& shown) {
        fs::path path = absolute(entry, origin, shown + " looks for libraries in the folder");
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
        if (found.error != 0 || !S_ISREG(found.status.st_mode)) return; // the dynamic linker cannot load it either
        if (!seen_.emplace(found.status.st_dev, found.status.st_ino).second) return;
        const sdk::owned_fd fd(open(own_descriptor(found.file.get()).c_str(), O_RDONLY | O_CLOEXEC));
        if (fd) follow(read_elf(fd.get()), found.path.parent_path(), found.path.string(), handed_down);
    }

    std::set<std::pair<dev_t, ino_t>> seen_;
};

} // namespace

std::string library_search_fault(const elf_file& elf, const fs::path& origin) {
    try {
        library_walk().follow(elf, origin, "it", {});
    } catch (const distrusted& fault) {
        return fault.what();
    }
    return {};
}

// ---- checked_file

checked_file::checked_file(const fs::path& file) {
    const auto refuse = [&](const std::string& why) { throw plugin_error(file.string() + ": " + why, CHM_E_FAIL); };
    auto found = walk(file);
    std::error_code ignored;
    if (found.error == ELOOP) refuse("is a loop of symbolic links; name the file itself");
    if (found.error == ENOENT && fs::is_symlink(fs::symlink_status(file, ignored)))
        refuse("is a symbolic link to a file that does not exist; name the file itself");
    if (found.error != 0) refuse("cannot be found: " + std::generic_category().message(found.error));
    if (S_ISDIR(found.status.st_mode)) refuse("is a folder; name the plugin's file in it");
    if (!S_ISREG(found.status.st_mode)) refuse("is not a regular file; name the plugin's file");
    path_ = std::move(found.path);
    owner_ = found.status.st_uid;
    mode_ = found.status.st_mode & 07777;
    id_ = {found.status.st_dev, found.status.st_ino};
    distrust_ = std::move(found.distrust);

    // The walk's descriptor cannot be read. This opens the same file again, even if another one lies at its path.
    fd_ = sdk::owned_fd(open(own_descriptor(found.file.get()).c_str(), O_RDONLY | O_CLOEXEC));
    const int error = errno;
    struct stat status {};
    if (!fd_) {
        elf_.fault = fmt::format("cannot be read: {}; check its permissions", std::generic_category().message(error));
    } else if (fstat(fd_.get(), &status) != 0 || identity{status.st_dev, status.st_ino} != id_) {
        elf_.fault = "cannot be opened by its descriptor; check that /proc is this system's own";
    } else {
        elf_ = read_elf(fd_.get());
        if (distrust_.empty() && elf_.fault.empty()) distrust_ = library_search_fault(elf_, path_.parent_path());
    }
}

std::string checked_file::fault(bool allow_untrusted) const {
    if (!distrust_.empty()) {
        if (has_more_rights_than_caller())
            return distrust_ + "; this process was started with more rights than you have, so "
                               "--allow-untrusted-plugins is ignored";
        if (!allow_untrusted) return distrust_ + ", or start with --allow-untrusted-plugins";
    }
    if (!elf_.fault.empty()) return elf_.fault;
    // Checked before loading, because loading runs constructors.
    if (elf_.exported && !std::binary_search(elf_.exported->begin(), elf_.exported->end(), CHM_ENTRY_SYMBOL))
        return fmt::format("is not a chimera plugin: it does not export the symbol \"{}\"; define it with CHM_EXPORT",
                           CHM_ENTRY_SYMBOL);
    return {};
}

fs::path checked_file::loadable() const {
    // The dynamic linker takes $ORIGIN from the name that it is given, so it needs the path. The path of a trusted file
    // is safe too: the walk showed that nobody but you and root can change any component of it.
    if (uses_origin(elf_)) return path_;
    // Debuggers and symbolizers are other processes and open the file by this name, so it contains the process id. But
    // if /proc belongs to another PID namespace, that id is another process there.
    std::error_code error;
    const auto self = std::to_string(getpid());
    if (fs::read_symlink("/proc/self", error) == self && !error) return fmt::format("/proc/{}/fd/{}", self, fd_.get());
    return own_descriptor(fd_.get());
}

std::string checked_file::with_real_path(std::string message) const {
    const auto name = loadable().string();
    for (std::size_t at = 0; name != path_ && (at = message.find(name, at)) != std::string::npos;) {
        message.replace(at, name.size(), path_.string());
        at += path_.string().size();
    }
    return message;
}

} // namespace chimera::host
