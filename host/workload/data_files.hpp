#pragma once

#include "workload/data_summary.hpp"

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace chimera::host {

/// A file that is not of the type that its name promises. Line and column are 1-based; 0 means unknown.
struct bad_file : std::runtime_error {
    bad_file(const std::string& reason, std::size_t at_line, std::size_t at_column)
        : std::runtime_error(reason), line(at_line), column(at_column) {}
    std::size_t line, column;
};

/// Reads CSV (RFC 4180: quoted fields with doubled quotes, commas and line ends in them; CRLF, LF or CR; blank lines
/// are ignored). The first row is the header, unless it has numbers only: then the columns are called column_1,
/// column_2, ... A column is a metric if each of its non-empty cells is a number. Rows of another width than the first
/// are left out, with one warning for the file (its path is left empty). Throws bad_file.
file_facts read_csv(std::string_view text, std::vector<ingest_warning>& warnings);

/// The whole of `text` as a finite number; blanks around it are allowed. False if it is not one.
bool parse_number(std::string_view text, double& value) noexcept;

/// Reads JSON: each finite number is a value of the metric named by the nearest key above it. Throws bad_file with the
/// position of the first mistake.
file_facts read_json(std::string_view text);

/// Reads a Markdown report: headings (# and underlined), the number of tables, and metrics from list items such as
/// "- TTFT: 603 ms" (the unit becomes part of the name: ttft_ms). Fenced blocks and front matter are ignored.
file_facts read_markdown(std::string_view text);

} // namespace chimera::host
