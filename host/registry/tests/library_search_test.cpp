// Libraries that a plugin brings along are loaded with it, so nobody else may change them either.
#include "registry/checked_file.hpp"
#include "registry/library_search.hpp"
#include "registry/registry.hpp"
#include "registry/trial.hpp"
#include "temporary_folder.hpp"
#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
using namespace chimera::host;
using namespace std::chrono_literals;
using chimera::test::temporary_folder;

/// A file that looks for libraries in these folders, and needs these.
elf_file looking_in(const std::string& runpath, std::vector<std::string> names = {"libneeded.so"}) {
    elf_file elf;
    elf.search.names = std::move(names);
    elf.search.runpath = runpath;
    return elf;
}

void has(const std::string& text, const std::string& part) {
    INFO(text, " should contain ", part);
    CHECK(text.find(part) != std::string::npos);
}

fs::path copy(const char* id, const fs::path& to) {
    fs::copy_file(fs::path(BAD_PLUGINS) / (std::string(id) + ".so"), to);
    fs::permissions(to, fs::perms(0755));
    return to;
}

} // namespace

TEST_CASE("a folder of libraries that others may write is a reason, one that is not there is none") {
    const temporary_folder f;
    const auto lib = (f / "lib").string();
    CHECK(library_search_fault(looking_in(lib), f.path()) == "");
    CHECK(library_search_fault(looking_in(""), f.path()) == "");
    fs::create_directory(lib);
    CHECK(library_search_fault(looking_in(lib), f.path()) == "");
    CHECK(library_search_fault(looking_in("$ORIGIN/lib:/usr/lib"), f.path()) == "");
    fs::permissions(lib, fs::perms(0777));
    for (const std::string& folder : {lib, std::string("/usr/lib:$ORIGIN/lib"), std::string("${ORIGIN}/lib")})
        has(library_search_fault(looking_in(folder), f.path()),
            "it looks for libraries in " + lib + ", which may be written by others: anybody may write it (mode 0777)");
    fs::permissions(lib, fs::perms(01777)); // what is not in it yet, anybody may put there
    has(library_search_fault(looking_in(lib), f.path()), "which may be written by others");
    has(library_search_fault(looking_in(lib + "/missing"), f.path()), "which may be made by others in " + lib);
    elf_file with_rpath = looking_in("");
    with_rpath.search.runpath.reset();
    with_rpath.search.rpath = lib;
    has(library_search_fault(with_rpath, f.path()), "which may be written by others");
}

TEST_CASE("a place that depends on where the host is started is a reason") {
    for (const char* folders : {"lib", ":/usr/lib", "/usr/lib:", "/usr/lib::/lib", "./lib", "."})
        has(library_search_fault(looking_in(folders), "/usr/lib"), "which is relative to wherever the host is started");
    has(library_search_fault(looking_in("/usr/$LIB"), "/usr/lib"), "of which only $ORIGIN is understood");
    has(library_search_fault(looking_in("", {"lib/libneeded.so"}), "/usr/lib"),
        "it needs the library \"lib/libneeded.so\", which is relative");
}

TEST_CASE("a library in such a folder is judged, and so are those that it needs in turn") {
    const temporary_folder f;
    const auto library = copy("good_executor", f / "libneeded.so");
    const auto folder = f.path().string();
    CHECK(library_search_fault(looking_in(folder), "/usr/lib") == "");
    CHECK(library_search_fault(looking_in("", {library.string()}), "/usr/lib") == "");
    fs::permissions(library, fs::perms(0777));
    has(library_search_fault(looking_in(folder), "/usr/lib"),
        "it needs " + library.string() + ", which may be written by others");
    has(library_search_fault(looking_in("", {"$ORIGIN/libneeded.so"}), folder), "which may be written by others");
    CHECK(library_search_fault(looking_in(folder, {"libother.so"}), "/usr/lib") == "");

    fs::create_directories(f / "glibc-hwcaps/x86-64-v2");
    fs::permissions(library, fs::perms(0755));
    CHECK(library_search_fault(looking_in(folder), "/usr/lib") == "");
    const auto variant = copy("good_executor", f / "glibc-hwcaps/x86-64-v2/libneeded.so");
    fs::permissions(variant, fs::perms(0777));
    has(library_search_fault(looking_in(folder), "/usr/lib"), variant.string() + ", which may be written by others");
}

TEST_CASE("what is loaded is the file that was checked, whatever lies at its path by then") {
    const temporary_folder f;
    const auto path = copy("good_executor", f / "plugin.so");
    const auto file = std::make_shared<const checked_file>(path);
    fs::rename(copy("good_transport", f / "other.so"), path);
    const auto tried = try_plugin(file, trial_depth::load, 5s);
    CHECK(tried.fault == "");
    CHECK(tried.said["id"] == "good_executor");
    fs::remove(path);
    CHECK(try_plugin(file, trial_depth::load, 5s).said["id"] == "good_executor");
    CHECK(file->loadable() != path);
    CHECK(fs::read_symlink(file->loadable()).string().starts_with(path.string())); // and is found by other processes
}

TEST_CASE("two files that take turns at one path are two plugins") {
    const temporary_folder f;
    const auto path = copy("good_executor", f / "plugin.so");
    registry plugins({.search = {}, .own = {}});
    const auto first = plugins.load(plugin_kind::executor, path);
    CHECK(first->path() == path);
    fs::rename(copy("good_transport", f / "other.so"), path);
    const auto second = plugins.load(plugin_kind::transport, path);
    CHECK(std::string(second->entry().id) == "good_transport");
    CHECK(std::string(first->entry().id) == "good_executor");
}

TEST_CASE("what the dynamic linker says of a file names its path and not its descriptor") {
    const auto file = std::make_shared<const checked_file>(fs::path(BAD_PLUGINS) / "undefined_symbol.so");
    const auto fault = try_plugin(file, trial_depth::load, 5s).fault;
    has(fault, "undefined symbol: init_elsewhere");
    CHECK(fault.find("/proc/") == std::string::npos);
}
