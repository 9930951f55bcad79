// The report: everything that can be said of a study, as one document. docs/report.md describes it.
#pragma once

#include "study/study.hpp"

#include <string_view>

namespace chimera::host {

inline constexpr int report_schema_version = 1; ///< changes when a reader would break

/// Requires that the study's requests were read. generated_by: program and version.
nlohmann::ordered_json report_document(const study&, std::string_view generated_by);

} // namespace chimera::host
