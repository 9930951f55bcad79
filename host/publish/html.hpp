// A report as one HTML file that opens anywhere and makes no request.
#pragma once

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>

namespace chimera::host {

/// The page that shows a report, as report_page/ builds it: $CHIMERA_REPORT_PAGE, or share/chimera/report.html beside
/// the folder of this program.
std::filesystem::path report_page();

/// The page with a report document (schema_version 1) in it. Control characters, invisible ones and bytes that are not
/// UTF-8 are escaped in it (printable()). Throws std::runtime_error, saying what to do, where the page is missing or is
/// not one.
std::string to_html(const nlohmann::ordered_json& report, const std::filesystem::path& page = report_page());

} // namespace chimera::host
