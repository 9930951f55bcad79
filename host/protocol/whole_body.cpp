#include "protocol/whole_body.hpp"

#include <algorithm>

namespace chimera::host {

namespace {

char first_of(std::string_view text) noexcept {
    const std::size_t at = text.find_first_not_of(" \t\r\n");
    return at == std::string_view::npos ? '\0' : text[at];
}

} // namespace

bool whole_body::begins_with(std::string_view line) noexcept {
    const char first = first_of(line);
    return first == '{' || first == '[' || first == '<';
}

bool whole_body::is_markup() const noexcept { return first_of(text_) == '<'; }

bool whole_body::add(std::string_view line) {
    const std::size_t room = most_bytes - std::min(most_bytes, text_.size() + 1);
    const std::string_view taken = line.substr(0, room);
    if (!text_.empty()) text_ += '\n';
    text_ += taken;
    if (taken.size() != line.size()) return true;
    if (is_markup())
        return taken.find("</html>") != std::string_view::npos || taken.find("</HTML>") != std::string_view::npos;
    bool in_string = false;
    for (std::size_t i = 0; i < taken.size(); ++i) {
        const char c = taken[i];
        if (in_string && c == '\\') {
            ++i;
        } else if (c == '"') {
            in_string = !in_string;
        } else if (!in_string && (c == '{' || c == '[')) {
            ++depth_;
        } else if (!in_string && (c == '}' || c == ']') && depth_ != 0) {
            --depth_;
        }
    }
    return depth_ == 0 || in_string;
}

void whole_body::reset() noexcept {
    text_ = {};
    depth_ = 0;
}

} // namespace chimera::host
