#pragma once
#include <string>
#include <sys/types.h>
#include <vector>

namespace chimera::host {

/// Users and groups of this system, as far as they can be listed.
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
    std::vector<group> groups; ///< two of them may have one id
    std::string doubt;         ///< why there may be more users than these; empty: these are all

    /// Asks the system. Thread: no other thread may look up users or groups meanwhile.
    static accounts of_system();

    /// "group www (33), which has the member www-data (33)": the group and why it is not trusted with what is yours.
    /// Empty where all its members are trusted owners.
    std::string fault_of_group(gid_t) const;
};

/// Whether what belongs to this user is as good as your own. "You" are the effective user. Root is trusted. You are,
/// unless this process has rights that you do not have: its user would gain them with a file of his own.
bool is_trusted_owner(uid_t);

/// The system started this process with more rights than its caller has (set-user-ID, file capabilities). Then what
/// the caller says on the command line or in the environment does not make a file trusted.
bool has_more_rights_than_caller();

/// "user nobody (65534)"; "user 12345" where it has no name.
std::string user_words(uid_t);

} // namespace chimera::host
