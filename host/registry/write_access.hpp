#pragma once
#include <filesystem>
#include <string>
#include <sys/stat.h>

namespace chimera::host {

enum class group_rule {
    nobody,      ///< no group may write
    trusted_only ///< a group may, if all its members are you or root
};

/// Somebody who may write a file or folder, or a doubt, such as a list that cannot be read.
struct foreign_access {
    std::string who;    ///< "anybody may write it (mode 0777)"; empty: nobody
    std::string remedy; ///< "run `chmod o-w /x`"
};

/// Who else than its owner, you and root may write a file or folder, by its mode or its access control list.
/// fd: opened with O_PATH is enough. path: what it is called in the remedy. Thread: as accounts::of_system.
foreign_access other_writer(int fd, const struct stat&, const std::filesystem::path& path, group_rule);

/// Why its owner is not trusted: "belongs to user nobody (65534), expected you ...". Empty: he is.
std::string foreign_owner(int fd, const struct stat&);

/// The name under which this process finds a descriptor's file, for functions that want a name.
std::string own_descriptor(int fd);

} // namespace chimera::host
