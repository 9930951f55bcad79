#include "registry/plugin_file.hpp"
#include "registry/registry.hpp"
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace chimera::host {

namespace fs = std::filesystem;

namespace {

struct stat status_of(const fs::path& path) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0)
        throw plugin_error(
            fmt::format("{}: cannot be looked at: {}", path.string(), std::generic_category().message(errno)),
            CHM_E_FAIL);
    return status;
}

/// Many systems give every user a group of the same name, in which nobody else is, and let it write by default.
bool is_own_group(gid_t id) {
    if (id == 0) return true;
    const passwd* me = getpwuid(geteuid());
    const group* g = me != nullptr && me->pw_gid == id ? getgrgid(id) : nullptr;
    if (g == nullptr || std::strcmp(g->gr_name, me->pw_name) != 0) return false;
    for (char** member = g->gr_mem; *member != nullptr; ++member)
        if (std::strcmp(*member, me->pw_name) != 0) return false;
    return true;
}

/// Who may write a folder may put another file in a plugin's place, unless it is sticky, as /tmp.
bool others_may_replace_in(const struct stat& folder) {
    if ((folder.st_mode & S_ISVTX) != 0) return false;
    return (folder.st_mode & S_IWOTH) != 0 || ((folder.st_mode & S_IWGRP) != 0 && !is_own_group(folder.st_gid));
}

std::string foreign_owner(const struct stat& status) {
    if (status.st_uid == 0 || status.st_uid == geteuid()) return {};
    return fmt::format("belongs to user {}, expected you (user {}) or root; copy the plugin", status.st_uid, geteuid());
}

std::string distrust_of(const fs::path& path, const struct stat& status) {
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return fmt::format("may be written by others (mode {:04o}); run `chmod go-w {}`", status.st_mode & 07777,
                           path.string());
    if (auto owner = foreign_owner(status); !owner.empty()) return owner;
    for (auto folder = path.parent_path();; folder = folder.parent_path()) {
        const auto above = status_of(folder);
        if (others_may_replace_in(above))
            return fmt::format("lies in {}, where others may replace it (mode {:04o}); run `chmod go-w {}`",
                               folder.string(), above.st_mode & 07777, folder.string());
        if (auto owner = foreign_owner(above); !owner.empty())
            return fmt::format("lies in {}, which {}", folder.string(), owner);
        if (!folder.has_relative_path()) return {};
    }
}

} // namespace

std::string plugin_file::fault(bool allow_untrusted) const {
    if (!allow_untrusted && !distrust.empty()) return distrust + ", or start with --allow-untrusted-plugins";
    if (!elf.fault.empty()) return elf.fault;
    // Before it is loaded, because loading runs constructors.
    if (elf.exported && !std::binary_search(elf.exported->begin(), elf.exported->end(), CHM_ENTRY_SYMBOL))
        return fmt::format("is no chimera plugin: it exports no symbol \"{}\"; define it with CHM_EXPORT",
                           CHM_ENTRY_SYMBOL);
    return {};
}

plugin_file look_at_plugin_file(const fs::path& file) {
    const auto refuse = [&](const std::string& why) { throw plugin_error(file.string() + ": " + why, CHM_E_FAIL); };
    std::error_code error;
    plugin_file out;
    out.path = fs::canonical(file, error);
    if (error == std::errc::too_many_symbolic_link_levels) refuse("is a loop of symbolic links; name the file itself");
    if (error == std::errc::no_such_file_or_directory && fs::is_symlink(fs::symlink_status(file, error)))
        refuse("is a symbolic link to a file that does not exist; name the file itself");
    if (error) refuse("cannot be found: " + error.message());
    const auto status = status_of(out.path);
    if (S_ISDIR(status.st_mode)) refuse("is a folder; name the plugin's file in it");
    if (!S_ISREG(status.st_mode)) refuse("is no regular file; name the plugin's file");
    out.owner = status.st_uid;
    out.mode = status.st_mode & 07777;
    out.distrust = distrust_of(out.path, status);
    out.elf = read_elf(out.path);
    return out;
}

} // namespace chimera::host
