#include "message_head.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "http_text.hpp"

namespace chimera::http1 {

namespace {

constexpr std::string_view version = "HTTP/1.";

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Whether the body comes in chunks. "identity", which RFC 7230 took out, says nothing.
bool is_chunked(const std::string& codings, std::string_view whose) {
    int chunked = 0, others = 0, identities = 0;
    for (std::string_view rest = codings; !rest.empty();) {
        const std::string_view coding = next_element(rest);
        if (same_name(coding, "identity"))
            ++identities;
        else if (same_name(coding, "chunked"))
            ++chunked;
        else if (!coding.empty())
            ++others;
    }
    if (others > 0 || chunked > 1 || chunked + identities == 0)
        throw bad_message("its Transfer-Encoding is " + shown(codings) + ", of which " + std::string(whose) +
                          " can undo a single 'chunked' only");
    return chunked == 1;
}

/// Repeated, also in a list, it has to be the same number again.
std::uint64_t one_length(const std::string& lengths, std::uint64_t longest) {
    const auto refuse = [&](const char* why) {
        return bad_message("its Content-Length is " + shown(lengths) + ", " + why);
    };
    std::optional<std::uint64_t> length;
    std::string_view rest = lengths;
    for (bool more = true; more;) { // also an empty list has one element, the empty one, which is not a number
        more = rest.find(',') != std::string_view::npos;
        const std::string_view digits = next_element(rest);
        const char* const end = digits.data() + digits.size();
        std::uint64_t value = 0;
        const auto [stop, ec] = std::from_chars(digits.data(), end, value);
        if (ec == std::errc::result_out_of_range || (ec == std::errc{} && stop == end && value > longest))
            throw refuse("which is too large");
        if (ec != std::errc{} || stop != end) throw refuse("which is not a number of bytes");
        if (length && *length != value) throw refuse("which are different lengths");
        length = value;
    }
    return *length;
}

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

declared_body declared_body::of(const field_list& fields, std::uint64_t longest, std::string_view whose) {
    const auto codings = fields.list("transfer-encoding");
    const auto lengths = fields.list("content-length");
    declared_body result{.has_codings = codings.has_value(), .has_length = lengths.has_value()};
    result.chunked = codings && is_chunked(*codings, whose);
    if (lengths && !result.chunked) result.length = one_length(*lengths, longest);
    return result;
}

bool stays_open(const field_list& fields, int minor_version) {
    bool close = false, keep_alive = false;
    if (const auto options = fields.list("connection")) {
        for (std::string_view rest = *options; !rest.empty();) {
            const std::string_view option = next_element(rest);
            close = close || same_name(option, "close");
            keep_alive = keep_alive || same_name(option, "keep-alive");
        }
    }
    return !close && (minor_version > 0 || keep_alive);
}

} // namespace chimera::http1
