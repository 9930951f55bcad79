// Reading a file that a person named.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace chimera::host {

/// Of a JSON document that this program wrote; parsed, it takes some ten times as much.
inline constexpr std::size_t most_document_bytes = std::size_t{256} << 20U;
/// Of a file with a line for each request.
inline constexpr std::size_t most_lines_bytes = std::size_t{64} << 30U;

/// The bytes of a regular file. Anything else is refused, because it may never end or never begin: a folder, a pipe
/// without a writer, /dev/zero. Throws std::runtime_error with the reason and what to do, without the file's name: "is
/// a pipe; give a regular file", "has more than 1 MiB". Any thread.
std::string read_regular_file(const std::filesystem::path&, std::size_t most_bytes);

} // namespace chimera::host
