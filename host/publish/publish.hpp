// A report in the forms that it is read in.
#pragma once

#include "study/report.hpp"

#include <filesystem>
#include <string>

namespace chimera::host {

/// Indented by two, with a newline at its end; a byte that is not UTF-8 becomes U+FFFD.
std::string json_text(const json&);

/// For a person to read as it is, or on a page: every table of the report. Texts of others stay text: nothing in them
/// is markup, a link or HTML.
std::string to_markdown(const study_report&);

/// One line for each run: its parameters, and a column for each figure that some run has. What was not measured is an
/// empty cell. A text that a spreadsheet would compute gets an apostrophe before it.
std::string to_csv(const study_report&);

/// The page of the HTML report: $CHIMERA_REPORT_PAGE, or the one that is installed.
std::filesystem::path report_page();

/// That page with a document in it, which cannot leave its place: neither a text nor a name of it is HTML. Throws
/// std::runtime_error that names the page and says how it is made, where it cannot be read or is another file.
std::string to_html(const json& document, const std::filesystem::path& page);

/// The fields of vLLM's `bench serve --save-result`: an object for each runtime; for a single runtime the object alone.
json to_vllm(const study_report&);

} // namespace chimera::host
