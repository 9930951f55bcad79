#include "response_head.hpp"

#include <charconv>

namespace chimera::curl {

namespace {

std::string_view trimmed(std::string_view s) noexcept {
    constexpr std::string_view blank = " \t\r\n";
    const std::size_t first = s.find_first_not_of(blank);
    if (first == std::string_view::npos) return {};
    return s.substr(first, s.find_last_not_of(blank) - first + 1);
}

} // namespace

response_head::outcome response_head::add(std::string_view line) {
    bytes_ += line.size();
    if (bytes_ > max_bytes) return outcome::too_large;
    if (complete_) return outcome::more; // a trailer
    if (!in_head_) {
        begin(line);
        return outcome::more;
    }
    if (!trimmed(line).empty()) return add_field(line) ? outcome::more : outcome::malformed;
    in_head_ = false;
    if (status_ == 101) return outcome::switched;
    if (status_ < 200) return outcome::interim;
    finish();
    return outcome::complete;
}

void response_head::fill(chm_head& head) const noexcept {
    head.status = status_;
    head.headers = headers_.data();
    head.n_headers = headers_.size();
}

void response_head::clear() noexcept {
    bytes_ = 0;
    in_head_ = complete_ = false;
}

void response_head::begin(std::string_view status_line) {
    in_head_ = true;
    text_.clear();
    fields_.clear();
    // curl has checked "HTTP/x.y nnn"
    status_ = 0;
    const std::size_t space = status_line.find(' ');
    if (space != std::string_view::npos)
        std::from_chars(status_line.data() + space + 1, status_line.data() + status_line.size(), status_);
}

bool response_head::add_field(std::string_view line) {
    if (line.front() == ' ' || line.front() == '\t') { // folded: goes on with the value before it
        if (fields_.empty()) return false;
        field& last = fields_.back();
        const std::string_view rest = trimmed(line);
        text_.append(" ").append(rest);
        last.value_size += 1 + rest.size();
        return true;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return false;
    const std::string_view name = trimmed(line.substr(0, colon)), value = trimmed(line.substr(colon + 1));
    fields_.push_back({text_.size(), name.size(), text_.size() + name.size(), value.size()});
    text_.append(name).append(value);
    return true;
}

void response_head::finish() {
    headers_.clear();
    for (const field& f : fields_)
        headers_.push_back({{text_.data() + f.name, f.name_size}, {text_.data() + f.value, f.value_size}});
    complete_ = true;
}

} // namespace chimera::curl
