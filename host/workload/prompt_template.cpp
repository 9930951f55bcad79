#include "workload/prompt_template.hpp"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fstream>
#include <sstream>
#include <system_error>

namespace chimera::host {

namespace {

bool is_name(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    });
}

std::string_view without_blanks(std::string_view text) {
    const auto begin = text.find_first_not_of(" \t");
    return begin == std::string_view::npos ? std::string_view{}
                                           : text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

} // namespace

prompt_template::prompt_template(std::string origin, std::string_view text, std::span<const std::string_view> known)
    : origin_(std::move(origin)) {
    std::string literal;
    std::size_t line = 1, line_begin = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::string_view rest = text.substr(at);
        if (rest.starts_with("\\{{")) {
            literal += "{{";
            at += 3;
        } else if (rest.starts_with("{{")) {
            const std::size_t column = at - line_begin + 1;
            const std::size_t end = std::min(rest.find("}}"), rest.find('\n'));
            if (end == std::string_view::npos || rest[end] == '\n') {
                throw template_error(fmt::format("{}:{}:{}: '{{{{' without '}}}}' on its line (write '\\{{{{' for a "
                                                 "literal '{{{{')",
                                                 origin_, line, column));
            }
            const std::string_view name = without_blanks(rest.substr(2, end - 2));
            if (!is_name(name) || std::find(known.begin(), known.end(), name) == known.end()) {
                throw template_error(fmt::format("{}:{}:{}: unknown placeholder '{}'; there is {}", origin_, line,
                                                 column, name, fmt::join(known, ", ")));
            }
            if (!literal.empty()) pieces_.push_back({std::exchange(literal, {}), false, line, column});
            pieces_.push_back({std::string(name), true, line, column});
            at += end + 2;
        } else {
            literal += text[at++];
            if (literal.back() == '\n') {
                ++line;
                line_begin = at;
            }
        }
    }
    if (!literal.empty()) pieces_.push_back({std::move(literal), false, line, 1});
}

std::string prompt_template::render(const values& by_name) const {
    std::string out;
    for (const piece& part : pieces_) {
        if (!part.is_placeholder) {
            out += part.text;
            continue;
        }
        const auto value =
            std::find_if(by_name.begin(), by_name.end(), [&](const auto& v) { return v.first == part.text; });
        if (value == by_name.end()) {
            throw template_error(
                fmt::format("{}:{}:{}: no value for placeholder '{}'", origin_, part.line, part.column, part.text));
        }
        out += value->second;
    }
    return out;
}

prompt_template load_prompt_template(const std::filesystem::path& path, std::span<const std::string_view> known) {
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    // A folder opens as well, and only fails to be read.
    if (file.peek() != std::ifstream::traits_type::eof()) text << file.rdbuf();
    if (errno != 0 || !file.is_open() || file.bad()) {
        const std::string reason = std::generic_category().message(errno == 0 ? EIO : errno);
        throw template_error(fmt::format("{}: cannot read the prompt template: {}", path.string(), reason));
    }
    return {path.string(), text.str(), known};
}

} // namespace chimera::host
