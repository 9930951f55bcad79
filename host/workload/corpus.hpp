#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace chimera::host {

/// Number of files that generate_corpus writes.
inline constexpr std::size_t corpus_file_count = 101;

/// Writes the default corpus into `folder`: 101 CSV, JSON and Markdown artifacts of LLM benchmarks in nested folders.
/// The same seed gives the same names, bytes and modification times on every machine. `folder` is created, or must be
/// empty. Throws std::runtime_error or std::filesystem::filesystem_error.
void generate_corpus(const std::filesystem::path& folder, std::uint64_t seed);

} // namespace chimera::host
