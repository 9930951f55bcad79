#pragma once

#include "workload/data_summary.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace chimera::host {

/// Number of files that generate_corpus makes.
inline constexpr std::size_t corpus_file_count = 101;

/// The default corpus: 101 CSV, JSON and Markdown artifacts of LLM benchmarks, with paths in nested folders, sorted by
/// path. The same seed gives the same names, bytes and modification times on every machine.
std::vector<text_file> generate_corpus(std::uint64_t seed);

} // namespace chimera::host
