#include "registry/write_access.hpp"
#include "registry/accounts.hpp"
#include <acl/libacl.h>
#include <cerrno>
#include <fmt/format.h>
#include <fstream>
#include <grp.h>
#include <linux/magic.h>
#include <memory>
#include <optional>
#include <ranges>
#include <sstream>
#include <sys/acl.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <system_error>
#include <type_traits>
#include <unistd.h>
#include <vector>

namespace chimera::host {

namespace {

/// Who mounted a file system that a program serves (FUSE): that program says what it likes of owners and modes.
/// Nothing where it is no such file system; -1 where it is one and nothing says whose.
std::optional<uid_t> server_of_file_system(int fd, const struct stat& status) {
    constexpr auto nobody_knows = static_cast<uid_t>(-1);
    struct statfs system {};
    if (fstatfs(fd, &system) != 0) return nobody_knows; // such a program may refuse to answer
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
        if (!type.starts_with("fuse")) return {}; // virtiofs: the machine's own
        const auto at = options.find("user_id=");
        if (at != std::string::npos) return static_cast<uid_t>(std::strtoul(options.c_str() + at + 8, nullptr, 10));
    }
    return nobody_knows;
}

const char* const elsewhere = "copy the plugin to a folder on a local disk";

foreign_access unreadable(int error) {
    return {"its access control list cannot be read: " + std::generic_category().message(error), elsewhere};
}

/// Lists that say more than a mode and that are not understood here.
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

/// What an entry of a list is about and whether it gives write.
struct acl_item {
    acl_tag_t tag = ACL_UNDEFINED_TAG;
    std::optional<id_t> who;
    bool may_write = false;
};

std::optional<acl_item> item_of(acl_entry_t entry) {
    acl_item item;
    acl_permset_t allowed;
    if (acl_get_tag_type(entry, &item.tag) != 0 || acl_get_permset(entry, &allowed) != 0) return {};
    item.may_write = acl_get_perm(allowed, ACL_WRITE) != 0; // an error is a doubt
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

/// Why a group must not write; empty: it may.
std::string fault_of(gid_t group, group_rule rule) {
    return rule == group_rule::nobody ? group_words(group) : accounts::of_system().fault_of_group(group);
}

} // namespace

std::string own_descriptor(int fd) { return fmt::format("/proc/self/fd/{}", fd); }

std::string foreign_owner(int fd, const struct stat& status) {
    if (const auto server = server_of_file_system(fd, status); server && !is_trusted_owner(*server))
        return *server == static_cast<uid_t>(-1)
                   ? "lies on a file system of which nothing says who serves it; copy the plugin"
                   : fmt::format("lies on a file system that is served by a program of {}; copy the plugin",
                                 user_words(*server));
    if (is_trusted_owner(status.st_uid)) return {};
    if (status.st_uid == geteuid())
        return fmt::format("belongs to you (user {}), expected root, as this process has rights that you do not have; "
                           "have root install the plugin",
                           geteuid());
    return fmt::format("belongs to {}, expected you (user {}) or root; copy the plugin", user_words(status.st_uid),
                       geteuid());
}

foreign_access other_writer(int fd, const struct stat& status, const std::filesystem::path& path, group_rule rule) {
    const auto name = own_descriptor(fd);
    const auto mode = fmt::format("mode {:04o}", status.st_mode & 07777);
    if (auto doubt = foreign_list(name); !doubt.who.empty()) return doubt;
    // Where there is no list, this is the mode, as three entries. Where there is one, the mode's group is its mask.
    const acl_list list(acl_get_file(name.c_str(), ACL_TYPE_ACCESS));
    if (!list) return unreadable(errno);
    std::vector<acl_item> items;
    bool masked = false; // the mask takes write away from all but the owner and the others
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
    for (const auto& item : items | std::views::reverse) { // the others first: that is the most to say
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

} // namespace chimera::host
