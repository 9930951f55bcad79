#include "response_head.hpp"

#include <algorithm>

#include "http_text.hpp"

namespace chimera::curl {

namespace {

constexpr std::string_view version = "HTTP/1.";

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

} // namespace

response_head::outcome response_head::add(std::string_view line) {
    bytes_ += line.size();
    if (bytes_ > max_bytes) throw sdk::error(CHM_E_LIMIT, too_large);
    if (complete_) return outcome::more; // a trailer: chunk_reader has seen it
    if (line.ends_with('\n')) line.remove_suffix(line.ends_with("\r\n") ? 2 : 1);
    if (!in_head_) {
        begin(line);
        return outcome::more;
    }
    if (!line.empty()) {
        add_field(line);
        return outcome::more;
    }
    in_head_ = false;
    if (status_ == 101) throw bad_response("the server switched protocols without being asked (status 101)");
    if (status_ < 200) return outcome::interim;
    finish();
    return outcome::complete;
}

void response_head::fill(chm_head& head) const noexcept {
    head.status = status_;
    head.headers = headers_.data();
    head.n_headers = headers_.size();
}

void response_head::clear(bool no_body) noexcept {
    bytes_ = 0;
    in_head_ = complete_ = false;
    no_body_ = no_body;
    framing_ = {};
}

/// curl has seen a status line here, but to it that is also "HTTP/2 200", "http/1.1 404" (as 200) and "HTTP/1.1 200OK".
void response_head::begin(std::string_view line) {
    text_.clear();
    fields_.clear();
    std::string_view rest = line;
    if (rest.starts_with(version)) rest.remove_prefix(version.size());
    if (rest.size() == line.size() || rest.empty() || !is_digit(rest[0]) || (rest.size() > 1 && rest[1] != ' '))
        throw bad_response("the version in its status line is not 1.x: " + shown(line));
    minor_version_ = rest[0] - '0';
    if (minor_version_ > 1)
        throw bad_response("the version in its status line is not 1.0 or 1.1, which are all that libcurl takes: " +
                           shown(line));
    rest.remove_prefix(std::min<std::size_t>(2, rest.size()));

    if (rest.size() < 3 || !std::all_of(rest.begin(), rest.begin() + 3, is_digit) || rest[0] == '0' ||
        (rest.size() > 3 && rest[3] != ' '))
        throw bad_response("the status in its status line is not a number of three digits from 100 on: " + shown(line));
    check_text(rest.substr(3), "its status line", line);
    status_ = 100 * (rest[0] - '0') + 10 * (rest[1] - '0') + (rest[2] - '0');
    in_head_ = true;
}

void response_head::add_field(std::string_view line) {
    check_field_line(line, !fields_.empty());
    if (line[0] == ' ' || line[0] == '\t') { // folded: joined to the line before it by a blank (RFC 9112 5.2)
        const std::string_view more = trimmed(line);
        if (more.empty()) return;
        field& last = fields_.back();
        if (last.value != 0) text_ += ' ';
        text_ += more;
        last.value = text_.size() - last.at - last.name;
        return;
    }
    const std::size_t colon = line.find(':');
    const std::string_view value = trimmed(line.substr(colon + 1));
    fields_.push_back({text_.size(), colon, value.size(), value.size()});
    text_.append(line.substr(0, colon)).append(value);
}

void response_head::finish() {
    headers_.clear();
    std::vector<head_field> all;
    for (const field& f : fields_) {
        const char* const value = text_.data() + f.at + f.name;
        headers_.push_back({{text_.data() + f.at, f.name}, {value, f.value}});
        all.push_back({{text_.data() + f.at, f.name}, {value, f.value}, {value, f.first_line}});
    }
    framing_ = body_framing::of(status_, minor_version_, no_body_, all);
    complete_ = true;
}

} // namespace chimera::curl
