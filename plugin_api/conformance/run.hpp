// The conformance kit as a library: run the cases that apply to a plugin and hand out the results.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "case.hpp"
#include "scripted_server/wire.hpp"

namespace chimera::conformance {

/// The cases to run, and the plugin to run them on.
struct request {
    std::filesystem::path plugin;
    std::filesystem::path foreign;   ///< executor plugin for bridge cases; empty: they are skipped
    std::filesystem::path executor;  ///< executor plugin under a transport or coordinator; empty: the kit's own
    std::filesystem::path transport; ///< transport plugin for bridge cases; empty: they are skipped
    /// Returns the path for dlopen of one of these files, in the process that loads it; none: the file's own path.
    /// Messages name the file's own path.
    std::function<std::filesystem::path(const std::filesystem::path&)> loadable;
    std::optional<wire> over;                   ///< over which a transport is tried; none: the first that it offers
    std::map<std::string, std::string> options; ///< of the plugin's instances; other options keep their defaults
    std::vector<std::string> globs{"*"};        ///< of case names, with * and ?; a case that one of them means is run
    std::uint64_t seed = 1;                     ///< of the random cases; the same seed draws the same
    unsigned limit_s = 30;                      ///< for each case; ten times as long under a sanitizer
    bool fail_fast = false;                     ///< ends after the first case that failed, crashed or hung
    bool in_process = false;                    ///< for debuggers: no child, so a crash or a hang ends everything
    bool verbose = false;                       ///< the plugin's log goes to stderr
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

/// The cost of hangs: the first case that hangs takes its whole limit, later ones at most this...
inline constexpr unsigned limit_after_hang_s = 5;
/// ...and after so many hung cases the others are not run.
inline constexpr unsigned hangs_at_most = 3;

/// How many cases ended how.
class counts {
  public:
    void add(verdict v) noexcept { ++of_[static_cast<std::size_t>(v)]; }
    unsigned of(verdict v) const noexcept { return of_[static_cast<std::size_t>(v)]; }
    /// Failed, crashed and hung ones.
    unsigned broken() const noexcept { return of(verdict::failed) + of(verdict::crashed) + of(verdict::hung); }

    unsigned not_run = 0;              ///< of the cases that were asked for
    std::string_view why_not_run = ""; ///< "fail-fast" or "hangs", where some were not run

  private:
    std::array<unsigned, 6> of_{};
};

/// A plugin's description of itself.
struct introduction {
    std::string id, version;
    bool executors = false, transports = false, coordinators = false;
    bool bridge = false;   ///< its executors have one
    bool hung = false;     ///< making an instance took the whole limit: the cases get the limit after a hang
    wire over = wire::tcp; ///< over which its transports are tried
    bool http2 = false;    ///< its transports speak HTTP/2
};

/// Whether a case's name is one that any of these globs with * and ? means.
bool matches(const test_case&, const std::vector<std::string>& globs);

/// The file is not a plugin, an option is unknown or refused, or no case matches. what() names the file.
struct unusable : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// [one thread, with no other thread running: the plugin's code runs in forked children] Loads the plugin and the
/// others that the request names, and makes an instance where it can. Throws unusable, also when no case matches.
introduction introduce(const request&);

/// [as introduce] Runs every case whose name matches and that applies to the plugin, in the order of the table;
/// `report` is called after each. Ends early after a broken one where the request says so, and after hangs_at_most
/// hangs.
counts run(const request&, const introduction&, const std::function<void(const result&)>& report);

} // namespace chimera::conformance
