#include "publish/publish.hpp"

#include "process/files.hpp"
#include "protocol/excerpt.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>

namespace chimera::host {
namespace {

/// Lets the page of a sweep that runs ask its own server for newer figures. A saved report may ask for nothing.
void set_policy(std::string& page, bool is_live) {
    constexpr std::string_view place = "{{policy}}";
    const std::size_t at = page.find(place);
    if (at != std::string::npos) page.replace(at, place.size(), is_live ? "connect-src 'self'; " : "");
}

/// The document as text that cannot end the element that it stands in: ASCII, in which "<" is written as an escape.
std::string inside_script(json document) {
    for_each_text(document,
                  [](const std::string& text) { return printable(text); }); // no mark of direction turns a line
    const std::string plain = document.dump(-1, ' ', true, json::error_handler_t::replace);
    std::string out;
    out.reserve(plain.size());
    for (const char c : plain) c == '<' ? out += "\\u003c" : out += c;
    return out;
}

} // namespace

std::string json_text(const json& document) {
    return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::filesystem::path report_page() {
    if (const char* named = std::getenv("CHIMERA_REPORT_PAGE")) return named;
    return installed_data() / "report.html";
}

std::string to_html(const json& document, const std::filesystem::path& page) {
    std::ifstream in(page, std::ios::binary);
    if (!in)
        throw std::runtime_error(
            fmt::format("{}: the page of the HTML report cannot be read; ./dev build makes it, which "
                        "needs npm (Debian: apt-get install npm)",
                        page.string()));
    std::string text{std::istreambuf_iterator<char>(in), {}};
    set_policy(text, document.is_object() && document.contains("live"));
    constexpr std::string_view place = "{{report}}";
    const std::size_t at = text.find(place);
    if (at == std::string::npos || text.find(place, at + 1) != std::string::npos)
        throw std::runtime_error(
            fmt::format("{}: not the page of the HTML report: {} should be in it once; ./dev build makes it anew",
                        page.string(), place));
    return text.replace(at, place.size(), inside_script(document));
}

} // namespace chimera::host
