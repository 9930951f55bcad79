#include "registry/plugin_file.hpp"
#include "registry/registry.hpp"
#include <cerrno>
#include <fmt/format.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace chimera::host {

namespace fs = std::filesystem;

fs::path check_plugin_file(const fs::path& file, bool allow_untrusted) {
    const auto refuse = [&](const std::string& why) { throw plugin_error(file.string() + ": " + why, CHM_E_FAIL); };
    std::error_code error;
    auto path = fs::canonical(file, error);
    if (error == std::errc::too_many_symbolic_link_levels) refuse("is a loop of symbolic links; name the file itself");
    if (error == std::errc::no_such_file_or_directory && fs::is_symlink(fs::symlink_status(file, error)))
        refuse("is a symbolic link to a file that does not exist; name the file itself");
    if (error) refuse("cannot be found: " + error.message());

    struct stat status {};
    if (stat(path.c_str(), &status) != 0) refuse("cannot be looked at: " + std::generic_category().message(errno));
    if (S_ISDIR(status.st_mode)) refuse("is a folder; name the plugin's file in it");
    if (!S_ISREG(status.st_mode)) refuse("is no regular file; name the plugin's file");
    if (!allow_untrusted) {
        constexpr const char* override_hint = " or start with --allow-untrusted-plugins";
        if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
            refuse(fmt::format("may be written by others (mode {:04o}); run `chmod go-w {}`{}", status.st_mode & 07777,
                               path.string(), override_hint));
        if (status.st_uid != 0 && status.st_uid != geteuid())
            refuse(fmt::format("belongs to user {}, expected you (user {}) or root; copy it, or start with "
                               "--allow-untrusted-plugins",
                               status.st_uid, geteuid()));
    }
    if (auto fault = elf_fault(path); !fault.empty()) refuse(fault);
    return path;
}

} // namespace chimera::host
