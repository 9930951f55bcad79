#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace chimera::host {

/// What the dynamic linker would find in a file. Names hold printable ASCII only, whatever the file says.
struct elf_file {
    std::string word_size, machine, type; ///< "64-bit", "x86-64", "shared library"; empty where there is no ELF header
    std::vector<std::string> needed;      ///< libraries, as the file names them
    std::optional<std::vector<std::string>> exported; ///< symbols, sorted; nothing where it has no readable hash table
    bool nodelete = false;                            ///< linked with -z nodelete
    std::string fault; ///< what keeps it from being a shared library that this process can load; empty: nothing
};

/// Reads headers and the dynamic segment, never beyond the end of the file and never more than a few MiB at a time.
/// The rest is left out where the file is not of this machine's word size and byte order, or is malformed.
/// Precondition: a regular file, otherwise opening it may wait for ever.
elf_file read_elf(const std::filesystem::path&);

} // namespace chimera::host
