#include "publish/markdown_text.hpp"

#include "protocol/excerpt.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>

namespace chimera::host {
namespace {

using json = nlohmann::ordered_json;

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

bool word_at(std::string_view text, std::size_t at) { return at < text.size() && is_word(text[at]); }

/// How the character at `at` is written so that it is only itself.
std::string inline_text(std::string_view text, std::size_t at) {
    const char c = text[at];
    const std::string_view rest = text.substr(at);
    const bool in_word = at > 0 && is_word(text[at - 1]) && word_at(text, at + 1);
    const bool after_word = at > 0 && is_word(text[at - 1]);
    bool escape = false;
    switch (c) {
    case '<':
        return "&lt;";
    case '&': // of an entity
        return word_at(text, at + 1) || rest.starts_with("&#") ? "&amp;" : "&";
    case '\\':
    case '`':
    case '*':
    case '~':
    case '[':
    case ']':
    case '|':
        escape = true;
        break;
    case '_':
        escape = !in_word;
        break;
    case ':': // GitHub makes links of addresses
        escape = after_word && rest.starts_with("://");
        break;
    case '.':
        escape = at >= 3 && text.substr(at - 3, 3) == "www";
        break;
    default:
        break;
    }
    return escape ? std::string{'\\', c} : std::string(1, c);
}

/// What makes a block of a line that begins with it: "# ", "- ", "1. ", four blanks.
std::string escaped_beginning(std::string_view& text) {
    if (text.empty()) return "";
    if (text.front() == ' ') {
        text.remove_prefix(1);
        return "&#32;";
    }
    if (std::string_view("#-+=>").find(text.front()) != std::string_view::npos) {
        const char c = text.front();
        text.remove_prefix(1);
        return {'\\', c};
    }
    const auto digits = static_cast<std::size_t>(
        std::ranges::find_if_not(text, [](char c) { return c >= '0' && c <= '9'; }) - text.begin());
    if (digits == 0 || digits == text.size() || (text[digits] != '.' && text[digits] != ')')) return "";
    if (digits + 1 < text.size() && text[digits + 1] != ' ') return ""; // 1.5
    const std::string number(text.substr(0, digits));
    const char mark = text[digits];
    text.remove_prefix(digits + 1);
    return number + '\\' + mark;
}

json neutral(const json& value) {
    if (value.is_string()) return markdown_text(value.get_ref<const std::string&>());
    if (value.is_array()) {
        json out = json::array();
        for (const json& item : value) out.push_back(neutral(item));
        return out;
    }
    if (!value.is_object()) return value;
    json out = json::object();
    for (const auto& [name, item] : value.items()) out[markdown_text(name)] = neutral(item);
    return out;
}

void make_text(json& value) {
    if (value.is_structured()) value = value.dump(-1, ' ', false, json::error_handler_t::replace);
}

} // namespace

std::string markdown_text(std::string_view text) {
    std::string blanks(text);
    std::ranges::replace(blanks, '\n', ' ');
    const std::string line = on_one_line(blanks);
    std::string_view rest = line;
    std::string out = escaped_beginning(rest);
    for (std::size_t i = 0; i < rest.size(); ++i) out += inline_text(rest, i);
    return out;
}

json markdown_document(const json& report) {
    json plain = json::object();
    for (const auto& [name, item] : report.items())
        if (name != "runs" && name != "distributions") plain[name] = item;
    for (json& config : plain["method"]["configs"])
        for (json& value : config["parameters"]) make_text(value);
    for (json& parameter : plain["parameters"])
        for (json& level : parameter["levels"]) make_text(level["value"]);
    return neutral(plain);
}

std::string code_block(std::string_view language, const json& lines) {
    std::string text, fence = "```";
    for (const json& l : lines) text += on_one_line(l.get<std::string>()) + "\n";
    while (text.find(fence) != std::string::npos) fence += '`';
    return fmt::format("{}{}\n{}{}\n\n", fence, language, text, fence);
}

} // namespace chimera::host
