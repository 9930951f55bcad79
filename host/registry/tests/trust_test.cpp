// Who else may change what lies at a path.
#include "registry/trust.hpp"
#include "temporary_folder.hpp"
#include <doctest/doctest.h>
#include <functional>
#include <sys/acl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

namespace fs = std::filesystem;
using namespace chimera::host;
using chimera::test::temporary_folder;

constexpr uid_t somebody = 65534;

void has(const std::string& text, const std::string& part) {
    INFO(text, " should contain ", part);
    CHECK(text.find(part) != std::string::npos);
}

void set_acl(const fs::path& path, const char* text, acl_type_t type = ACL_TYPE_ACCESS) {
    const acl_t list = acl_from_text(text);
    REQUIRE(list != nullptr);
    const int rc = acl_set_file(path.c_str(), type, list);
    acl_free(list);
    REQUIRE(rc == 0);
}

bool is_root() {
    if (geteuid() == 0) return true;
    MESSAGE("skipped: only root can give files to others");
    return false;
}

/// Runs checks as another user, in a process of its own. Returns whether all held.
bool as_user(uid_t user, const std::function<bool()>& checks) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) _exit(setresgid(user, user, user) == 0 && setresuid(user, user, user) == 0 && checks() ? 0 : 1);
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// root, you (1000), alice (1001) and bob (1002), whose primary group is staff.
accounts some_accounts() {
    accounts all;
    all.users = {{"root", 0, 0}, {"you", geteuid(), 1000}, {"alice", 4242, 1001}, {"bob", 4243, 50}};
    all.groups = {{"root", 0, {}},  {"you", 1000, {"root"}},     {"team", 60, {"you", "alice"}},  {"staff", 50, {}},
                  {"ours", 70, {}}, {"ours_too", 70, {"alice"}}, {"ghosts", 80, {"nobody_knows"}}};
    return all;
}

} // namespace

TEST_CASE("a path leads where the kernel says, whatever links and dots are in it") {
    const temporary_folder f;
    f.write("a/b/file", "");
    fs::create_directory_symlink("b", f / "a/relative");
    fs::create_directory_symlink(f / "a", f / "absolute");
    fs::create_symlink("../a/relative/file", f / "a/up");
    for (const char* path : {"a/b/file", "a/relative/file", "absolute/b/file", "absolute/relative/../b/./file", "a/up",
                             "a//b///file", "absolute/../a/b/file"}) {
        CAPTURE(path);
        const auto found = walk(f / path);
        CHECK(found.error == 0);
        CHECK(found.path == fs::canonical(f / path));
        CHECK(found.distrust == "");
    }
    const auto folder = walk(f / "absolute/b/");
    CHECK(folder.path == fs::canonical(f / "a/b"));
    CHECK(S_ISDIR(folder.status.st_mode));
    CHECK(walk("/").path == "/");
    CHECK(walk("/../..").path == "/");
    CHECK(walk(f / "a/b/file/below").error == ENOTDIR);
    CHECK(walk(f / "a/b/file/").error == ENOTDIR);
    CHECK(walk(f / "a/missing/b").error == ENOENT);
    fs::create_symlink("round", f / "round");
    CHECK(walk(f / "round").error == ELOOP);
}

TEST_CASE("40 links are followed and 41 are a loop, as the kernel has it") {
    const temporary_folder f;
    f.write("0", "");
    for (int i = 1; i <= 41; ++i) fs::create_symlink(std::to_string(i - 1), f / std::to_string(i));
    CHECK(walk(f / "40").error == 0);
    CHECK(walk(f / "41").error == ELOOP);
}

TEST_CASE("what is opened stays the file that was looked at when another takes its path") {
    const temporary_folder f;
    f.write("file", "first");
    f.write("other", "second, and longer");
    const auto found = walk(f / "file");
    fs::rename(f / "other", f / "file");
    struct stat now {};
    REQUIRE(fstat(found.file.get(), &now) == 0);
    CHECK(now.st_size == 5);
}

TEST_CASE("an access list that lets another user write a folder or a file is found, and named") {
    const temporary_folder f;
    const auto file = f.write("folder/file", "");
    fs::permissions(f / "folder", fs::perms(0775)); // root's own group alone is not a reason
    if (geteuid() == 0) CHECK(walk(file).distrust == "");
    set_acl(f / "folder", "u::rwx,u:4242:rwx,g::r-x,m::rwx,o::r-x");
    has(walk(file).distrust,
        "lies in " + (f / "folder").string() + ", where others may replace it: an ACL lets user 4242 write it");
    has(walk(file).distrust, "setfacl -b " + (f / "folder").string());
    set_acl(f / "folder", "u::rwx,u:4242:rwx,g::r-x,m::r-x,o::r-x"); // masked
    CHECK(walk(file).distrust == "");
    set_acl(f / "folder", "u::rwx,g::r-x,g:4242:rwx,m::rwx,o::r-x");
    has(walk(file).distrust, "an ACL lets a group write it: group 4242, whose members are not known");
    set_acl(f / "folder", "u::rwx,u:0:rwx,g::r-x,m::rwx,o::r-x"); // root may anyway; the mode says 0775
    CHECK(walk(file).distrust == "");
    set_acl(f / "folder", "u::rwx,u:4242:rwx,g::rwx,m::rwx,o::rwx", ACL_TYPE_DEFAULT); // for files to come
    CHECK(walk(file).distrust == "");
    set_acl(file, "u::rw-,u:4242:rw-,g::r--,m::rw-,o::r--");
    has(walk(file).distrust, "may be written by others: an ACL lets user 4242 write it");
    set_acl(file, "u::rw-,u:4242:rw-,g::r--,m::r--,o::r--");
    CHECK(walk(file).distrust == "");
}

TEST_CASE("with an access list the group's bits of the mode are a mask, and the group's own entry is judged") {
    if (!is_root()) return;
    const temporary_folder f;
    const auto file = f.write("folder/file", "");
    REQUIRE(chown((f / "folder").c_str(), 0, 4242) == 0);
    set_acl(f / "folder", "u::rwx,u:0:rwx,g::r-x,m::rwx,o::r-x");
    CHECK(walk(file).distrust == "");
    set_acl(f / "folder", "u::rwx,u:0:rwx,g::rwx,m::rwx,o::r-x");
    has(walk(file).distrust, "its group may write it (mode 0775): group 4242, whose members are not known");
}

TEST_CASE("a sticky folder protects what belongs to you or root, if it does too") {
    if (!is_root()) return;
    const temporary_folder f;
    const auto file = f.write("sticky/file", "");
    fs::permissions(f / "sticky", fs::perms(01777));
    CHECK(walk(file).distrust == "");
    REQUIRE(chown((f / "sticky").c_str(), somebody, 0) == 0);
    has(walk(file).distrust, "lies in " + (f / "sticky").string() + ", which belongs to user ");
    REQUIRE(chown((f / "sticky").c_str(), 0, 0) == 0);
    REQUIRE(chown(file.c_str(), somebody, 0) == 0);
    has(walk(file).distrust, "belongs to user ");
    REQUIRE(chown(file.c_str(), 0, 0) == 0);
    f.write("sticky/folder/file", "");
    CHECK(walk(f / "sticky/folder/file").distrust == "");
    REQUIRE(chown((f / "sticky/folder").c_str(), somebody, 0) == 0);
    has(walk(f / "sticky/folder/file").distrust, "lies in " + (f / "sticky/folder").string() + ", which belongs to");
}

TEST_CASE("a link counts as its owner's where others may put links, and as the folder's where they may not") {
    if (!is_root()) return;
    const temporary_folder f;
    const auto file = f.write("mine/file", "");
    fs::create_directory(f / "sticky");
    for (const char* folder : {"sticky", "mine"}) {
        fs::create_symlink(file, f / folder / "link");
        REQUIRE(lchown((f / folder / "link").c_str(), somebody, 0) == 0);
    }
    fs::permissions(f / "sticky", fs::perms(01777));
    has(walk(f / "sticky/link").distrust, "is reached by the symbolic link " + (f / "sticky/link").string());
    CHECK(walk(f / "mine/link").distrust == "");
    REQUIRE(lchown((f / "sticky/link").c_str(), 0, 0) == 0);
    CHECK(walk(f / "sticky/link").distrust == "");
    fs::permissions(f / "sticky", fs::perms(0777));
    has(walk(f / "sticky/link").distrust, "lies in " + (f / "sticky").string() + ", where others may replace it");
}

TEST_CASE("what is missing is distrusted where others may make it") {
    const temporary_folder f;
    fs::create_directory(f / "sticky");
    fs::permissions(f / "sticky", fs::perms(01777));
    CHECK(walk(f / "missing/file").distrust == "");
    has(walk(f / "sticky/missing/file").distrust, "can be created by others in " + (f / "sticky").string());
    has(walk(f / "sticky").distrust, "may be written by others: anybody may write it (mode 1777)");
}

TEST_CASE("a group may write where all its members are you or root, by whichever list they are in it") {
    const accounts all = some_accounts();
    CHECK(all.fault_of_group(0) == "");
    CHECK(all.fault_of_group(1000) == "");
    CHECK(all.fault_of_group(60) == "group team (60), which has the member alice (4242)");
    CHECK(all.fault_of_group(50) == "group staff (50), which is the primary group of user bob (4243)");
    CHECK(all.fault_of_group(70) == "group ours (70), which has the member alice (4242)"); // by the group's other name
    CHECK(all.fault_of_group(80) == "group ghosts (80), whose member \"nobody_knows\" is not known");
    CHECK(all.fault_of_group(90) == "group 90, whose members are not known");
    accounts unsure = some_accounts();
    unsure.doubt = "they are somewhere else";
    CHECK(unsure.fault_of_group(1000) == "group you (1000), whose members are not known: they are somewhere else");
    accounts operators = some_accounts();
    operators.users.push_back({"operator", 11, 0});
    CHECK(operators.fault_of_group(0) == "group root (0), which is the primary group of user operator (11)");
}

TEST_CASE("root's group is trusted for root's members only, also where somebody else looks") {
    if (!is_root()) return;
    const temporary_folder f;
    const auto file = f.write("folder/file", "");
    fs::permissions(f.path(), fs::perms(0755));
    fs::permissions(f / "folder", fs::perms(0775));
    CHECK(as_user(somebody,
                  [&] { return walk(file).distrust.empty() == accounts::of_system().fault_of_group(0).empty(); }));
    // A user whom the list of users lacks is a sign that there may be others.
    CHECK(as_user(4242, [&] {
        return walk(file).distrust.find("the list of users does not even contain you") != std::string::npos;
    }));
}

TEST_CASE("a process with rights that its user does not have trusts root's files only") {
    if (!is_root()) return;
    const temporary_folder f;
    const auto file = f.write("file", "");
    fs::permissions(f.path(), fs::perms(0755));
    REQUIRE(chown(file.c_str(), somebody, somebody) == 0);
    CHECK(as_user(somebody, [&] { return walk(file).distrust.empty(); }));
    const pid_t child = fork(); // a process of root that acts for somebody else
    REQUIRE(child >= 0);
    if (child == 0) _exit(seteuid(somebody) == 0 && !walk(file).distrust.empty() ? 0 : 1);
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WEXITSTATUS(status) == 0);
}
