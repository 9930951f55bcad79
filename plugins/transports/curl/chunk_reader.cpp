#include "chunk_reader.hpp"

#include <algorithm>

#include "http_text.hpp"

namespace chimera::curl {

namespace {

/// 16 for what is not a hexadecimal digit.
unsigned digit_of(char c) noexcept {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? static_cast<unsigned>(lower - 'a') + 10 : 16;
}

} // namespace

void chunk_reader::clear() noexcept {
    at_ = place::first_digit;
    left_ = 0;
    framing_bytes_ = 0;
    trailer_seen_ = false;
    trailer_.clear();
}

std::string_view chunk_reader::next(std::string_view& raw) {
    while (!raw.empty() && at_ != place::over) {
        if (at_ == place::data) {
            const std::string_view run = raw.substr(0, std::min<std::uint64_t>(left_, raw.size()));
            raw.remove_prefix(run.size());
            left_ -= run.size();
            if (left_ == 0) at_ = place::data_cr;
            return run;
        }
        if (take_usual(raw)) continue;
        framing(raw.front());
        raw.remove_prefix(1);
    }
    return {};
}

/// The framing that nearly every token has, when all of it is there: at a tenth of the instructions.
bool chunk_reader::take_usual(std::string_view& raw) noexcept {
    if (at_ == place::data_cr) {
        if (!raw.starts_with("\r\n")) return false;
        raw.remove_prefix(2);
        at_ = place::first_digit;
        return true;
    }
    if (at_ != place::first_digit) return false;
    std::uint64_t size = 0;
    std::size_t digits = 0;
    for (; digits < std::min<std::size_t>(raw.size(), 7); ++digits) {
        const unsigned digit = digit_of(raw[digits]);
        if (digit == 16) break;
        size = size * 16 + digit;
    }
    if (size == 0 || !raw.substr(digits).starts_with("\r\n")) return false;
    raw.remove_prefix(digits + 2);
    left_ = size;
    at_ = place::data;
    return true;
}

/// One byte that is not part of the body.
void chunk_reader::framing(char c) {
    switch (at_) {
    case place::first_digit:
    case place::digit: {
        const unsigned digit = digit_of(c);
        if (digit == 16) {
            if (at_ == place::digit) return behind_size(c);
            throw bad_response("a chunk begins with " + shown({&c, 1}) + ", not with its size in hexadecimal");
        }
        count();
        if (framing_bytes_ > 16) throw bad_response("a chunk's size has more than 16 digits, the most that curl takes");
        if (left_ > (std::uint64_t{INT64_MAX} >> 4U)) // curl counts with a sign
            throw sdk::error(CHM_E_LIMIT, "the server declared a chunk of more bytes than curl can count");
        left_ = left_ * 16 + digit;
        at_ = place::digit;
        return;
    }
    case place::blank:
    case place::extension:
        return behind_size(c);
    case place::size_lf:
        if (c != '\n')
            throw bad_response("a chunk's size is followed by " + shown({&c, 1}) +
                               ", not by an extension or the line's end (CRLF)");
        framing_bytes_ = 0;
        at_ = left_ == 0 ? place::trailers : place::data;
        return;
    case place::data_cr:
    case place::data_lf:
        if (c != (at_ == place::data_cr ? '\r' : '\n'))
            throw bad_response("a chunk is followed by " + shown({&c, 1}) +
                               ", not by the line's end (CRLF): it is longer than its size says");
        at_ = at_ == place::data_cr ? place::data_lf : place::first_digit;
        return;
    case place::trailers:
        return trailer(c);
    case place::data:
    case place::over:
        return; // next() does not come here with these
    }
}

/// Nobody asks for extensions; of their grammar only the end counts (RFC 9112 7.1.1).
void chunk_reader::behind_size(char c) {
    if (c == '\r') {
        at_ = place::size_lf;
        return;
    }
    const bool extension = at_ == place::extension || c == ';';
    if (extension ? is_control(c) : c != ' ' && c != '\t')
        throw bad_response("a chunk's size is followed by " + shown({&c, 1}) +
                           ", not by an extension or the line's end (CRLF)");
    count();
    at_ = extension ? place::extension : place::blank;
}

/// Trailers have the syntax of fields. They are dropped, also a Content-Length among them (RFC 9112 7.1.2).
void chunk_reader::trailer(char c) {
    count();
    if (c != '\n') {
        // Judged here and not at the line's end, because curl gives up at this byte.
        if (trailer_.ends_with('\r'))
            throw bad_response("a trailer has a carriage return without a line feed: " + shown(trailer_ + c));
        if (trailer_.size() > max_trailer)
            throw sdk::error(CHM_E_LIMIT, "the server sent a trailer of more than " + std::to_string(max_trailer) +
                                              " bytes, which curl does not take");
        trailer_ += c;
        return;
    }
    if (trailer_.ends_with('\r')) trailer_.pop_back();
    if (trailer_.empty()) {
        at_ = place::over;
        return;
    }
    check_field_line(trailer_, trailer_seen_);
    trailer_seen_ = true;
    trailer_.clear();
}

void chunk_reader::count() {
    if (++framing_bytes_ > max_framing)
        throw sdk::error(CHM_E_LIMIT, "the server sent more than 64 KiB of chunk framing or trailers");
}

} // namespace chimera::curl
