#pragma once
#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

/// Where the dynamic linker looks for what a library needs, as far as the library says. Any bytes, as the file has
/// them.
struct library_names {
    std::vector<std::string> names;            ///< of libraries, or their paths
    std::optional<std::string> runpath, rpath; ///< folders, separated by ':'
    bool readable = true;                      ///< false: there is more, which lies outside the file's own tables
};

/// What the dynamic linker would find in a file. Names hold printable ASCII only, whatever the file says.
struct elf_file {
    std::string word_size, machine, type; ///< "64-bit", "x86-64", "shared library"; empty where there is no ELF header
    std::vector<std::string> needed;      ///< libraries, as the file names them
    std::optional<std::vector<std::string>> exported; ///< symbols, sorted; nothing where it has no readable hash table
    library_names search;
    bool nodelete = false; ///< linked with -z nodelete
    std::string fault;     ///< what keeps it from being a shared library that this process can load; empty: nothing
};

/// Reads headers and the dynamic segment, never beyond the end of the file and never more than a few MiB at a time.
/// The rest is left out where the file is not of this machine's word size and byte order, or is malformed.
/// fd: a regular file, open for reading; its position does not matter.
elf_file read_elf(int fd);

} // namespace chimera::host
