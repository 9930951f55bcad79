#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::host {

/// The values of one metric over all files.
struct metric_range {
    std::uint64_t n = 0;
    double sum = 0;
    double min = 0;
    double max = 0;

    void add(double value) noexcept;
    void add(const metric_range& other) noexcept;
    /// Only with n > 0.
    double mean() const noexcept { return sum / static_cast<double>(n); }
};

/// The key is a name as metric_name() writes it.
using metric_table = std::map<std::string, metric_range, std::less<>>;

/// One spelling of a metric's name for all types of files: "**Tokens per second**" -> "tokens_per_second".
std::string metric_name(std::string_view text);

/// A file, or a part of one, that was left out, and the reason.
struct ingest_warning {
    std::string path; ///< relative to the folder
    std::string reason;
    std::optional<std::size_t> line;   ///< 1-based, where known
    std::optional<std::size_t> column; ///< 1-based, in bytes, where known
};

/// "path:line:column: reason", as far as line and column are known.
std::string to_string(const ingest_warning& warning);

/// The content of one file.
struct file_facts {
    metric_table metrics;
    std::vector<std::string> headings;
    std::size_t rows = 0;   ///< CSV: data rows
    std::size_t tables = 0; ///< Markdown
};

struct file_count {
    std::size_t files = 0;
    std::uint64_t bytes = 0;
};

/// The content of a folder of benchmark artifacts.
struct data_summary {
    file_count csv, json, markdown;
    std::size_t other_files = 0; ///< of other types: not read, not warned about
    std::size_t skipped = 0;     ///< files and folders that could not be used; each has a warning
    std::size_t rows = 0, tables = 0;
    std::optional<std::int64_t> latest_mtime; ///< of the files used, seconds since the epoch
    metric_table metrics;
    std::map<std::string, std::size_t> folders; ///< number of files used, by relative folder
    std::vector<std::string> headings;          ///< in the order of the paths
    std::vector<ingest_warning> warnings;

    std::size_t files() const noexcept { return csv.files + json.files + markdown.files; }
    std::uint64_t bytes() const noexcept { return csv.bytes + json.bytes + markdown.bytes; }
};

/// The summary as text for a prompt, at most `max_bytes` long: counts, metrics (those with the most values first),
/// warnings, folders, headings. Lines that do not fit are left out, and their number is stated.
std::string render(const data_summary& summary, std::size_t max_bytes);

/// Larger files are skipped with a warning.
inline constexpr std::uint64_t default_max_file_bytes = std::uint64_t{16} << 20U;

/// A file in memory.
struct text_file {
    std::string path; ///< relative to the folder
    std::string bytes;
    std::int64_t mtime = 0; ///< seconds since the epoch
};

/// Reads files in memory, as the overload below reads a folder with these files. Sort them by path.
data_summary ingest(std::span<const text_file>);

/// Reads each .csv, .json, .md and .markdown file below `folder`, in the order of their paths. Names that begin with a
/// dot are ignored. Symbolic links are followed, and no folder is entered twice. A file or folder that cannot be used
/// (not readable, too large, binary, malformed, not a regular file, dangling link, loop) is skipped with a warning.
///
/// Blocks on file I/O: do not call it on an executor's worker. Throws std::runtime_error if `folder` cannot be read.
data_summary ingest(const std::filesystem::path& folder, std::uint64_t max_file_bytes = default_max_file_bytes);

} // namespace chimera::host
