#include "process/secret_forms.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>

namespace chimera::host {
namespace {

constexpr std::size_t fewest = 8;

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

std::string in_hex(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const char c : bytes) {
        out += digits[static_cast<unsigned char>(c) >> 4U];
        out += digits[static_cast<unsigned char>(c) & 15U];
    }
    return out;
}

/// Base64 of a text that stands `before` bytes behind the begin of a group of three, without the characters that its
/// unknown neighbours change too.
std::string in_base64(std::string_view bytes, std::size_t before, std::string_view last_two) {
    std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    alphabet += last_two;
    const std::string padded = std::string(before, '\0') + std::string(bytes);
    std::string out;
    for (std::size_t bit = 0; bit + 6 <= padded.size() * 8; bit += 6) {
        const auto at = [&padded](std::size_t i) -> std::uint32_t {
            return i < padded.size() ? static_cast<unsigned char>(padded[i]) : 0U;
        };
        const std::uint32_t pair = at(bit / 8) << 8U | at(bit / 8 + 1);
        out += alphabet[pair >> (10U - bit % 8U) & 63U];
    }
    return out.substr(std::min(out.size(), before == 0 ? 0 : before + 1));
}

/// A character as it was written: itself, or an escape of several bytes.
struct unit {
    char character;
    std::size_t size;
};

unit number(std::string_view text, std::size_t begin, std::size_t digits, int base) {
    if (begin + digits > text.size()) return {'\0', 0};
    unsigned value = 0;
    const char* from = text.data() + begin;
    const auto [end, error] = std::from_chars(from, from + digits, value, base);
    if (error != std::errc() || end != from + digits || value == 0 || value > 127) return {'\0', 0};
    return {static_cast<char>(value), begin + digits};
}

unit entity(std::string_view text) {
    const std::size_t end = text.substr(0, 10).find(';');
    if (end == std::string_view::npos) return {'\0', 0};
    const std::string_view name = text.substr(1, end - 1);
    unit found{'\0', 0};
    if (name.starts_with("#x") || name.starts_with("#X"))
        found = number(text, 3, end - 3, 16);
    else if (name.starts_with('#'))
        found = number(text, 2, end - 2, 10);
    else
        for (const auto& [known, character] :
             {std::pair{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}})
            if (name == known) found = {character, end};
    if (found.size != 0) found.size = end + 1;
    return found;
}

/// The escape with which a text begins; size 0: it begins with none.
unit escape(std::string_view text) {
    switch (text.front()) {
    case '%':
        if (text.starts_with("%25")) // encoded twice
            if (const unit twice = number(text, 3, 2, 16); twice.size != 0) return twice;
        return number(text, 1, 2, 16);
    case '=':
        return number(text, 1, 2, 16);
    case '&':
        return entity(text);
    case '\\': {
        constexpr std::size_t most_slashes = 8; // JSON in JSON in JSON
        const std::size_t slashes = text.substr(0, most_slashes).find_first_not_of('\\');
        if (slashes == std::string_view::npos) return {'\0', 0};
        const std::string_view code = text.substr(slashes);
        unit found = code.front() == 'u'                                           ? number(code, 1, 4, 16)
                     : code.front() == 'x'                                         ? number(code, 1, 2, 16)
                     : std::isalnum(static_cast<unsigned char>(code.front())) != 0 ? unit{'\0', 0}
                                                                                   : unit{code.front(), 1};
        if (found.size != 0) found.size += slashes;
        return found;
    }
    default:
        return {'\0', 0};
    }
}

bool in_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("+/=_-").find(c) != std::string_view::npos;
}

} // namespace

bool secret_forms::can_hide(std::string_view secret) noexcept { return secret.size() >= fewest; }

secret_forms::secret_forms(std::string_view secret) {
    const auto half = [](std::string_view text) { return std::max(fewest, (text.size() + 1) / 2); };
    add(std::string(secret), half(secret), false);
    const std::string_view tail = secret.substr(secret.size() / 2);
    if (tail.size() >= fewest) add(std::string(tail), tail.size(), false);
    add({secret.rbegin(), secret.rend()}, half(secret), false);
    add(in_hex(secret), 2 * half(secret), true);
    for (const std::size_t before : {0U, 1U, 2U})
        for (const char* last_two : {"+/", "-_"}) {
            const std::string text = in_base64(secret, before, last_two);
            add(text, half(text), true);
        }
    for (const char c : {'%', '=', '&', '\\'}) may_begin_[static_cast<unsigned char>(c)] = true;
}

void secret_forms::add(std::string text, std::size_t least, bool within_a_word) {
    std::ranges::transform(text, text.begin(), lower);
    if (text.size() < least) return;
    for (const char c : {text.front(), static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())))})
        may_begin_[static_cast<unsigned char>(c)] = true;
    forms_.push_back({std::move(text), least, within_a_word});
}

std::size_t secret_forms::end_at(std::string_view text, std::size_t begin, bool& within_a_word) const {
    std::size_t furthest = 0;
    for (const form& f : forms_) {
        std::size_t matched = 0, at = begin;
        while (matched < f.text.size() && at < text.size()) {
            const unit escaped = escape(text.substr(at));
            if (escaped.size != 0 && lower(escaped.character) == f.text[matched])
                at += escaped.size;
            else if (lower(text[at]) == f.text[matched])
                ++at;
            else
                break;
            ++matched;
        }
        if (matched < f.least || at <= furthest) continue;
        furthest = at;
        within_a_word = f.within_a_word;
    }
    return furthest;
}

void secret_forms::hide_in(std::string& text) const {
    std::string out;
    std::size_t kept = 0; // of the text so far, what is in `out`
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!may_begin_[static_cast<unsigned char>(text[i])]) continue;
        bool within_a_word = false;
        std::size_t end = end_at(text, i, within_a_word);
        if (end == 0) continue;
        std::size_t begin = i;
        if (within_a_word) {
            while (begin > kept && in_word(text[begin - 1])) --begin;
            while (end < text.size() && in_word(text[end])) ++end;
        }
        out.append(text, kept, begin - kept).append("***");
        kept = end;
        i = end - 1;
    }
    if (kept == 0) return;
    text = out.append(text, kept, std::string::npos);
}

} // namespace chimera::host
