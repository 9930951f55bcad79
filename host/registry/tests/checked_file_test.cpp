// What is refused before any code of a file runs.
#include "registry/checked_file.hpp"
#include "registry/registry.hpp"
#include "registry/trial.hpp"
#include "registry/trust.hpp"
#include "temporary_folder.hpp"
#include <algorithm>
#include <cstring>
#include <doctest/doctest.h>
#include <elf.h>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>

namespace {

namespace fs = std::filesystem;
using namespace chimera::host;
using namespace std::chrono_literals;
using chimera::test::temporary_folder;

const fs::path good = fs::path(BAD_PLUGINS) / "good_executor.so";

std::string refusal(const fs::path& file, bool allow_untrusted = false) {
    try {
        return checked_file(file).fault(allow_untrusted);
    } catch (const plugin_error& error) {
        CHECK(std::string(error.what()).starts_with(file.string() + ": "));
        return error.what();
    }
}

elf_file elf_of(const fs::path& file) { return checked_file(file).elf(); }

std::string content_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void has(const std::string& text, const std::string& part) {
    INFO(text, " should contain ", part);
    CHECK(text.find(part) != std::string::npos);
}

/// A copy of the good plugin with some bytes of its header replaced.
template <class Value>
fs::path patched(const temporary_folder& folder, std::size_t offset, Value value) {
    auto bytes = content_of(good);
    bytes.replace(offset, sizeof value, reinterpret_cast<const char*>(&value), sizeof value);
    return folder.write("patched.so", bytes);
}

/// A file that looks for libraries in these folders, and needs these.
elf_file looking_in(const std::string& runpath, std::vector<std::string> names = {"libneeded.so"}) {
    elf_file elf;
    elf.search.names = std::move(names);
    elf.search.runpath = runpath;
    return elf;
}

fs::path copy(const char* id, const fs::path& to) {
    fs::copy_file(fs::path(BAD_PLUGINS) / (std::string(id) + ".so"), to);
    fs::permissions(to, fs::perms(0755));
    return to;
}

} // namespace

TEST_CASE("a good file passes, and links to it lead to its own path") {
    CHECK(refusal(good).empty());
    CHECK(checked_file(good).path() == fs::canonical(good));
    const temporary_folder folder;
    fs::create_symlink(good, folder / "link.so");
    CHECK(checked_file(folder / "link.so").path() == fs::canonical(good));
}

TEST_CASE("a file that is not regular is refused for what it is") {
    const temporary_folder folder;
    has(refusal(folder / "missing.so"), "No such file");
    fs::create_directory(folder / "folder.so");
    has(refusal(folder / "folder.so"), "is a folder");
    fs::create_symlink("b.so", folder / "a.so");
    fs::create_symlink("a.so", folder / "b.so");
    has(refusal(folder / "a.so"), "loop of symbolic links");
    fs::create_symlink("nowhere.so", folder / "dangling.so");
    has(refusal(folder / "dangling.so"), "symbolic link to a file that does not exist");
    REQUIRE(mkfifo((folder / "pipe.so").c_str(), 0600) == 0); // reading it would wait for ever
    has(refusal(folder / "pipe.so"), "not a regular file");
    has(refusal(good / "below.so"), "Not a directory");
}

TEST_CASE("a file that others may write is refused unless that is asked for") {
    const temporary_folder folder;
    const auto file = folder.write("copy.so", content_of(good));
    CHECK(refusal(file).empty());
    for (const auto mode : {0666, 0664, 0646}) {
        fs::permissions(file, fs::perms(mode));
        has(refusal(file), "may be written by others");
        CHECK(refusal(file, true).empty());
    }
}

TEST_CASE("a file of another user is refused unless that is asked for") {
    if (geteuid() != 0) return; // only root can give a file away
    const temporary_folder folder;
    const auto file = folder.write("copy.so", content_of(good));
    REQUIRE(chown(file.c_str(), 12345, 0) == 0);
    has(refusal(file), "belongs to user 12345");
    CHECK(refusal(file, true).empty());
}

TEST_CASE("a file in a folder where others may replace it is refused, unless the folder is sticky") {
    const temporary_folder folder;
    const auto file = folder.write("plugins/deeper/copy.so", content_of(good));
    for (const auto mode : {0777, 0757}) {
        fs::permissions(folder / "plugins", fs::perms(mode));
        has(refusal(file), "lies in " + (folder / "plugins").string() + ", where others may replace it");
        CHECK(refusal(file, true).empty());
    }
    fs::permissions(folder / "plugins", fs::perms(01777));
    CHECK(refusal(file).empty());
    fs::permissions(folder / "plugins", fs::perms(0775)); // many systems give every user a group of his own
    CHECK(refusal(file).empty() == accounts::of_system().fault_of_group(getegid()).empty());
}

TEST_CASE("a folder of another user or writable by another group is refused") {
    if (geteuid() != 0) return; // only root can give a folder away
    const temporary_folder folder;
    const auto file = folder.write("plugins/copy.so", content_of(good));
    REQUIRE(chown((folder / "plugins").c_str(), 12345, 0) == 0);
    has(refusal(file), "lies in " + (folder / "plugins").string() + ", which belongs to user 12345");
    REQUIRE(chown((folder / "plugins").c_str(), 0, 12345) == 0);
    CHECK(refusal(file).empty());
    fs::permissions(folder / "plugins", fs::perms(0775));
    has(refusal(file), "where others may replace it");
}

TEST_CASE("what a library needs and exports is read without loading it") {
    const auto elf = elf_of(good);
    CHECK(elf.word_size == "64-bit");
    CHECK(elf.type == "shared library");
    CHECK(std::find(elf.needed.begin(), elf.needed.end(), "libc.so.6") != elf.needed.end());
    REQUIRE(elf.exported);
    const auto exports = [&](const char* name) { return std::count(elf.exported->begin(), elf.exported->end(), name); };
    CHECK(exports(CHM_ENTRY_SYMBOL) == 1);
    CHECK(exports("get_factory") == 0); // has internal linkage
    CHECK(exports("strcmp") == 0);      // is needed, not defined
    CHECK(elf.nodelete);
    CHECK_FALSE(elf_of(fs::path(BAD_PLUGINS) / "may_be_unloaded.so").nodelete);
    has(refusal(fs::path(BAD_PLUGINS) / "no_entry.so"), "does not export the symbol \"chimera_plugin_entry\"");
}

TEST_CASE("a file that is not a shared library for this machine is refused") {
    const temporary_folder folder;
    has(refusal(folder.write("text.so", "#!/bin/sh\necho I am no plugin\n")), "not a shared library");
    has(refusal(folder.write("empty.so", "")), "not a shared library");
    has(refusal(folder.write("small.so", std::string(ELFMAG) + char{ELFCLASS32} + char{ELFDATA2LSB} + char{EV_CURRENT} +
                                             std::string(45, '\0'))), // the header of a 32-bit file, and nothing else
        "32-bit library, expected 64 bits");
    has(refusal(patched(folder, EI_CLASS, static_cast<unsigned char>(ELFCLASS32))), "32-bit library, expected 64 bits");
    has(refusal(patched(folder, EI_DATA, static_cast<unsigned char>(ELFDATA2MSB))), "byte order");
    has(refusal(patched(folder, offsetof(Elf64_Ehdr, e_machine), Elf64_Half{EM_S390})),
        "built for the machine number 22");
    has(refusal(patched(folder, offsetof(Elf64_Ehdr, e_type), Elf64_Half{ET_REL})), "of type \"object file\"");
    has(refusal(patched(folder, offsetof(Elf64_Ehdr, e_type), Elf64_Half{ET_EXEC})), "of type \"program\"");
}

TEST_CASE("a library that is cut off is refused instead of killing the process") {
    const temporary_folder folder;
    const auto bytes = content_of(good);
    Elf64_Ehdr header;
    std::memcpy(&header, bytes.data(), sizeof header);
    std::size_t needed = 0; // by the segments; section headers behind them are for debuggers
    for (unsigned i = 0; i < header.e_phnum; ++i) {
        Elf64_Phdr segment;
        std::memcpy(&segment, bytes.data() + header.e_phoff + i * sizeof segment, sizeof segment);
        if (segment.p_type == PT_LOAD) needed = std::max<std::size_t>(needed, segment.p_offset + segment.p_filesz);
    }
    for (const auto length : {std::size_t{20}, sizeof(Elf64_Ehdr), sizeof(Elf64_Ehdr) + 70, needed / 2, needed - 1}) {
        CAPTURE(length);
        has(refusal(folder.write("cut.so", bytes.substr(0, length))), "is cut off");
    }
    CHECK(refusal(folder.write("cut.so", bytes.substr(0, needed))).empty());
}

TEST_CASE("tables that point outside the file, or say that they are larger than it, are left out") {
    const temporary_folder folder;
    const auto bytes = content_of(good);
    Elf64_Ehdr header;
    std::memcpy(&header, bytes.data(), sizeof header);
    for (unsigned i = 0; i < header.e_phnum; ++i) {
        const auto at = header.e_phoff + i * sizeof(Elf64_Phdr);
        Elf64_Phdr segment;
        std::memcpy(&segment, bytes.data() + at, sizeof segment);
        if (segment.p_type != PT_DYNAMIC) continue;
        CHECK_FALSE(elf_of(patched(folder, at + offsetof(Elf64_Phdr, p_offset), Elf64_Off{~0ull - 8})).exported);
        for (auto entry = segment.p_offset; entry < segment.p_offset + segment.p_filesz; entry += sizeof(Elf64_Dyn)) {
            Elf64_Dyn d;
            std::memcpy(&d, bytes.data() + entry, sizeof d);
            const auto value = entry + offsetof(Elf64_Dyn, d_un);
            if (d.d_tag == DT_SYMTAB || d.d_tag == DT_GNU_HASH)
                for (const auto wrong : {Elf64_Xword{~0ull}, Elf64_Xword{1} << 40})
                    CHECK_FALSE(elf_of(patched(folder, value, wrong)).exported);
            if (d.d_tag == DT_STRSZ) {
                const auto nameless = elf_of(patched(folder, value, ~Elf64_Xword{0}));
                CHECK(std::count(nameless.needed.begin(), nameless.needed.end(), "") > 0);
            }
        }
    }
}

TEST_CASE("program headers that lie far outside the file are refused") {
    const temporary_folder folder;
    has(refusal(patched(folder, offsetof(Elf64_Ehdr, e_phoff), Elf64_Off{~0ull - 8})), "is cut off");
    Elf64_Ehdr header;
    const auto bytes = content_of(good);
    std::memcpy(&header, bytes.data(), sizeof header);
    for (unsigned i = 0; i < header.e_phnum; ++i) {
        const auto at = header.e_phoff + i * sizeof(Elf64_Phdr);
        Elf64_Phdr segment;
        std::memcpy(&segment, bytes.data() + at, sizeof segment);
        if (segment.p_type == PT_LOAD)
            has(refusal(patched(folder, at + offsetof(Elf64_Phdr, p_filesz), Elf64_Xword{~0ull})), "is cut off");
    }
}

// ---- libraries that a plugin brings along are loaded with it, so nobody else may change them either

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
    has(library_search_fault(looking_in(lib + "/missing"), f.path()), "which can be created by others in " + lib);
    elf_file with_rpath = looking_in("");
    with_rpath.search.runpath.reset();
    with_rpath.search.rpath = lib;
    has(library_search_fault(with_rpath, f.path()), "which may be written by others");
}

TEST_CASE("a place that depends on where the host is started is a reason") {
    for (const char* folders : {"lib", ":/usr/lib", "/usr/lib:", "/usr/lib::/lib", "./lib", "."})
        has(library_search_fault(looking_in(folders), "/usr/lib"), "which is relative to the working directory");
    has(library_search_fault(looking_in("/usr/$LIB"), "/usr/lib"), "but only $ORIGIN is understood");
    has(library_search_fault(looking_in("", {"lib/libneeded.so"}), "/usr/lib"),
        "it needs the library \"lib/libneeded.so\", which is relative");
}

TEST_CASE("a library in such a folder is judged, and so are the libraries that it needs") {
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
