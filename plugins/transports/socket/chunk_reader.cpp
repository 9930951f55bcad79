#include "chunk_reader.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "http_text.hpp"
#include "response_head.hpp"

namespace chimera::socket {

namespace {

/// Those of 64 bits; zeros in front count, as they do in libcurl.
constexpr std::uint32_t most_digits = 16;

/// 16 for what is not a hexadecimal digit.
unsigned digit_of(char c) noexcept {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? static_cast<unsigned>(lower - 'a') + 10 : 16;
}

} // namespace

void chunk_reader::begin() noexcept {
    trailers_.begin();
    at_ = place::first_digit;
    trailer_seen_ = false;
    header_bytes_ = 0;
    left_ = 0;
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
        } else if (at_ == place::trailers) {
            if (body != nullptr) break; // there may be a fault in them, and what came before it is handed out first
            at += read_trailers({at, static_cast<std::size_t>(end - at)});
            break;
        } else {
            const fault why = framing(*at);
            if (why != fault::none) {
                if (body != nullptr) break;
                refuse(why, *at);
            }
            ++at;
        }
    }
    return {static_cast<std::size_t>(at - bytes.data()), {body, static_cast<std::size_t>(body_end - body)}};
}

/// One byte between two chunks. Leaves everything as it is where that is a fault: the byte may be presented again.
chunk_reader::fault chunk_reader::framing(char c) noexcept {
    switch (at_) {
    case place::first_digit:
    case place::digit: {
        const unsigned digit = digit_of(c);
        if (digit == 16) return at_ == place::digit ? behind_size(c) : fault::size;
        if (header_bytes_ == most_digits) return fault::size_digits;
        const std::uint64_t size = left_ * 16 + digit; // does not overflow: left_ is within the limit, which is 2^40
        if (size > limits_.chunk_bytes) return fault::chunk_too_large;
        left_ = size;
        ++header_bytes_;
        at_ = place::digit;
        return fault::none;
    }
    case place::blank:
    case place::extension:
        return behind_size(c);
    case place::size_lf:
        if (c != '\n') return fault::size_end;
        header_bytes_ = 0;
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
        break; // read() does not come here with these
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
    if (extension ? is_control(c) : c != ' ' && c != '\t') return fault::size_end;
    if (header_bytes_ == limits_.header_bytes) return fault::header_too_long;
    ++header_bytes_;
    at_ = extension ? place::extension : place::blank;
    return fault::none;
}

std::size_t chunk_reader::read_trailers(std::string_view bytes) {
    std::size_t consumed = 0;
    while (consumed < bytes.size()) {
        const auto line = trailers_.next(bytes.substr(consumed));
        if (!line) break;
        consumed += line->size;
        if (line->text.empty()) {
            at_ = place::over;
            break;
        }
        check_field_line(line->text, trailer_seen_);
        trailer_seen_ = true;
    }
    return consumed;
}

void chunk_reader::refuse(fault why, char at) const {
    const std::string byte = shown({&at, 1});
    switch (why) {
    case fault::size:
        throw bad_response("a chunk begins with " + byte + ", not with its size in hexadecimal");
    case fault::size_digits:
        throw bad_response("a chunk's size has more than " + std::to_string(most_digits) + " digits");
    case fault::size_end:
        throw bad_response("a chunk's size is followed by " + byte + ", not by an extension or the line's end (CRLF)");
    case fault::data_end:
        throw bad_response("a chunk is followed by " + byte +
                           ", not by the line's end (CRLF): it is longer than its size "
                           "says");
    case fault::chunk_too_large:
        throw sdk::error(CHM_E_LIMIT, "the server declared a chunk of more than " +
                                          std::to_string(limits_.chunk_bytes) + " bytes (max_chunk_bytes)");
    case fault::header_too_long:
    case fault::none:
        break;
    }
    throw sdk::error(CHM_E_LIMIT, "the server sent more than " + std::to_string(limits_.header_bytes) +
                                      " bytes of header or chunk framing (max_header_bytes)");
}

} // namespace chimera::socket
