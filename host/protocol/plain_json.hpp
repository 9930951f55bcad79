#pragma once

#include "protocol/line_splitter.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace chimera::host {

/// Reads plain JSON, which nearly every record of a model server is: one line of at most 512 bytes, strings without
/// escapes or (text_or_null only) with escapes of one character such as \n, integers of at most 18 digits, true, false,
/// null, objects and arrays. It is strict. For a text that is not plain, or not JSON, its functions return false
/// without a reason: the full parser then reads the record again.
///
/// It takes half the instructions of simdjson and a third of its time for such records (docs/performance.md): it
/// searches the whole record for quotes first, 16 bytes at a time, so that a string then needs no loop and no branch
/// that depends on its length.
///
/// A cursor over a record with one byte or more of slack. The first byte of slack is not printable, and stops every
/// scan. The record outlives the cursor; strings are views of it. No allocation. One thread at a time.
class plain_json {
  public:
    static constexpr std::size_t longest = 512; ///< bytes of a record

    explicit plain_json(record_view record) noexcept : begin_(record.text.data()), end_(begin_ + record.text.size()) {
        if (!find_quotes(record)) at_ = end_;
    }

    /// Reads an object. `member(key)` reads each value; it returns false if it could not.
    template <class F>
    bool object(F&& member) {
        return group('{', '}', [&] {
            std::string_view key;
            return string(key) && next(':') && member(key);
        });
    }

    /// Reads an array. `element()` reads each value; it returns false if it could not.
    template <class F>
    bool array(F&& element) {
        return group('[', ']', element);
    }

    bool string(std::string_view& out) noexcept {
        if (!next('"')) return false;
        take_quote(); // the opening one, just passed: only strings pass quotes
        const char* const close = take_quote();
        if (!close) return false;
        out = {at_, static_cast<std::size_t>(close - at_)};
        at_ = close + 1;
        return true;
    }

    /// A string with or without escapes; null gives an empty one. A string with escapes is decoded into `room`, which
    /// moves on by its length: `longest` bytes are enough for all strings of a record.
    bool text_or_null(std::string_view& out, char*& room) noexcept {
        return string_or_null(out) && (escapes_ == 0 || unescape(out, room));
    }

    /// A string without escapes; null gives an empty one.
    bool string_or_null(std::string_view& out) noexcept {
        out = {};
        return peek() == 'n' ? null() : string(out);
    }

    bool boolean(bool& out) noexcept {
        out = peek() == 't';
        return literal(out ? "true" : "false");
    }

    bool integer(std::int64_t& out) noexcept {
        const bool negative = peek() == '-';
        if (negative) ++at_;
        const char* const begin = at_;
        std::int64_t value = 0;
        while (*at_ >= '0' && *at_ <= '9' && at_ - begin < 18) value = value * 10 + (*at_++ - '0');
        const auto digits = at_ - begin;
        if (digits == 0 || (*begin == '0' && (digits > 1 || negative))) return false;
        out = negative ? -value : value;
        return true; // a further digit, a fraction or an exponent fails when the next token is read
    }

    bool null() noexcept { return literal("null"); }

    /// Skips any plain value.
    bool skip(int depth = 8) noexcept {
        std::string_view text;
        std::int64_t number = 0;
        bool flag = false;
        switch (peek()) {
        case '"':
            return string(text);
        case '{':
            return depth != 0 && object([&](std::string_view) { return skip(depth - 1); });
        case '[':
            return depth != 0 && array([&] { return skip(depth - 1); });
        case 't':
        case 'f':
            return boolean(flag);
        case 'n':
            return null();
        default:
            return integer(number);
        }
    }

    /// Nothing is left to read, and each string with escapes was decoded.
    bool at_end() noexcept {
        skip_space();
        return at_ == end_ && escapes_ == 0;
    }

  private:
    static constexpr std::size_t word_bits = 64;

    /// Of sixteen bytes, a bit for each.
    struct marks {
        unsigned special, quotes;
    };
    static marks marks_of(const char* sixteen) noexcept {
#ifdef __SSE2__
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(sixteen));
        const __m128i special =
            _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')),
                         _mm_cmplt_epi8(bytes, _mm_set1_epi8(' '))); // signed: includes bytes over 0x7f
        const __m128i quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
        return {static_cast<unsigned>(_mm_movemask_epi8(special)), static_cast<unsigned>(_mm_movemask_epi8(quotes))};
#else
        marks m{0, 0};
        for (unsigned i = 0; i < 16; ++i) {
            const auto c = static_cast<unsigned char>(sixteen[i]);
            m.special |= unsigned{c < 0x20 || c > 0x7f || c == '\\'} << i;
            m.quotes |= unsigned{c == '"'} << i;
        }
        return m;
#endif
    }

    /// Fills quotes_. False if a byte is not plain.
    bool find_quotes(record_view record) noexcept {
        const std::size_t size = record.text.size();
        if (size > longest) return false;
        for (std::size_t at = 0; at < size; at += word_bits) {
            std::uint64_t word = 0;
            for (std::size_t in_word = 0; in_word < std::min(size - at, word_bits); in_word += 16) {
                const char* from = begin_ + at + in_word;
                const std::size_t here = std::min<std::size_t>(static_cast<std::size_t>(end_ - from), 16);
                std::array<char, 16> last; // a copy, where the slack is too short to be read
                if (here != 16 && record.slack < 16)
                    from = static_cast<const char*>(std::memcpy(last.data(), from, here));
                const marks found = marks_of(from);
                const unsigned valid = 0xFFFFU >> (16 - here);
                if ((found.special & valid) != 0) return find_quotes_among_escapes(record);
                word |= std::uint64_t{found.quotes & valid} << in_word;
            }
            quotes_[words_++] = word;
        }
        return true;
    }

    /// The same for a record with escapes or with characters that are not ASCII.
    bool find_quotes_among_escapes(record_view record) noexcept;
    /// Decodes `text` into `room`; `text` is then a view of it. False: it has an escape that is not plain.
    bool unescape(std::string_view& text, char*& room) noexcept;

    /// Takes the next quote of the record; nullptr if there is none.
    const char* take_quote() noexcept {
        for (; word_ != words_; ++word_) {
            std::uint64_t& word = quotes_[word_];
            if (word == 0) continue;
            const int bit = std::countr_zero(word);
            word &= word - 1;
            return begin_ + word_ * word_bits + bit;
        }
        return nullptr;
    }

    template <class F>
    bool group(char open, char close, F&& part) {
        if (!next(open)) return false;
        if (next(close)) return true;
        do {
            if (!part()) return false;
        } while (next(','));
        return next(close);
    }

    char peek() noexcept {
        skip_space();
        return *at_;
    }

    bool next(char c) noexcept {
        if (peek() != c) return false;
        ++at_;
        return true;
    }

    bool literal(std::string_view word) noexcept {
        skip_space();
        for (const char c : word) {
            if (*at_ != c) return false;
            ++at_;
        }
        return true; // a further letter fails when the next token is read
    }

    void skip_space() noexcept {
        while (*at_ == ' ') ++at_;
    }

    const char* const begin_;
    const char* at_ = begin_;
    const char* const end_;
    std::size_t word_ = 0, words_ = 0;
    std::size_t escapes_ = 0; ///< not yet decoded
    std::array<std::uint64_t, longest / word_bits>
        quotes_; ///< a bit for each byte of the record; the first words_ are set
};

/// The content of a plain record, which has at most one text.
struct plain_content {
    plain_content() noexcept {} // leaves decoded_ uninitialised
    plain_content(const plain_content&) = delete;
    plain_content& operator=(const plain_content&) = delete;

    std::string_view text, reasoning; ///< views of the record, or of decoded_ if they have escapes

    bool read_text(plain_json& json) noexcept {
        std::string_view piece;
        if (!json.text_or_null(piece, room_) || (!text.empty() && !piece.empty())) return false;
        if (!piece.empty()) text = piece;
        return true;
    }
    /// Replaces: the same reasoning may come under two names.
    bool read_reasoning(plain_json& json) noexcept {
        std::string_view piece;
        if (!json.text_or_null(piece, room_)) return false;
        if (!piece.empty()) reasoning = piece;
        return true;
    }

  private:
    std::array<char, plain_json::longest> decoded_;
    char* room_ = decoded_.data();
};

} // namespace chimera::host
