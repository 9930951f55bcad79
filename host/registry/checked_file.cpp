#include "registry/checked_file.hpp"
#include "registry/accounts.hpp"
#include "registry/library_search.hpp"
#include "registry/path_walk.hpp"
#include "registry/registry.hpp"
#include "registry/write_access.hpp"
#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace chimera::host {

namespace fs = std::filesystem;

checked_file::checked_file(const fs::path& file) {
    const auto refuse = [&](const std::string& why) { throw plugin_error(file.string() + ": " + why, CHM_E_FAIL); };
    auto found = walk(file);
    std::error_code ignored;
    if (found.error == ELOOP) refuse("is a loop of symbolic links; name the file itself");
    if (found.error == ENOENT && fs::is_symlink(fs::symlink_status(file, ignored)))
        refuse("is a symbolic link to a file that does not exist; name the file itself");
    if (found.error != 0) refuse("cannot be found: " + std::generic_category().message(found.error));
    if (S_ISDIR(found.status.st_mode)) refuse("is a folder; name the plugin's file in it");
    if (!S_ISREG(found.status.st_mode)) refuse("is no regular file; name the plugin's file");
    path_ = std::move(found.path);
    owner_ = found.status.st_uid;
    mode_ = found.status.st_mode & 07777;
    id_ = {found.status.st_dev, found.status.st_ino};
    distrust_ = std::move(found.distrust);

    // The walk's descriptor cannot be read from. This opens the same file again, not what lies at its path.
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
                               "--allow-untrusted-plugins is not heeded";
        if (!allow_untrusted) return distrust_ + ", or start with --allow-untrusted-plugins";
    }
    if (!elf_.fault.empty()) return elf_.fault;
    // Before it is loaded, because loading runs constructors.
    if (elf_.exported && !std::binary_search(elf_.exported->begin(), elf_.exported->end(), CHM_ENTRY_SYMBOL))
        return fmt::format("is no chimera plugin: it exports no symbol \"{}\"; define it with CHM_EXPORT",
                           CHM_ENTRY_SYMBOL);
    return {};
}

fs::path checked_file::loadable() const {
    // The dynamic linker takes $ORIGIN for the folder of the name that it is given. The path is safe then too, once the
    // file is trusted: the walk showed that nobody else than you and root can change any component of it.
    if (uses_origin(elf_)) return path_;
    // Debuggers and symbolizers are other processes, and look for the file by this name. But where /proc is that of
    // another namespace of process ids, this process's number there is another's, whose descriptor N is anything.
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
