// The conformance kit as a library: run the cases that apply to a plugin and hand out the results.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>

#include "case.hpp"

namespace chimera::conformance {

/// What to run and on what.
struct request {
    std::filesystem::path plugin;
    std::filesystem::path foreign;   ///< executor plugin for bridge cases; empty: they are skipped
    std::filesystem::path executor;  ///< executor plugin under a transport; empty: the kit's own
    std::filesystem::path transport; ///< transport plugin for bridge cases; empty: they are skipped
    /// What to give to dlopen for one of these files, asked for in the process that loads it; none: its path. Messages
    /// name the path.
    std::function<std::filesystem::path(const std::filesystem::path&)> loadable;
    std::map<std::string, std::string> options; ///< of the plugin's instances; other options keep their defaults
    std::string glob = "*";                     ///< of case names, with * and ?
    std::uint64_t seed = 1;                     ///< of what the random cases draw; the same seed draws the same
    unsigned limit_s = 30;                      ///< for each case; ten times as long under a sanitizer
    bool in_process = false;                    ///< for debuggers: no child, so a crash or a hang ends everything
    bool verbose = false;                       ///< what the plugin logs goes to stderr
};

enum class verdict {
    passed,
    warning, ///< legal, and unwise
    failed,
    crashed,
    hung,
    skipped
};

/// "passed", "warning", ...
std::string_view name_of(verdict) noexcept;

struct result {
    const test_case& which;
    enum verdict verdict;
    std::string detail; ///< why it was not passed; empty when passed
    double seconds;
};

/// How many cases ended how.
class counts {
  public:
    void add(verdict v) noexcept { ++of_[static_cast<std::size_t>(v)]; }
    unsigned of(verdict v) const noexcept { return of_[static_cast<std::size_t>(v)]; }
    /// Failed, crashed and hung ones.
    unsigned broken() const noexcept { return of(verdict::failed) + of(verdict::crashed) + of(verdict::hung); }

  private:
    std::array<unsigned, 6> of_{};
};

/// What a plugin says of itself.
struct introduction {
    std::string id, version;
    bool executors = false, transports = false;
    bool bridge = false; ///< its executors have one
};

/// Whether a case's name is one that a glob with * and ? means.
bool matches(const test_case&, const std::string& glob);

/// The file is no plugin, an option is unknown to it or refused, or no case matches. what() names the file.
struct unusable : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// [one thread, with no other thread running: the plugin's code runs in forked children] Loads the plugin and the
/// others that the request names, and makes an executor where it can. Throws unusable, also when no case matches.
introduction introduce(const request&);

/// [as introduce] Runs every case whose name matches and that applies to the plugin, in the order of the table;
/// `report` is called after each.
counts run(const request&, const introduction&, const std::function<void(const result&)>& report);

} // namespace chimera::conformance
