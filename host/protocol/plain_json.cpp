#include "protocol/plain_json.hpp"

#include <simdjson.h>

namespace chimera::host {

namespace {

/// A bit for each of 64 bytes.
struct word_marks {
    std::uint64_t control = 0, quotes = 0, backslashes = 0, high = 0;

    void add(const char* sixteen, std::size_t at, unsigned valid) noexcept {
#ifdef __SSE2__
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(sixteen));
        const auto put = [at, valid](std::uint64_t& to, __m128i found) {
            to |= std::uint64_t{static_cast<unsigned>(_mm_movemask_epi8(found)) & valid} << at;
        };
        put(control, _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes));
        put(quotes, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
        put(backslashes, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
        put(high, bytes);
#else
        for (unsigned i = 0; i < 16; ++i) {
            if ((valid >> i & 1U) == 0) continue;
            const auto c = static_cast<unsigned char>(sixteen[i]);
            const std::uint64_t bit = std::uint64_t{1} << (at + i);
            if (c < 0x20) control |= bit;
            if (c == '"') quotes |= bit;
            if (c == '\\') backslashes |= bit;
            if (c > 0x7f) high |= bit;
        }
#endif
    }
};

/// The bytes that follow a backslash; `count` grows by their number. is_escaped: in, the first byte of the word follows
/// one; out, the first byte after the word does.
std::uint64_t escaped_bytes(std::uint64_t backslashes, bool& is_escaped, std::size_t& count) noexcept {
    std::uint64_t escaped = is_escaped ? 1 : 0;
    backslashes &= ~escaped;
    is_escaped = false;
    while (backslashes != 0) {
        const int bit = std::countr_zero(backslashes);
        const std::uint64_t next = bit == 63 ? 0 : std::uint64_t{2} << bit;
        is_escaped = next == 0;
        escaped |= next;
        backslashes &= backslashes - 1;
        backslashes &= ~next; // itself escaped: it escapes nothing
        ++count;
    }
    return escaped;
}

} // namespace

bool plain_json::find_quotes_among_escapes(record_view record) noexcept {
    const std::size_t size = record.text.size();
    std::uint64_t high = 0;
    bool is_escaped = false;
    words_ = 0;
    for (std::size_t at = 0; at < size; at += word_bits) {
        word_marks found;
        for (std::size_t in_word = 0; in_word < std::min(size - at, word_bits); in_word += 16) {
            const char* from = begin_ + at + in_word;
            const std::size_t here = std::min<std::size_t>(static_cast<std::size_t>(end_ - from), 16);
            std::array<char, 16> last; // a copy, where nobody may read on behind the record
            if (here != 16 && record.slack < 16) from = static_cast<const char*>(std::memcpy(last.data(), from, here));
            found.add(from, in_word, 0xFFFFU >> (16 - here));
        }
        if (found.control != 0) return false;
        high |= found.high;
        if (found.backslashes != 0 || is_escaped)
            found.quotes &= ~escaped_bytes(found.backslashes, is_escaped, escapes_);
        quotes_[words_++] = found.quotes;
    }
    return high == 0 || simdjson::validate_utf8(record.text.data(), size);
}

bool plain_json::unescape(std::string_view& text, char*& room) noexcept {
    std::size_t at = text.find('\\');
    if (at == std::string_view::npos) return true;
    char* out = room;
    for (; at != std::string_view::npos; at = text.find('\\')) {
        std::memcpy(out, text.data(), at);
        out += at;
        if (at + 1 == text.size()) return false;
        constexpr std::string_view names = "nrt\"\\/bf", values = "\n\r\t\"\\/\b\f";
        const std::size_t which = names.find(text[at + 1]);
        if (which == std::string_view::npos) return false;
        *out++ = values[which];
        text.remove_prefix(at + 2);
        --escapes_;
    }
    std::memcpy(out, text.data(), text.size());
    out += text.size();
    text = {room, static_cast<std::size_t>(out - room)};
    room = out;
    return true;
}

} // namespace chimera::host
