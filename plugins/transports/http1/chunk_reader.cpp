#include "chunk_reader.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "http_text.hpp"
#include "message_head.hpp"

namespace chimera::http1 {

namespace {

/// 16 for a character that is not a hexadecimal digit.
unsigned digit_of(char c) noexcept {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? static_cast<unsigned>(lower - 'a') + 10 : 16;
}

} // namespace

void chunk_reader::begin() noexcept {
    at_ = place::first_digit;
    trailer_seen_ = false;
    framing_bytes_ = 0;
    left_ = 0;
    trailer_.clear();
}

body_progress chunk_reader::read(std::span<char> bytes) {
    char* at = bytes.data();
    char* const end = at + bytes.size();
    char* body = nullptr;
    char* body_end = nullptr;
    while (at != end && at_ != place::over) {
        if (at_ == place::data) {
            const auto n =
                static_cast<std::size_t>(std::min<std::uint64_t>(left_, static_cast<std::uint64_t>(end - at)));
            if (body == nullptr)
                body = body_end = at;
            else
                std::memmove(body_end, at, n);
            body_end += n;
            at += n;
            left_ -= n;
            if (left_ == 0) at_ = place::data_cr;
        } else if (const char* const behind = skip_usual(at, end); behind != at) {
            at += behind - at;
        } else if (at_ != place::trailers) {
            const fault why = framing(*at);
            if (why != fault::none) {
                if (body != nullptr) break;
                tell(why, *at);
            }
            ++at;
        } else {
            if (body != nullptr) break; // they may have a fault; the body bytes before it are handed out first
            trailer(*at++);
        }
    }
    return {static_cast<std::size_t>(at - bytes.data()), {body, static_cast<std::size_t>(body_end - body)}};
}

std::string_view chunk_reader::next_run(std::string_view& bytes) {
    while (!bytes.empty() && at_ != place::over) {
        if (at_ == place::data) {
            const std::string_view run = bytes.substr(0, std::min<std::uint64_t>(left_, bytes.size()));
            bytes.remove_prefix(run.size());
            left_ -= run.size();
            if (left_ == 0) at_ = place::data_cr;
            return run;
        }
        const char* const first = bytes.data();
        if (const char* const behind = skip_usual(first, first + bytes.size()); behind != first) {
            bytes.remove_prefix(static_cast<std::size_t>(behind - first));
            continue;
        }
        const char c = *first;
        if (at_ == place::trailers)
            trailer(c);
        else if (const fault why = framing(c); why != fault::none)
            tell(why, c);
        bytes.remove_prefix(1);
    }
    return {};
}

/// Fast path for the usual framing of a token, when all of it has arrived. Returns `at` if it has not.
const char* chunk_reader::skip_usual(const char* at, const char* end) noexcept {
    const auto ends_line = [end](const char* p) { return end - p >= 2 && p[0] == '\r' && p[1] == '\n'; };
    if (at_ == place::data_cr) {
        if (!ends_line(at)) return at;
        at_ = place::first_digit;
        return at + 2;
    }
    if (at_ != place::first_digit) return at;
    constexpr std::ptrdiff_t usual_digits = 7;
    const char* const last = end - at > usual_digits ? at + usual_digits : end;
    const char* p = at;
    std::uint64_t size = 0;
    for (unsigned digit = 0; p != last && (digit = digit_of(*p)) != 16; ++p) size = size * 16 + digit;
    if (size == 0 || size > limits_.chunk_bytes || !ends_line(p)) return at;
    left_ = size;
    at_ = place::data;
    return p + 2;
}

/// One byte between two chunks. A fault changes nothing, because the byte may be presented again.
chunk_reader::fault chunk_reader::framing(char c) noexcept {
    switch (at_) {
    case place::first_digit:
    case place::digit: {
        const unsigned digit = digit_of(c);
        if (digit == 16) return at_ == place::digit ? behind_size(c) : fault::size;
        if (framing_bytes_ == most_digits) return fault::too_many_digits;
        const std::uint64_t size = left_ * 16 + digit; // does not overflow: it has most_digits
        if (size > limits_.chunk_bytes) return fault::chunk_too_large;
        left_ = size;
        ++framing_bytes_;
        at_ = place::digit;
        return fault::none;
    }
    case place::blank:
    case place::extension:
        return behind_size(c);
    case place::size_lf:
        if (c != '\n') return fault::size_end;
        framing_bytes_ = 0;
        at_ = left_ == 0 ? place::trailers : place::data;
        return fault::none;
    case place::data_cr:
        if (c != '\r') return fault::data_end;
        at_ = place::data_lf;
        return fault::none;
    case place::data_lf:
        if (c != '\n') return fault::data_end;
        at_ = place::first_digit;
        return fault::none;
    case place::data:
    case place::trailers:
    case place::over:
        break; // never reached with these
    }
    return fault::none;
}

/// Nobody asks for extensions; of their grammar only the end counts (RFC 9112 7.1.1).
chunk_reader::fault chunk_reader::behind_size(char c) noexcept {
    if (c == '\r') {
        at_ = place::size_lf;
        return fault::none;
    }
    const bool extension = at_ == place::extension || c == ';';
    if (extension ? is_control(c) : !is_blank(c)) return fault::size_end;
    if (framing_bytes_ == limits_.framing_bytes) return fault::too_long;
    ++framing_bytes_;
    at_ = extension ? place::extension : place::blank;
    return fault::none;
}

/// Trailers have the syntax of fields. They are dropped, also a Content-Length among them (RFC 9112 7.1.2).
void chunk_reader::trailer(char c) {
    if (++framing_bytes_ > limits_.framing_bytes) std::rethrow_exception(error_of(limit::framing));
    if (c != '\n') {
        check_trailer(trailer_, c);
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

void chunk_reader::check_trailer(std::string_view, char) const {}

void chunk_reader::tell(fault why, char at) const {
    const std::string byte = shown({&at, 1});
    switch (why) {
    case fault::size:
        throw bad_message("a chunk begins with " + byte + ", not with its size in hexadecimal");
    case fault::size_end:
        throw bad_message("a chunk's size is followed by " + byte + ", not by an extension or the line's end (CRLF)");
    case fault::data_end:
        throw bad_message("a chunk is followed by " + byte +
                          ", not by the line's end (CRLF): it is longer than its size says");
    case fault::too_many_digits:
        std::rethrow_exception(error_of(limit::digits));
    case fault::chunk_too_large:
        std::rethrow_exception(error_of(limit::chunk));
    case fault::too_long:
    case fault::none:
        break;
    }
    std::rethrow_exception(error_of(limit::framing));
}

} // namespace chimera::http1
