#include "response_head.hpp"

#include <algorithm>

#include "http_text.hpp"

namespace chimera::socket {

namespace {

constexpr std::string_view version = "HTTP/1.";

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

/// Throws for a control character in `text`, which is `whose`.
void check_text(std::string_view text, const char* whose, std::string_view line) {
    const auto bad = std::find_if(text.begin(), text.end(), is_control);
    if (bad == text.end()) return;
    const char* const what = *bad == '\r' ? " has a carriage return without a line feed: "
                             : *bad == 0  ? " has a NUL: "
                                          : " has a control character: ";
    throw bad_response(whose + std::string(what) + shown(line));
}

} // namespace

void response_head::clear() noexcept {
    status_ = 0;
    minor_version_ = 0;
    text_.clear();
    places_.clear();
    fields_.clear();
}

bool response_head::may_begin(std::string_view bytes) noexcept {
    const std::size_t n = std::min(bytes.size(), version.size());
    return bytes.substr(0, n) == version.substr(0, n);
}

void response_head::refuse_beginning(std::string_view bytes) {
    // Fewer than telling_bytes, and none of the line's end: so it is the same whether that has come or not.
    bytes = bytes.substr(0, 24);
    bytes = bytes.substr(0, bytes.find_first_of("\r\n"));
    if (bytes.starts_with("HTTP/"))
        throw bad_response("the version in its status line is not 1.x: it begins with " + shown(bytes));
    throw bad_response("it begins with " + shown(bytes) + ", not with a status line");
}

void response_head::status_line(std::string_view line) {
    if (!line.starts_with(version)) refuse_beginning(line);
    std::string_view rest = line.substr(version.size());
    if (rest.empty() || !is_digit(rest[0]) || (rest.size() > 1 && rest[1] != ' '))
        throw bad_response("the version in its status line is not 1.x: " + shown(line));
    minor_version_ = rest[0] - '0';
    rest.remove_prefix(std::min<std::size_t>(2, rest.size()));

    if (rest.size() < 3 || !std::all_of(rest.begin(), rest.begin() + 3, is_digit) || rest[0] == '0' ||
        (rest.size() > 3 && rest[3] != ' '))
        throw bad_response("the status in its status line is not a number of three digits from 100 on: " + shown(line));
    check_text(rest.substr(3), "its status line", line);
    status_ = 100 * (rest[0] - '0') + 10 * (rest[1] - '0') + (rest[2] - '0');
}

void response_head::field_line(std::string_view line) {
    check_field_line(line, !places_.empty());
    if (is_blank(line[0])) {
        const std::string_view more = trimmed(line);
        if (more.empty()) return;
        field& last = places_.back();
        if (last.value != 0) text_ += ' ';
        text_ += more;
        last.value = text_.size() - last.at - last.name;
        return;
    }
    const std::size_t colon = line.find(':');
    const std::string_view value = trimmed(line.substr(colon + 1));
    places_.push_back({text_.size(), colon, value.size()});
    text_.append(line.substr(0, colon)).append(value);
}

std::span<const chm_kv> response_head::fields() {
    fields_.clear();
    for (const field& f : places_) {
        const char* const at = text_.data() + f.at;
        fields_.push_back({{at, f.name}, {at + f.name, f.value}});
    }
    return fields_;
}

void check_field_line(std::string_view line, bool follows) {
    if (line.empty() || is_blank(line[0])) {
        if (!follows)
            throw bad_response("a header line begins with a blank, and no header is before it: " + shown(line));
        check_text(line, "a header line", line);
        return;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) throw bad_response("a header line has no colon: " + shown(line));
    const std::string_view name = line.substr(0, colon);
    if (name.empty()) throw bad_response("a header has no name: " + shown(line));
    if (is_blank(name.back())) throw bad_response("a header has a blank before its colon: " + shown(line));
    if (!is_token(name)) throw bad_response("a header's name has a character that no name has: " + shown(line));
    check_text(line.substr(colon + 1), "a header's value", line);
}

} // namespace chimera::socket
