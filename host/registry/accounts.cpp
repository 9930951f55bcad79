#include "registry/accounts.hpp"
#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <fstream>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sstream>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

namespace chimera::host {

namespace {

/// A directory service such as LDAP finds a user by name and need not list him, so that nobody knows a group's members.
std::string source_of_users_that_need_not_list_them() {
    std::ifstream file("/etc/nsswitch.conf");
    for (std::string line; std::getline(file, line);) {
        line.erase(std::min(line.find('#'), line.size()));
        const auto colon = line.find(':');
        if (colon == std::string::npos) continue;
        std::istringstream list(line.substr(0, colon)), sources(line.substr(colon + 1));
        std::string word;
        list >> word;
        if (word != "passwd" && word != "group") continue;
        while (sources >> word)
            if (word != "files" && word != "systemd" && word.front() != '[') return word;
    }
    return {};
}

/// Capabilities that this process can use now, without those that give no right over another user's files or programs.
bool has_capabilities() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3]{};
    if (syscall(SYS_capget, &header, data) != 0) return true; // in doubt
    // Rationale: systemd gives it to every program of a user who is logged in.
    data[CAP_TO_INDEX(CAP_WAKE_ALARM)].effective &= ~CAP_TO_MASK(CAP_WAKE_ALARM);
    return (data[0].effective | data[1].effective) != 0;
}

} // namespace

bool has_more_rights_than_caller() { return getauxval(AT_SECURE) != 0; }

bool is_trusted_owner(uid_t owner) {
    if (owner == 0) return true;
    return owner == geteuid() && owner == getuid() && !has_more_rights_than_caller() && !has_capabilities();
}

std::string user_words(uid_t id) {
    const passwd* entry = getpwuid(id);
    return entry == nullptr ? fmt::format("user {}", id) : fmt::format("user {} ({})", entry->pw_name, id);
}

accounts accounts::of_system() {
    accounts all;
    setpwent();
    for (errno = 0; const passwd* entry = getpwent(); errno = 0)
        all.users.push_back({entry->pw_name, entry->pw_uid, entry->pw_gid});
    const int error = errno == ENOENT ? 0 : errno; // some sources say so at the end of their list
    endpwent();
    setgrent();
    while (const ::group* entry = getgrent()) {
        auto& group = all.groups.emplace_back(accounts::group{entry->gr_name, entry->gr_gid, {}});
        for (char** member = entry->gr_mem; *member != nullptr; ++member) group.members.emplace_back(*member);
    }
    endgrent();
    if (error != 0) {
        all.doubt = "the list of users cannot be read: " + std::generic_category().message(error);
    } else if (const auto source = source_of_users_that_need_not_list_them(); !source.empty()) {
        all.doubt = fmt::format("/etc/nsswitch.conf names \"{}\", which need not list all its users", source);
    } else if (std::none_of(all.users.begin(), all.users.end(), [](const user& u) { return u.id == geteuid(); })) {
        all.doubt = fmt::format("the list of users lacks even you (user {})", geteuid());
    }
    return all;
}

std::string accounts::fault_of_group(gid_t id) const {
    std::string name;
    const auto because = [&](const std::string& why) {
        return fmt::format("group {}, {}", name.empty() ? std::to_string(id) : fmt::format("{} ({})", name, id), why);
    };
    std::vector<std::string> members;
    for (const auto& g : groups) {
        if (g.id != id) continue;
        if (name.empty()) name = g.name;
        members.insert(members.end(), g.members.begin(), g.members.end());
    }
    if (name.empty()) return because("whose members are not known");
    for (const auto& u : users)
        if (u.primary_group == id && !is_trusted_owner(u.id))
            return because(fmt::format("which is the primary group of user {} ({})", u.name, u.id));
    for (const auto& member : members) {
        const auto found = std::find_if(users.begin(), users.end(), [&](const user& u) { return u.name == member; });
        if (found == users.end()) return because(fmt::format("whose member \"{}\" is not known", member));
        if (!is_trusted_owner(found->id))
            return because(fmt::format("which has the member {} ({})", found->name, found->id));
    }
    return doubt.empty() ? "" : because("whose members are not known: " + doubt);
}

} // namespace chimera::host
