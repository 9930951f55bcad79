// What the commands print: results on standard output, log lines on standard error.
#pragma once

#include <nlohmann/json.hpp>
#include <spdlog/formatter.h>

#include <memory>
#include <string>
#include <string_view>

namespace chimera::host {

/// Writes a result to standard output. Throws result_file_error if it cannot be written.
void print_result(std::string_view);

/// The same document with every string on one line and safe for a terminal (see protocol/excerpt.hpp).
nlohmann::ordered_json printable_document(nlohmann::ordered_json);

/// null for an empty text.
nlohmann::ordered_json or_null(const std::string& text);

/// A formatter for spdlog with this pattern ("%^%l%$ %v", for example). Messages may come from a plugin or a server, so
/// each is escaped by on_one_line() (protocol/excerpt.hpp) and cleared of secrets (process/secrets.hpp). The colours of
/// the pattern are kept. Install it with
///     spdlog::default_logger()->set_formatter(make_log_formatter("%^%l%$ %v"));
/// A later spdlog::set_pattern() would replace it. Thread: a sink calls it under its own lock. Throws std::bad_alloc,
/// which spdlog catches.
std::unique_ptr<spdlog::formatter> make_log_formatter(std::string pattern);

} // namespace chimera::host
