#pragma once

#include "workload/data_summary.hpp"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace chimera::host {

/// Files above this size are skipped with a warning unless the caller says otherwise.
inline constexpr std::uint64_t default_max_file_bytes = std::uint64_t{16} << 20U;

/// A file that is in memory.
struct text_file {
    std::string path; ///< below the folder that it would lie in
    std::string bytes;
    std::int64_t mtime = 0; ///< seconds since the epoch
};

/// What the overload below gives for a folder with these files. They are in the order of their paths.
data_summary ingest(std::span<const text_file>);

/// Reads every .csv, .json, .md and .markdown file below `folder`, in the order of their paths; names that begin with a
/// dot are passed over. Symbolic links are followed, and no folder is entered twice. A file or folder that cannot be
/// used (not readable, too large, binary, malformed, no regular file, dangling link, loop) is skipped with a warning.
///
/// Blocks on file I/O: not for an executor's worker. Throws std::runtime_error when `folder` itself cannot be read.
data_summary ingest(const std::filesystem::path& folder, std::uint64_t max_file_bytes = default_max_file_bytes);

} // namespace chimera::host
