// A part of a study, to be analysed by itself.
#pragma once

#include "study/study.hpp"

#include <string>

namespace chimera::host {

/// The runs whose `runtime/config` or `runtime/config/run_N` matches the shell pattern, and their runtimes and
/// configurations. The verdicts of a report over one configuration are that configuration's. Throws study_error when
/// nothing matches.
study part_of(study whole, const std::string& glob);

} // namespace chimera::host
