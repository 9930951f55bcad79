#pragma once
#include "registry/elf_file.hpp"
#include <chimera/sdk/owned_fd.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <sys/types.h>
#include <utility>

namespace chimera::host {

/// A plugin's file, opened once: what is known of it before any of its code runs, and the only way to something that
/// can be loaded. What is loaded is the file that was looked at, whatever lies at its path by then. Immutable.
class checked_file {
  public:
    /// Looks at a file. Errors: plugin_error where it does not exist or is no regular file once links are followed.
    explicit checked_file(const std::filesystem::path&);

    const std::filesystem::path& path() const { return path_; } ///< absolute, links resolved
    uid_t owner() const { return owner_; }
    mode_t mode() const { return mode_; } ///< permissions
    /// Who else than you and root may change what is loaded with it, and what to do; empty: nobody.
    const std::string& distrust() const { return distrust_; }
    const elf_file& elf() const { return elf_; }

    /// The same for all paths to one file, and no other's while this object lives.
    using identity = std::pair<dev_t, ino_t>;
    const identity& id() const { return id_; }

    /// Why it must not be loaded, empty where nothing speaks against it. Where the system started this process with
    /// more rights than its caller has, allow_untrusted counts for nothing.
    std::string fault(bool allow_untrusted) const;

    /// What to give to dlopen, in the calling process, while this object lives: a child asks again.
    /// Precondition: it has no fault().
    std::filesystem::path loadable() const;

    /// An error message of the dynamic linker about it, in which loadable() is replaced by path().
    std::string with_real_path(std::string message) const;

  private:
    std::filesystem::path path_;
    sdk::owned_fd fd_; // for reading; none where it cannot be read
    uid_t owner_ = 0;
    mode_t mode_ = 0;
    identity id_;
    std::string distrust_;
    elf_file elf_;
};

using checked_file_ptr = std::shared_ptr<const checked_file>;

} // namespace chimera::host
