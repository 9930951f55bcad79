// How a study was done, what it cannot say, and how to do it again, in sentences.
#pragma once

#include "study/runtime_result.hpp"

#include <string>
#include <vector>

namespace chimera::host {

std::vector<std::string> method_of(const study&);

/// What the study cannot say.
std::vector<std::string> limits_of(const study&, const std::vector<runtime_result>&);

/// The commands that do it again.
std::vector<std::string> repeat_of(const study&);

} // namespace chimera::host
