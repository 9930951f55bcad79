#pragma once
#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

/// The libraries that a file needs, and the folders that it names for them. Any bytes, as they are in the file.
struct library_names {
    std::vector<std::string> names;            ///< of libraries, or their paths
    std::optional<std::string> runpath, rpath; ///< folders, separated by ':'
    bool readable = true;                      ///< false: there is more, outside the file's own tables
};

/// A shared library as the dynamic linker sees it. Names contain only printable ASCII.
struct elf_file {
    std::string word_size, machine, type; ///< "64-bit", "x86-64", "shared library"; empty without an ELF header
    std::vector<std::string> needed;      ///< libraries, as the file names them
    std::optional<std::vector<std::string>> exported; ///< symbols, sorted; nothing without a readable hash table
    library_names search;
    bool nodelete = false; ///< linked with -z nodelete
    std::string fault;     ///< why this process cannot load it; empty: it can
};

/// Reads headers and the dynamic segment. Never reads beyond the end of the file, nor more than 16 MiB at a time. Of a
/// file with another word size or byte order, or a malformed one, it reads less.
///
/// Rationale for not using libelf: it finds symbols by section headers, but the dynamic linker uses only program
/// headers, and a hostile file can make them disagree. See docs/architecture.md.
///
/// fd: a regular file, open for reading; its position does not matter.
elf_file read_elf(int fd);

} // namespace chimera::host
