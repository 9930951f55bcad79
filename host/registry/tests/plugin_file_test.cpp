// What is refused before any code of a file runs.
#include "registry/plugin_file.hpp"
#include "registry/registry.hpp"
#include "temporary_folder.hpp"
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
using chimera::test::temporary_folder;

const fs::path good = fs::path(BAD_PLUGINS) / "good_executor.so";

std::string refusal(const fs::path& file, bool allow_untrusted = false) {
    try {
        check_plugin_file(file, allow_untrusted);
        return {};
    } catch (const plugin_error& error) {
        CHECK(std::string(error.what()).starts_with(file.string() + ": "));
        return error.what();
    }
}

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

} // namespace

TEST_CASE("a good file passes, and links to it lead to its own path") {
    CHECK(check_plugin_file(good, false) == fs::canonical(good));
    const temporary_folder folder;
    fs::create_symlink(good, folder / "link.so");
    CHECK(check_plugin_file(folder / "link.so", false) == fs::canonical(good));
}

TEST_CASE("what is no regular file is refused for what it is") {
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
    has(refusal(folder / "pipe.so"), "no regular file");
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

TEST_CASE("what is no shared library for this machine is refused") {
    const temporary_folder folder;
    has(refusal(folder.write("text.so", "#!/bin/sh\necho I am no plugin\n")), "no shared library");
    has(refusal(folder.write("empty.so", "")), "no shared library");
    has(refusal(patched(folder, EI_CLASS, static_cast<unsigned char>(ELFCLASS32))), "32-bit library, expected 64 bits");
    has(refusal(patched(folder, EI_DATA, static_cast<unsigned char>(ELFDATA2MSB))), "byte order");
    has(refusal(patched(folder, offsetof(Elf64_Ehdr, e_machine), Elf64_Half{EM_S390})),
        "built for the machine number 22");
    has(refusal(patched(folder, offsetof(Elf64_Ehdr, e_type), Elf64_Half{ET_REL})), "object file");
    has(refusal(patched(folder, offsetof(Elf64_Ehdr, e_type), Elf64_Half{ET_EXEC})), "a program");
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

TEST_CASE("program headers that lie far outside the file are refused") {
    const temporary_folder folder;
    has(refusal(patched(folder, offsetof(Elf64_Ehdr, e_phoff), Elf64_Off{~0ull - 8})), "is cut off");
    Elf64_Ehdr header;
    const auto bytes = content_of(good);
    std::memcpy(&header, bytes.data(), sizeof header);
    has(refusal(patched(folder, header.e_phoff + offsetof(Elf64_Phdr, p_filesz), Elf64_Xword{~0ull})), "is cut off");
}
