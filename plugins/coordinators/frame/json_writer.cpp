#include <nettle/base16.h>
#include <nettle/base64.h>

#include <charconv>
#include <concepts>

#include "frame/json_codec.hpp"

namespace chimera::frames {

namespace {

/// Longest: all keys, numbers, hex and punctuation of a frame with an empty text and body.
constexpr std::size_t most_besides_text_and_body = 1024;

/// "0," to "255,".
struct decimal_byte {
    std::array<char, 4> text{};
    std::uint8_t length = 0;
};
constexpr auto decimal_bytes = [] {
    std::array<decimal_byte, 256> all{};
    for (unsigned n = 0; n < all.size(); ++n) {
        decimal_byte& d = all[n];
        if (n >= 100) d.text[d.length++] = static_cast<char>('0' + n / 100);
        if (n >= 10) d.text[d.length++] = static_cast<char>('0' + n / 10 % 10);
        d.text[d.length++] = static_cast<char>('0' + n % 10);
        d.text[d.length++] = ',';
    }
    return all;
}();

/// What follows the backslash in serde_json's text; 0: the character stands for itself, 'u': \u00XX.
constexpr auto escapes = [] {
    std::array<char, 256> all{};
    for (std::size_t c = 0; c < 0x20; ++c) all[c] = 'u';
    all['\b'] = 'b';
    all['\f'] = 'f';
    all['\n'] = 'n';
    all['\r'] = 'r';
    all['\t'] = 't';
    all['"'] = '"';
    all['\\'] = '\\';
    return all;
}();

/// Writes into memory that is long enough.
class json_writer {
  public:
    explicit json_writer(char* at) noexcept : at_(at) {}
    char* end() const noexcept { return at_; }

    void raw(std::string_view text) noexcept { at_ = std::copy(text.begin(), text.end(), at_); }
    void key(field which) noexcept {
        raw(which == field::kind ? "{\"" : ",\"");
        raw(field_names[static_cast<std::size_t>(which)]);
        raw("\":");
    }
    void number(field which, std::unsigned_integral auto n) noexcept {
        key(which);
        at_ = std::to_chars(at_, at_ + 20, n).ptr;
    }
    void text(field which, std::string_view value) noexcept {
        constexpr std::string_view hex = "0123456789abcdef";
        key(which);
        *at_++ = '"';
        for (const char c : value) {
            const auto unit = static_cast<unsigned char>(c);
            const char escape = escapes[unit];
            if (escape == 0) {
                *at_++ = c;
            } else if (escape != 'u') {
                *at_++ = '\\';
                *at_++ = escape;
            } else {
                raw("\\u00");
                *at_++ = hex[unit >> 4];
                *at_++ = hex[unit & 15];
            }
        }
        *at_++ = '"';
    }
    void hex(field which, std::span<const std::byte> bytes) noexcept {
        key(which);
        *at_++ = '"';
        base16_encode_update(at_, bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data()));
        at_ += BASE16_ENCODE_LENGTH(bytes.size());
        *at_++ = '"';
    }
    void numbers(field which, std::span<const std::byte> bytes) noexcept {
        key(which);
        *at_++ = '[';
        for (const std::byte b : bytes) {
            const decimal_byte& d = decimal_bytes[static_cast<std::size_t>(b)];
            at_ = std::copy(d.text.begin(), d.text.end(), at_) - (4 - d.length);
        }
        if (!bytes.empty()) --at_;
        *at_++ = ']';
    }
    void base64(field which, std::span<const std::byte> bytes) noexcept {
        key(which);
        *at_++ = '"';
        base64_encode_raw(at_, bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data()));
        at_ += BASE64_ENCODE_RAW_LENGTH(bytes.size());
        *at_++ = '"';
    }

  private:
    char* at_;
};

} // namespace

void write_json(const frame& f, body_text body, byte_buffer& out) {
    const std::size_t before = out.size();
    const std::size_t most = most_besides_text_and_body + 6 * f.text.size() + 4 * f.body.size();
    char* const begin = reinterpret_cast<char*>(out.append(most));
    json_writer w(begin);
    w.text(field::kind, rule_of(f.kind)->name);
    w.number(field::from, f.from);
    w.number(field::to, f.to);
    w.number(field::channel, f.channel);
    w.number(field::number, f.number);
    w.number(field::sequence, f.sequence);
    w.number(field::time_ns, f.time_ns);
    w.number(field::time2_ns, f.time2_ns);
    w.number(field::epoch, f.epoch);
    w.number(field::incarnation, f.incarnation);
    w.number(field::phase, f.phase);
    w.number(field::decision_class, f.decision_class);
    w.number(field::outcome, f.outcome);
    w.key(field::yes);
    w.raw(f.yes ? "true" : "false");
    w.number(field::codecs, f.codecs);
    w.number(field::max_message, f.max_message);
    w.number(field::votes_for, f.votes_for);
    w.number(field::votes_against, f.votes_against);
    w.text(field::text, f.text);
    if (body == body_text::numbers)
        w.numbers(field::body, f.body);
    else
        w.base64(field::body, f.body);
    w.hex(field::digest, f.digest);
    w.hex(field::signature, f.signature);
    w.hex(field::key, f.key);
    w.raw("}");
    out.truncate(before + static_cast<std::size_t>(w.end() - begin));
}

} // namespace chimera::frames
