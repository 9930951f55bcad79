// Who can change what lies at a path. A plugin runs with your rights, so nobody but you and root may be able to change
// its file, a folder on the way to it, or a library that it loads.
#pragma once

#include <chimera/sdk/owned_fd.hpp>

#include <filesystem>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <sys/types.h>

namespace chimera::host {

/// The users and groups of this system, as far as they can be listed.
struct accounts {
    struct user {
        std::string name;
        uid_t id = 0;
        gid_t primary_group = 0;
    };
    struct group {
        std::string name;
        gid_t id = 0;
        std::vector<std::string> members; ///< without the users whose primary group it is
    };
    std::vector<user> users;
    std::vector<group> groups; ///< two of them may have the same id
    std::string doubt;         ///< why the list may be incomplete; empty: it is complete

    /// Asks the system. Thread: no other thread may look up users or groups meanwhile.
    static accounts of_system();

    /// Why a group is not trusted: "group www (33), which has the member www-data (33)". Empty if all its members are
    /// trusted owners.
    std::string fault_of_group(gid_t) const;
};

/// Whether a file of this user is as good as your own. "You" are the effective user. Root is trusted. You are trusted,
/// unless this process has more rights than you: then you could gain them with a file of your own.
bool is_trusted_owner(uid_t);

/// True if the system started this process with more rights than its caller has (set-user-ID, file capabilities). Then
/// neither the command line nor the environment can make a file trusted.
bool has_more_rights_than_caller();

/// The end of a path, and the reason not to trust it.
struct walked_path {
    std::filesystem::path path; ///< from "/", without links; if something is missing, as far as it exists
    sdk::owned_fd file;         ///< opened with O_PATH; none if something is missing
    struct stat status {};      ///< of the file
    int error = 0;              ///< errno of the step that failed; 0: the path exists
    /// Who but you and root can change the file, or what lies at this path, and what to do. Empty: nobody. A missing
    /// file is distrusted if others can create it.
    std::string distrust;
};

/// Walks a path from "/", one component after the other. Each is opened in the folder before it and judged by its
/// descriptor, and links are resolved here. So what was judged cannot be exchanged afterwards, even if names change.
/// Thread: as accounts::of_system.
walked_path walk(const std::filesystem::path&);

/// The name by which this process can open the file of a descriptor again.
std::string own_descriptor(int fd);

} // namespace chimera::host
