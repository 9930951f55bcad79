#include "registry/trust.hpp"

#include <acl/libacl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <deque>
#include <fstream>
#include <memory>
#include <optional>
#include <ranges>
#include <sstream>
#include <system_error>
#include <type_traits>

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <pwd.h>
#include <sys/acl.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace chimera::host {

namespace fs = std::filesystem;

std::string own_descriptor(int fd) { return fmt::format("/proc/self/fd/{}", fd); }

// ---- accounts

namespace {

/// The name of a directory service such as LDAP, if one is configured. It finds a user by name but need not list all
/// users, so the members of a group are not known.
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

/// True if this process has a capability that gives rights over other users' files or programs.
bool has_capabilities() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3]{};
    if (syscall(SYS_capget, &header, data) != 0) return true; // to be safe
    // Harmless, and systemd gives it to every program of a user who is logged in.
    data[CAP_TO_INDEX(CAP_WAKE_ALARM)].effective &= ~CAP_TO_MASK(CAP_WAKE_ALARM);
    return (data[0].effective | data[1].effective) != 0;
}

/// "user nobody (65534)"; "user 12345" if it has no name.
std::string user_words(uid_t id) {
    const passwd* entry = getpwuid(id);
    return entry == nullptr ? fmt::format("user {}", id) : fmt::format("user {} ({})", entry->pw_name, id);
}

} // namespace

bool has_more_rights_than_caller() { return getauxval(AT_SECURE) != 0; }

bool is_trusted_owner(uid_t owner) {
    if (owner == 0) return true;
    return owner == geteuid() && owner == getuid() && !has_more_rights_than_caller() && !has_capabilities();
}

accounts accounts::of_system() {
    accounts all;
    setpwent();
    for (errno = 0; const passwd* entry = getpwent(); errno = 0)
        all.users.push_back({entry->pw_name, entry->pw_uid, entry->pw_gid});
    const int error = errno == ENOENT ? 0 : errno; // some sources return it at the end of their list
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
        all.doubt = fmt::format("/etc/nsswitch.conf names \"{}\", which may not list all its users", source);
    } else if (std::none_of(all.users.begin(), all.users.end(), [](const user& u) { return u.id == geteuid(); })) {
        all.doubt = fmt::format("the list of users does not even contain you (user {})", geteuid());
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

// ---- who may write a file

namespace {

enum class group_rule {
    nobody,      ///< no group may write
    trusted_only ///< a group may write if all its members are you or root
};

/// Somebody who may write a file or folder. Also a doubt, such as an access list that cannot be read.
struct foreign_access {
    std::string who;    ///< "anybody may write it (mode 0777)"; empty: nobody
    std::string remedy; ///< "run `chmod o-w /x`"
};

/// The user who mounted a FUSE file system, whose program can report any owner and mode. Nothing for other file
/// systems; -1 if the user is not known.
std::optional<uid_t> server_of_file_system(int fd, const struct stat& status) {
    constexpr auto nobody_knows = static_cast<uid_t>(-1);
    struct statfs system {};
    if (fstatfs(fd, &system) != 0) return nobody_knows; // a FUSE program may refuse to answer
    if (system.f_type != FUSE_SUPER_MAGIC) return {};
    const auto device = fmt::format("{}:{}", major(status.st_dev), minor(status.st_dev));
    std::ifstream mounts("/proc/self/mountinfo");
    for (std::string line; std::getline(mounts, line);) {
        std::istringstream words(line);
        std::string id, parent, its_device, word, type, source, options;
        words >> id >> parent >> its_device;
        if (its_device != device) continue;
        while (words >> word && word != "-") continue;
        words >> type >> source >> options;
        if (!type.starts_with("fuse")) return {}; // virtiofs is the machine's own
        const auto at = options.find("user_id=");
        if (at != std::string::npos) return static_cast<uid_t>(std::strtoul(options.c_str() + at + 8, nullptr, 10));
    }
    return nobody_knows;
}

const char* const elsewhere = "copy the plugin to a folder on a local disk";

foreign_access unreadable(int error) {
    return {"its access control list cannot be read: " + std::generic_category().message(error), elsewhere};
}

/// A doubt if the file has an access list that is not understood here.
foreign_access foreign_list(const std::string& name) {
    for (const char* list : {"system.nfs4_acl", "system.richacl"}) {
        if (getxattr(name.c_str(), list, nullptr, 0) >= 0)
            return {fmt::format("it has an access control list ({}) that is not understood", list), elsewhere};
        if (errno != ENODATA && errno != ENOTSUP) return unreadable(errno);
    }
    return {};
}

struct acl_deleter {
    void operator()(void* p) const { acl_free(p); }
};
using acl_list = std::unique_ptr<std::remove_pointer_t<acl_t>, acl_deleter>;

/// One entry of an access list.
struct acl_item {
    acl_tag_t tag = ACL_UNDEFINED_TAG;
    std::optional<id_t> who;
    bool may_write = false;
};

std::optional<acl_item> item_of(acl_entry_t entry) {
    acl_item item;
    acl_permset_t allowed;
    if (acl_get_tag_type(entry, &item.tag) != 0 || acl_get_permset(entry, &allowed) != 0) return {};
    item.may_write = acl_get_perm(allowed, ACL_WRITE) != 0; // an error counts as write
    if (item.tag == ACL_USER || item.tag == ACL_GROUP) {
        const std::unique_ptr<void, acl_deleter> id(acl_get_qualifier(entry));
        if (!id) return {};
        item.who = *static_cast<const id_t*>(id.get());
    }
    return item;
}

std::string group_words(gid_t id) {
    const ::group* entry = getgrgid(id);
    return entry == nullptr ? fmt::format("group {}", id) : fmt::format("group {} ({})", entry->gr_name, id);
}

/// Why a group must not be allowed to write; empty: it may.
std::string fault_of(gid_t group, group_rule rule) {
    return rule == group_rule::nobody ? group_words(group) : accounts::of_system().fault_of_group(group);
}

/// Why its owner is not trusted: "belongs to user nobody (65534), expected you ...". Empty: he is.
std::string foreign_owner(int fd, const struct stat& status) {
    if (const auto server = server_of_file_system(fd, status); server && !is_trusted_owner(*server))
        return *server == static_cast<uid_t>(-1)
                   ? "lies on a FUSE file system of an unknown user; copy the plugin"
                   : fmt::format("lies on a FUSE file system of {}; copy the plugin", user_words(*server));
    if (is_trusted_owner(status.st_uid)) return {};
    if (status.st_uid == geteuid())
        return fmt::format("belongs to you (user {}), expected root, because this process has more rights than you; "
                           "let root install the plugin",
                           geteuid());
    return fmt::format("belongs to {}, expected you (user {}) or root; copy the plugin", user_words(status.st_uid),
                       geteuid());
}

/// Who but its owner, you and root may write a file or folder, by its mode or its access list. fd: opened with O_PATH
/// is enough. path: its name in the remedy.
foreign_access other_writer(int fd, const struct stat& status, const fs::path& path, group_rule rule) {
    const auto name = own_descriptor(fd);
    const auto mode = fmt::format("mode {:04o}", status.st_mode & 07777);
    if (auto doubt = foreign_list(name); !doubt.who.empty()) return doubt;
    // Without a list, acl_get_file returns the mode as three entries. With one, the mode's group is the mask.
    const acl_list list(acl_get_file(name.c_str(), ACL_TYPE_ACCESS));
    if (!list) return unreadable(errno);
    std::vector<acl_item> items;
    bool masked = false; // the mask forbids write to all but the owner and the others
    acl_entry_t entry;
    int more = 0;
    for (int which = ACL_FIRST_ENTRY; (more = acl_get_entry(list.get(), which, &entry)) == 1; which = ACL_NEXT_ENTRY) {
        const auto item = item_of(entry);
        if (!item) return unreadable(errno);
        if (item->tag == ACL_MASK && !item->may_write) masked = true;
        items.push_back(*item);
    }
    if (more < 0) return unreadable(errno);
    const auto without_list = fmt::format("run `setfacl -b {}`", path.string());
    std::ranges::reverse(items); // the others first: they are the worst case
    for (const auto& item : items) {
        if (!item.may_write || (masked && item.tag != ACL_OTHER)) continue;
        if (item.tag == ACL_OTHER)
            return {fmt::format("anybody may write it ({})", mode), fmt::format("run `chmod o-w {}`", path.string())};
        if (item.tag == ACL_USER && !is_trusted_owner(*item.who))
            return {fmt::format("an ACL lets {} write it", user_words(*item.who)), without_list};
        if (item.tag == ACL_GROUP)
            if (const auto fault = fault_of(*item.who, rule); !fault.empty())
                return {"an ACL lets a group write it: " + fault, without_list};
        if (item.tag == ACL_GROUP_OBJ)
            if (const auto fault = fault_of(status.st_gid, rule); !fault.empty())
                return {fmt::format("its group may write it ({}): {}", mode, fault),
                        fmt::format("run `chmod g-w {}`", path.string())};
    }
    return {};
}

// ---- walking a path

constexpr int most_links = 40; // the kernel's limit

class walker {
  public:
    explicit walker(const fs::path& to) { put_first(to); }

    walked_path go() {
        out_.error = walk_all();
        if (out_.error != 0) {
            out_.path = folders_.empty() ? fs::path("/") : folders_.back().path;
            if (!folders_.empty() && folders_.back().open_to_others())
                distrust(fmt::format("can be created by others in {}: {}", out_.path.string(), folders_.back().who()));
            return std::move(out_);
        }
        if (!out_.file) { // the path is a folder
            auto& last = folders_.back();
            out_.path = last.path;
            out_.status = last.status;
            if (auto owner = foreign_owner(last.fd.get(), last.status); !owner.empty()) distrust(std::move(owner));
            if (last.open_to_others()) distrust("may be written by others: " + last.who());
            out_.file = std::move(last.fd);
        }
        return std::move(out_);
    }

  private:
    struct folder {
        sdk::owned_fd fd;
        fs::path path;
        struct stat status;
        foreign_access access;
        bool sticky() const { return (status.st_mode & S_ISVTX) != 0; }
        bool open_to_others() const { return !access.who.empty(); }
        /// A sticky folder such as /tmp is open to all on purpose.
        std::string who() const { return access.who + "; " + (sticky() ? "take another folder" : access.remedy); }
    };

    /// Keeps the first reason: it is the nearest to "/", and the others may follow from it.
    void distrust(std::string why) {
        if (out_.distrust.empty()) out_.distrust = std::move(why);
    }

    void put_first(const fs::path& path) {
        std::vector<std::string> names;
        for (const auto& name : path.relative_path()) names.push_back(name);
        pending_.insert(pending_.begin(), names.begin(), names.end());
    }

    int enter(sdk::owned_fd fd, const struct stat& status, const fs::path& path) {
        auto access = other_writer(fd.get(), status, path, group_rule::trusted_only);
        folders_.push_back({std::move(fd), path, status, std::move(access)});
        return 0;
    }

    /// Judges a folder that the path passes through.
    void judge(const folder& in) {
        if (const auto owner = foreign_owner(in.fd.get(), in.status); !owner.empty())
            distrust(fmt::format("lies in {}, which {}", in.path.string(), owner));
        // In a sticky folder only the owners of an entry and of the folder can replace the entry, so each entry is
        // judged instead.
        if (in.open_to_others() && !in.sticky())
            distrust(fmt::format("lies in {}, where others may replace it: {}", in.path.string(), in.who()));
    }

    int walk_all() {
        struct stat status {};
        sdk::owned_fd root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!root || fstat(root.get(), &status) != 0) return errno;
        enter(std::move(root), status, "/");
        while (!pending_.empty()) {
            const auto name = std::move(pending_.front());
            pending_.pop_front();
            if (out_.file) return ENOTDIR; // a file in the middle of the path
            if (name.empty() || name == ".") continue;
            if (name == "..") {
                if (folders_.size() > 1) folders_.pop_back();
                continue;
            }
            if (const int error = step(name); error != 0) return error;
        }
        return 0;
    }

    int step(const std::string& name) {
        judge(folders_.back());
        const int in = folders_.back().fd.get();
        // First as a folder, because only this triggers an automount.
        sdk::owned_fd fd(openat(in, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!fd && (errno == ENOTDIR || errno == ELOOP))
            fd = sdk::owned_fd(openat(in, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
        struct stat status {};
        if (!fd || fstat(fd.get(), &status) != 0) return errno;
        const auto path = folders_.back().path / name;
        if (S_ISLNK(status.st_mode)) return follow(fd.get(), status, path);
        if (S_ISDIR(status.st_mode)) return enter(std::move(fd), status, path);
        if (auto owner = foreign_owner(fd.get(), status); !owner.empty()) distrust(std::move(owner));
        if (const auto other = other_writer(fd.get(), status, path, group_rule::nobody); !other.who.empty())
            distrust(fmt::format("may be written by others: {}; {}", other.who, other.remedy));
        out_.file = std::move(fd);
        out_.path = path;
        out_.status = status;
        return 0;
    }

    int follow(int link, const struct stat& status, const fs::path& path) {
        if (++links_ > most_links) return ELOOP;
        const auto& in = folders_.back();
        // A link is not written but replaced: by anybody who may write its folder, in a sticky folder by its owner.
        if (in.sticky() && in.open_to_others() && !is_trusted_owner(status.st_uid))
            distrust(fmt::format("is reached by the symbolic link {}, which {} may replace; name the file itself",
                                 path.string(), user_words(status.st_uid)));
        std::string target(PATH_MAX, '\0');
        const auto length = readlinkat(link, "", target.data(), target.size());
        if (length < 0) return errno;
        target.resize(static_cast<std::size_t>(length));
        if (target.empty() || target.size() == PATH_MAX) return target.empty() ? ENOENT : ENAMETOOLONG;
        put_first(target);
        if (target.front() == '/') folders_.resize(1);
        return 0;
    }

    std::deque<std::string> pending_;
    std::vector<folder> folders_; // from "/" to the current folder
    int links_ = 0;
    walked_path out_;
};

} // namespace

walked_path walk(const fs::path& path) { return walker(fs::absolute(path)).go(); }

} // namespace chimera::host
