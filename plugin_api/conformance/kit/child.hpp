// One case in a process of its own, so that a crash or a hang is a result.
#pragma once

#include <functional>
#include <string>

#include "../run.hpp"

namespace chimera::conformance {

/// How a piece of work went, and why.
struct outcome {
    enum verdict verdict = verdict::passed;
    std::string detail;
    double seconds = 0;
};

/// Work that may throw failure, skipped or unwise; it may call `report` from any thread for broken rules that do not
/// end it.
using work = std::function<void(const std::function<void(const std::string&)>& report)>;

/// Runs `w` in a forked child for at most limit_s seconds; after_hang: the detail of another hang says why it is so
/// few. A sanitizer's report goes to standard error, its first line into the detail.
outcome run_in_child(const work& w, unsigned limit_s, bool after_hang = false);
/// Runs `w` here. Nothing ends it when it hangs.
outcome run_here(const work& w);

} // namespace chimera::conformance
