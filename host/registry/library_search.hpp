#pragma once
#include "registry/elf_file.hpp"
#include <filesystem>
#include <string>

namespace chimera::host {

/// Whether the file names a library or a folder of libraries relative to its own folder.
bool uses_origin(const elf_file&);

/// Who else than you and root may change a library that the dynamic linker loads from a place that the file itself
/// names (DT_RUNPATH, DT_RPATH, a path in DT_NEEDED), and what to do; empty: nobody. Looks at the folders, at the
/// libraries in them, and at what those name in turn. Not at the places of the system and of the environment.
/// origin: the file's folder. Thread: as accounts::of_system.
std::string library_search_fault(const elf_file&, const std::filesystem::path& origin);

} // namespace chimera::host
