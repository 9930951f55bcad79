#include "message_head.hpp"

#include <algorithm>

#include "http_text.hpp"

namespace chimera::http1 {

namespace {

constexpr std::string_view version = "HTTP/1.";

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

} // namespace

int version_of(std::string_view status_line) {
    const std::string_view minor = status_line.substr(std::min(version.size(), status_line.size()));
    if (!status_line.starts_with(version) || minor.empty() || !is_digit(minor[0]) ||
        (minor.size() > 1 && minor[1] != ' '))
        throw bad_message("the version in its status line is not 1.x: " + shown(status_line));
    return minor[0] - '0';
}

std::int32_t status_of(std::string_view status_line) {
    const std::string_view rest = status_line.substr(std::min(version.size() + 2, status_line.size()));
    if (rest.size() < 3 || !std::all_of(rest.begin(), rest.begin() + 3, is_digit) || rest[0] == '0' ||
        (rest.size() > 3 && rest[3] != ' '))
        throw bad_message("the status in its status line is not a number of three digits from 100 on: " +
                          shown(status_line));
    check_text(rest.substr(3), "its status line", status_line);
    return 100 * (rest[0] - '0') + 10 * (rest[1] - '0') + (rest[2] - '0');
}

void check_field_line(std::string_view line, bool follows) {
    if (line.empty() || is_blank(line[0])) {
        if (!follows)
            throw bad_message("a header line begins with a blank, and no header is before it: " + shown(line));
        check_text(line, "a header line", line);
        return;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) throw bad_message("a header line has no colon: " + shown(line));
    const std::string_view name = line.substr(0, colon);
    if (name.empty()) throw bad_message("a header has no name: " + shown(line));
    if (is_blank(name.back())) throw bad_message("a header has a blank before its colon: " + shown(line));
    if (!is_token(name)) throw bad_message("a header's name has a character that no name has: " + shown(line));
    check_text(line.substr(colon + 1), "a header's value", line);
}

void field_list::clear() noexcept {
    text_.clear();
    places_.clear();
    fields_.clear();
}

void field_list::add(std::string_view line) {
    check_field_line(line, !empty());
    const std::string_view rest = trimmed(line);
    if (rest.empty()) return; // a folded line of blanks
    if (is_blank(line[0])) {
        field& last = places_.back();
        if (last.value != 0) text_ += ' ';
        text_ += rest;
        last.value = text_.size() - last.at - last.name;
        return;
    }
    const std::size_t colon = line.find(':');
    const std::string_view value = trimmed(line.substr(colon + 1));
    places_.push_back({text_.size(), colon, value.size(), value.size()});
    text_.append(line.substr(0, colon)).append(value);
}

std::span<const chm_kv> field_list::all() {
    fields_.clear();
    for (const field& f : places_) {
        const char* const at = text_.data() + f.at;
        fields_.push_back({{at, f.name}, {at + f.name, f.value}});
    }
    return fields_;
}

std::optional<std::string> field_list::list(std::string_view name, extent how_much) const {
    std::optional<std::string> all;
    for (const field& f : places_) {
        const std::string_view at = std::string_view(text_).substr(f.at);
        if (!same_name(at.substr(0, f.name), name)) continue;
        if (all) all->append(", ");
        if (!all) all.emplace();
        all->append(at.substr(f.name, how_much == extent::whole ? f.value : f.first_line));
    }
    return all;
}

} // namespace chimera::http1
