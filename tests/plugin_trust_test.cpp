// Nobody else than you and root gets his code into the host: by what he may write, by what he may exchange, or by the
// libraries that a plugin brings along.
#include "host_process.hpp"
#include "lying_file_system.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/xattr.h>

#include <sys/acl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

using namespace chimera::test;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

const fs::path built = CHIMERA_TEST_PLUGIN_DIR;
const fs::path good = fs::path(CHIMERA_BAD_PLUGIN_DIR) / "good_executor.so";
constexpr uid_t somebody = 65534;

bool is_root() {
    if (geteuid() == 0) return true;
    MESSAGE("skipped: only root can give files to other users");
    return false;
}

fs::path put(const fs::path& plugin, const fs::path& to, uid_t owner = 0, unsigned mode = 0755) {
    fs::create_directories(to.parent_path());
    fs::copy_file(built / plugin, to); // an absolute path replaces the folder
    REQUIRE(chown(to.c_str(), owner, owner) == 0);
    REQUIRE(chmod(to.c_str(), mode) == 0);
    return to;
}

void give(const fs::path& path, uid_t owner, unsigned mode) {
    REQUIRE(chown(path.c_str(), owner, owner) == 0);
    REQUIRE(chmod(path.c_str(), mode) == 0);
}

void set_acl(const fs::path& path, const char* text) {
    const acl_t list = acl_from_text(text);
    REQUIRE(list != nullptr);
    const int rc = acl_set_file(path.c_str(), ACL_TYPE_ACCESS, list);
    acl_free(list);
    REQUIRE(rc == 0);
}

constexpr const char* somebody_writes = "u::rwx,u:65534:rwx,g::r-x,m::rwx,o::r-x";

/// The plugins of this test leave a mark in this folder of root's when they are loaded.
class marks {
  public:
    marks() { setenv("CHIMERA_TEST_MARKER", file().c_str(), 1); }
    ~marks() { unsetenv("CHIMERA_TEST_MARKER"); }
    /// Whether one was loaded by a process of root since the last call.
    bool taken() {
        struct stat status {};
        const bool is_roots = stat(file().c_str(), &status) == 0 && status.st_uid == 0;
        fs::remove(file());
        return is_roots;
    }

  private:
    fs::path file() const { return folder_ / "mark"; }
    temporary_folder folder_;
};

outcome inspect(const fs::path& file, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"inspect", file.string()});
    return run_host(more);
}

/// Inspects as another user.
outcome inspect_as_somebody(const fs::path& host, const fs::path& file, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"--reuid=65534", "--regid=65534", "--clear-groups", host, "inspect", file});
    return process("/usr/bin/setpriv", more).wait();
}

/// What every command says of a file that it does not trust. Nothing of it is loaded.
void check_refused(const fs::path& file, const std::string& reason) {
    CAPTURE(file);
    marks marker;
    const temporary_folder f;
    const auto profile =
        f.write("p.toml", "[executor]\nplugin = \"" + file.string() + "\"\n[transport]\nplugin = \"socket\"\n");
    for (const std::vector<std::string>& command : {std::vector<std::string>{"inspect", file.string()},
                                                    {"run", "--profile", profile.string(), "--dry-run"},
                                                    {"validate", file.string(), "--case", "entry.*"}}) {
        const outcome o = run_host(command);
        CAPTURE(command[0]);
        CHECK(o.status == 2);
        CHECK_MESSAGE(contains(o.err, reason), "expected \"" << reason << "\" in: " << o.err);
        CHECK(contains(o.err, "--allow-untrusted-plugins"));
    }
    CHECK_FALSE(marker.taken());
    const auto allowed = inspect(file, {"--allow-untrusted-plugins", "--json"});
    CHECK_MESSAGE(allowed.status == 0, allowed.err);
    CHECK(allowed.json()["file"]["trusted"] == false);
    CHECK(contains(allowed.json()["file"]["distrust"], reason));
    CHECK(contains(inspect(file, {"--allow-untrusted-plugins"}).out, "not trusted: "));
}

/// Exchanges two names as fast as it can, in a process of its own, until it is destroyed.
class exchanger {
  public:
    exchanger(const fs::path& one, const fs::path& other, uid_t user) : pid_(fork()) {
        REQUIRE(pid_ >= 0);
        if (pid_ > 0) return;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (setresgid(user, user, user) != 0 || setresuid(user, user, user) != 0) _exit(1);
        for (;;) {
            renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE);
            usleep(static_cast<useconds_t>(rand() % 2000)); // so that either lies there about as long as a check takes
        }
    }
    exchanger(const exchanger&) = delete;
    ~exchanger() {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }

  private:
    pid_t pid_;
};

} // namespace

TEST_CASE("a file or folder that an access list lets others write is refused by every command, with the user's name") {
    if (!is_root()) return;
    const temporary_folder f;
    fs::permissions(f.path(), fs::perms(0755));
    const auto file = put("marking_executor.so", f / "shared/plugin.so");
    CHECK(inspect(file).status == 0);
    set_acl(f / "shared", somebody_writes);
    check_refused(file, "lies in " + (f / "shared").string() +
                            ", where others may replace it: an ACL lets user nobody (65534) write it");
    check_refused(file, "run `setfacl -b " + (f / "shared").string() + "`");
    set_acl(f / "shared", "u::rwx,g::r-x,o::r-x");
    set_acl(file, somebody_writes);
    check_refused(file, "may be written by others: an ACL lets user nobody (65534) write it");
}

TEST_CASE("what is exchanged while the host looks at it is not loaded") {
    if (!is_root()) return;
    marks marker;
    const temporary_folder f;
    fs::permissions(f.path(), fs::perms(0755));
    // In a folder that somebody may write, he exchanges what lies there. In one of root's, root does.
    for (const uid_t user : {somebody, uid_t{0}}) {
        const auto in = f / ("of_" + std::to_string(user));
        put(good, in / "file.so");
        put(good, in / "good/plugin.so");
        put("marking_executor.so", in / "evil.so", somebody);
        put("marking_executor.so", in / "evil/plugin.so", somebody);
        give(in / "evil", somebody, 0755);
        fs::create_directory_symlink("good", in / "link");
        fs::create_directory_symlink("evil", in / "evil_link");
        REQUIRE(lchown((in / "evil_link").c_str(), somebody, somebody) == 0);
        CHECK(inspect(in / "file.so").status == 0);
        CHECK(inspect(in / "link/plugin.so").status == 0);
        if (user != 0) set_acl(in, somebody_writes);
        const struct {
            std::string one, other, plugin;
        } exchanged[] = {{"file.so", "evil.so", "file.so"},
                         {"good", "evil", "good/plugin.so"},
                         {"link", "evil_link", "link/plugin.so"}};
        for (const auto& e : exchanged) {
            CAPTURE(user);
            CAPTURE(e.plugin);
            const exchanger attack(in / e.one, in / e.other, user);
            const auto end = std::chrono::steady_clock::now() + 500ms;
            while (std::chrono::steady_clock::now() < end) {
                inspect(in / e.plugin);
                run_host({"validate", (in / e.plugin).string(), "--case", "entry.says_something"});
            }
            CHECK_FALSE(marker.taken());
        }
    }
}

TEST_CASE("a sticky folder protects only what belongs to you or root") {
    if (!is_root()) return;
    const temporary_folder f;
    fs::permissions(f.path(), fs::perms(0755));
    const auto file = put("marking_executor.so", f / "sticky/plugin.so");
    const auto target = put("marking_executor.so", f / "roots/plugin.so");
    give(f / "sticky", 0, 01777);
    CHECK(inspect(file).status == 0);
    fs::create_symlink(target, f / "sticky/link.so");
    CHECK(inspect(f / "sticky/link.so").status == 0);
    REQUIRE(lchown((f / "sticky/link.so").c_str(), somebody, somebody) == 0);
    check_refused(f / "sticky/link.so", "is reached by the symbolic link " + (f / "sticky/link.so").string());
    give(file, somebody, 0755);
    check_refused(file, "belongs to user nobody (65534)");
    give(file, 0, 0755);
    give(f / "sticky", somebody, 01777);
    check_refused(file, "lies in " + (f / "sticky").string() + ", which belongs to user nobody (65534)");
}

TEST_CASE("a group may write a folder where nobody else is in it, also by another list than the group's own") {
    if (!is_root()) return;
    const temporary_folder f;
    fs::permissions(f.path(), fs::perms(0755));
    const auto file = put("marking_executor.so", f / "shared/plugin.so");
    const auto host = f / "bin/chimera-host"; // where everybody may run it
    fs::create_directories(host.parent_path());
    fs::copy_file(host_program(), host);
    give(f / "shared", 0, 0775);
    const auto as_somebody = [&](const std::string& users, const std::string& groups,
                                 const std::string& sources = "passwd:files systemd # all\ngroup: files\n") {
        f.write("passwd", users);
        f.write("group", groups);
        f.write("nsswitch.conf", sources);
        std::string script;
        for (const char* name : {"passwd", "group", "nsswitch.conf"})
            script += "mount --bind " + (f / name).string() + " /etc/" + name + " && ";
        script +=
            "exec setpriv --reuid=65534 --regid=65534 --clear-groups " + host.string() + " inspect " + file.string();
        return process("/usr/bin/unshare", {"-m", "/bin/sh", "-c", script}).wait();
    };
    const std::string root = "root:x:0:0::/root:/bin/sh\n", nobody = "nobody:x:65534:65534::/:/bin/sh\n";
    const std::string groups = "root:x:0:\nnogroup:x:65534:\n";
    const outcome alone = as_somebody(root + nobody, groups);
    if (contains(alone.err, "unshare") || contains(alone.err, "mount:")) {
        MESSAGE("skipped: no namespace can be made here: ", alone.err);
        return;
    }
    CHECK_MESSAGE(alone.status == 0, alone.err);
    const outcome primary = as_somebody(root + nobody + "operator:x:11:0::/:/bin/sh\n", groups);
    CHECK(primary.status == 2);
    CHECK_MESSAGE(contains(primary.err, "group root (0), which is the primary group of user operator (11)"),
                  primary.err);
    const outcome member = as_somebody(root + nobody + "bin:x:2:2::/:/bin/sh\n", "root:x:0:bin\nnogroup:x:65534:\n");
    CHECK(member.status == 2);
    CHECK_MESSAGE(contains(member.err, "group root (0), which has the member bin (2)"), member.err);
    const outcome directory = as_somebody(root + nobody, groups, "group: files\n passwd : files sss\n");
    CHECK(directory.status == 2);
    CHECK_MESSAGE(contains(directory.err, "/etc/nsswitch.conf names \"sss\", which may not list all"), directory.err);
    const outcome unknown = as_somebody(root, groups);
    CHECK(unknown.status == 2);
    CHECK_MESSAGE(contains(unknown.err, "the list of users does not even contain you"), unknown.err);
}

TEST_CASE("a plugin finds the libraries beside it, and is refused where others may write those") {
    if (!is_root()) return;
    const temporary_folder f;
    fs::permissions(f.path(), fs::perms(0755));
    const auto file = put("needing_executor.so", f / "plugin.so");
    const auto library = put("libneeded_library.so", f / "lib/libneeded_library.so");
    CHECK_MESSAGE(inspect(file).status == 0, inspect(file).err);
    const outcome validated = run_host({"validate", file.string(), "--case", "entry.says_something"});
    CHECK_MESSAGE(validated.status == 0, validated.err);
    give(f / "lib", 0, 0777);
    check_refused(file, "it looks for libraries in " + (f / "lib").string() + ", which may be written by others");
    give(f / "lib", 0, 0755);
    give(library, somebody, 0755);
    check_refused(file, "it needs " + library.string() + ", which belongs to user nobody (65534)");
}

TEST_CASE("what another user's program serves as a file system is not root's, whatever it says") {
    if (!is_root()) return;
    marks marker;
    const temporary_folder f;
    fs::permissions(f.path(), fs::perms(0755));
    fs::create_directory(f / "served");
    const std::string plugin = content_of(built / "marking_executor.so");
    const struct {
        uid_t user;
        bool tells_of_itself;
        std::string says; // empty: it is trusted
    } servers[] = {{somebody, true, "lies on a FUSE file system of user nobody (65534)"},
                   {somebody, false, "lies on a FUSE file system of an unknown user"},
                   {0, true, ""}};
    for (const auto& server : servers) {
        CAPTURE(server.says);
        const lying_file_system lies(f / "served", server.user, plugin, server.tells_of_itself);
        if (!lies.mounted()) {
            MESSAGE("skipped: no file system can be mounted here");
            return;
        }
        const outcome o = inspect(f / "served/plugin.so");
        CHECK_MESSAGE(o.status == (server.says.empty() ? 0 : 2), o.err);
        CHECK_MESSAGE(contains(o.err, server.says), o.err);
        CHECK(marker.taken() == server.says.empty());
    }
}

TEST_CASE("a host that was started with more rights than its caller has trusts root only, whatever the caller says") {
    if (!is_root()) return;
    const temporary_folder f;
    fs::permissions(f.path(), fs::perms(0755));
    const auto host = f / "bin/chimera-host";
    const auto of_root = put("marking_executor.so", f / "root/plugin.so");
    const auto file = put("marking_executor.so", f / "own/marking_executor.so", somebody);
    give(f / "own", somebody, 0755);
    fs::create_directories(host.parent_path());
    fs::copy_file(host_program(), host);
    CHECK(inspect_as_somebody(host, file).status == 0);

    vfs_cap_data capability{};
    capability.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE;
    capability.data[0].permitted = 1U << CAP_NET_BIND_SERVICE;
    struct statvfs system {};
    REQUIRE(statvfs(host.c_str(), &system) == 0);
    if (setxattr(host.c_str(), XATTR_NAME_CAPS, &capability, XATTR_CAPS_SZ_2, 0) != 0 ||
        (system.f_flag & ST_NOSUID) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1) {
        MESSAGE("skipped: a program cannot be given a capability here");
        return;
    }
    CHECK(inspect_as_somebody(host, of_root).status == 0);
    for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"--allow-untrusted-plugins"}}) {
        const outcome o = inspect_as_somebody(host, file, more);
        CHECK(o.status == 2);
        CHECK_MESSAGE(contains(o.err, "this process has more rights than you"), o.err);
        CHECK(contains(o.err, "--allow-untrusted-plugins is ignored"));
    }
    setenv("CHIMERA_PLUGIN_PATH", (f / "own").c_str(), 1);
    CHECK(contains(inspect_as_somebody(host, "marking_executor").err, "no plugin \"marking_executor\""));
    unsetenv("CHIMERA_PLUGIN_PATH");
}
