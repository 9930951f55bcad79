// The conformance kit as a library: run the cases that apply to a plugin and hand out the results.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "case.hpp"

namespace chimera::conformance {

/// What to run and on what.
struct request {
    std::filesystem::path plugin;
    std::filesystem::path foreign;              ///< executor plugin for bridge cases; empty: they are skipped
    std::filesystem::path executor;             ///< executor plugin under a transport; empty: the kit's own
    std::filesystem::path transport;            ///< transport plugin for bridge cases; empty: they are skipped
    std::map<std::string, std::string> options; ///< of the plugin's instances; other options keep their defaults
    std::string glob = "*";                     ///< of case names, with * and ?
    unsigned limit_s = 30;                      ///< for each case; ten times as long under a sanitizer
    bool in_process = false;                    ///< for debuggers: no child, so a crash or a hang ends everything
    bool verbose = false;                       ///< what the plugin logs goes to stderr
};

enum class verdict { passed, failed, skipped, crashed, hung };

/// "passed", "failed", ...
std::string_view name_of(verdict) noexcept;

struct result {
    const test_case& which;
    enum verdict verdict;
    std::string detail; ///< why it was not passed; empty when passed
    double seconds;
};

struct counts {
    unsigned passed = 0, failed = 0, skipped = 0; ///< failed: crashed and hung ones too
};

/// [one thread, with no other thread running: cases run in forked children] Runs every case whose name matches and that
/// applies to the plugin, in the order of the table; `report` is called after each. Throws std::runtime_error when the
/// file is no plugin, an option is unknown to it, or no case matches.
counts run(const request&, const std::function<void(const result&)>& report);

} // namespace chimera::conformance
