// Files that this program reads: files that a person named, and files that are installed with it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace chimera::host {

/// The largest JSON document of this program that is read. Parsed, it takes about ten times as much memory.
inline constexpr std::size_t most_document_bytes = std::size_t{256} << 20U;
/// The largest file with one line per request.
inline constexpr std::size_t most_lines_bytes = std::size_t{64} << 30U;

/// Reads a regular file. Refuses anything else, because it may never end or never begin: a folder, a pipe without a
/// writer, /dev/zero. Throws std::runtime_error with the reason and what to do, without the file's name: "is a pipe;
/// give a regular file", "has more than 1 MiB". Any thread.
std::string read_regular_file(const std::filesystem::path&, std::size_t most_bytes);

/// share/chimera of the installation, found from the path of the running program, so that an installation can be moved.
/// A build folder has the same layout. Throws std::filesystem::filesystem_error without /proc.
std::filesystem::path installed_data();

/// share/doc/chimera of the installation: the pages of this repository. They belong to the package chimera-dev, so they
/// may be missing. Throws like installed_data().
std::filesystem::path installed_documentation();

} // namespace chimera::host
