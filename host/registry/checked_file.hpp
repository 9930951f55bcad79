// A plugin's file before any of its code runs.
#pragma once

#include "registry/elf_file.hpp"

#include <chimera/sdk/owned_fd.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include <sys/types.h>

namespace chimera::host {

/// A plugin's file, opened once: everything that is known before its code runs. It is also the only way to load a file,
/// so the file that was checked is the file that is loaded, even if another one lies at its path by then. Immutable.
class checked_file {
  public:
    /// Checks a file. Errors: plugin_error if it does not exist or is not a regular file after links are followed.
    explicit checked_file(const std::filesystem::path&);

    const std::filesystem::path& path() const { return path_; } ///< absolute, links resolved
    uid_t owner() const { return owner_; }
    mode_t mode() const { return mode_; } ///< permissions
    /// Who but you and root can change the code that is loaded with it, and what to do; empty: nobody.
    const std::string& distrust() const { return distrust_; }
    const elf_file& elf() const { return elf_; }
    /// Open for reading; below 0 where it cannot be read. Owned by this object; its position means nothing.
    int descriptor() const { return fd_.get(); }

    /// Equal for all paths to one file; no other file has it while this object lives.
    using identity = std::pair<dev_t, ino_t>;
    const identity& id() const { return id_; }

    /// Why it must not be loaded; empty: it may be. allow_untrusted is ignored if the system started this process with
    /// more rights than its caller has.
    std::string fault(bool allow_untrusted) const;

    /// The name to give to dlopen, in the calling process, while this object lives. A child must ask again.
    /// Precondition: fault() is empty.
    std::filesystem::path loadable() const;

    /// An error message of the dynamic linker, with loadable() replaced by path().
    std::string with_real_path(std::string message) const;

  private:
    std::filesystem::path path_;
    sdk::owned_fd fd_; // for reading; none if the file cannot be read
    uid_t owner_ = 0;
    mode_t mode_ = 0;
    identity id_;
    std::string distrust_;
    elf_file elf_;
};

using checked_file_ptr = std::shared_ptr<const checked_file>;

/// Who but you and root can change a library that the dynamic linker loads from a place that the file names
/// (DT_RUNPATH, DT_RPATH, a path in DT_NEEDED), and what to do; empty: nobody. Checks these folders, the libraries in
/// them, and the places that those name in turn, but not the places of the system and of the environment. origin: the
/// file's folder. Thread: as accounts::of_system.
std::string library_search_fault(const elf_file&, const std::filesystem::path& origin);

} // namespace chimera::host
