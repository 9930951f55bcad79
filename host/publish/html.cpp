#include "publish/html.hpp"

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

using json = nlohmann::ordered_json;

/// A document whose texts and names show what they hold (printable()): a mark of direction would turn a page's line
/// around, as it would a terminal's.
json shown(const json& value) {
    if (value.is_string()) return printable(value.get_ref<const std::string&>());
    json out = value;
    if (value.is_array())
        for (json& item : out) item = shown(item);
    if (value.is_object()) {
        out = json::object();
        for (const auto& [name, item] : value.items()) out[printable(name)] = shown(item);
    }
    return out;
}

/// The document as text that cannot end the element that it stands in: ASCII, in which "<" is written as an escape.
std::string inside_script(const json& report) {
    const std::string plain = shown(report).dump(-1, ' ', true, json::error_handler_t::replace);
    std::string out;
    out.reserve(plain.size());
    for (const char c : plain) c == '<' ? out += "\\u003c" : out += c;
    return out;
}

} // namespace

std::filesystem::path report_page() {
    if (const char* named = std::getenv("CHIMERA_REPORT_PAGE")) return named;
    return installed_data() / "report.html";
}

std::string to_html(const nlohmann::ordered_json& report, const std::filesystem::path& page) {
    std::ifstream in(page, std::ios::binary);
    if (!in)
        throw std::runtime_error(
            fmt::format("{}: the page of the HTML report cannot be read; ./dev build makes it, which "
                        "needs npm (Debian: apt-get install npm)",
                        page.string()));
    std::string text{std::istreambuf_iterator<char>(in), {}};
    constexpr std::string_view place = "{{report}}";
    const std::size_t at = text.find(place);
    if (at == std::string::npos || text.find(place, at + 1) != std::string::npos)
        throw std::runtime_error(
            fmt::format("{}: not the page of the HTML report: {} should be in it once; ./dev build makes it anew",
                        page.string(), place));
    return text.replace(at, place.size(), inside_script(report));
}

} // namespace chimera::host
