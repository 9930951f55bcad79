// What a line on standard error looks like. Plugins log through the host, so what they say is not trusted.
#pragma once

#include <spdlog/formatter.h>

#include <memory>
#include <string>

namespace chimera::host {

/// A formatter for spdlog's pattern ("%^%l%$ %v", for example) whose messages stay on one line and cannot act on a
/// terminal: each is escaped as on_one_line() does (protocol/excerpt.hpp), also one that a plugin or a server made, and
/// without the process's secrets (process/secrets.hpp). The colours of the pattern itself are kept. Install it with
///     spdlog::default_logger()->set_formatter(make_log_formatter("%^%l%$ %v"));
/// A later spdlog::set_pattern() would take its place. Thread: a sink calls it under its own lock. Throws
/// std::bad_alloc, which spdlog catches.
std::unique_ptr<spdlog::formatter> make_log_formatter(std::string pattern);

} // namespace chimera::host
