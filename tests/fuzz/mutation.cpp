#include "mutation.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace chimera::fuzz {

namespace {

using namespace std::string_view_literals;

constexpr std::size_t longest = 20'000; // repeated lines may not grow without bound
constexpr std::string_view special_bytes = "\r\n \t:;,=\"0159afAFx\0\x01\x1b\x7f\x80\xff{}[]\\/.-+"sv;
constexpr std::array<std::string_view, 16> special_numbers{"0",
                                                           "00",
                                                           "1",
                                                           "-1",
                                                           "+1",
                                                           "0x10",
                                                           "7fffffff",
                                                           "2147483648",
                                                           "4294967296",
                                                           "ffffffff",
                                                           "1e3",
                                                           "9223372036854775807",
                                                           "18446744073709551615",
                                                           "18446744073709551616",
                                                           "ffffffffffffffff",
                                                           "99999999999999999999999"};

struct range {
    std::size_t begin, size;
};

/// The line, with its end, in which a random byte is.
range any_line(std::string_view text, random_source& random) {
    const std::size_t at = below(random, text.size());
    const std::size_t before = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
    const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
    const std::size_t end = text.find('\n', at);
    return {begin, (end == std::string_view::npos ? text.size() : end + 1) - begin};
}

range any_range(std::string_view text, random_source& random) {
    const std::size_t begin = below(random, text.size() + 1);
    const std::size_t most = one_in(random, 3) ? 64 : 4;
    return {begin, std::min(1 + below(random, most), text.size() - begin)};
}

void change_number(std::string& text, random_source& random) {
    const auto is_digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
    const auto from = text.begin() + static_cast<std::ptrdiff_t>(below(random, text.size() + 1));
    auto first = std::find_if(from, text.end(), is_digit);
    if (first == text.end()) first = std::find_if(text.begin(), text.end(), is_digit);
    if (first == text.end()) return;
    const auto last = std::find_if_not(first, text.end(), is_digit);
    std::string number(first, last);
    if (one_in(random, 2) && number.size() < 15)
        number = std::to_string(std::stoll(number) + (one_in(random, 2) ? 1 : -1));
    else
        number = special_numbers[below(random, special_numbers.size())];
    text.replace(first, last, number);
}

void change_line_end(std::string& text, random_source& random) {
    constexpr std::array<std::string_view, 7> ends{"\n", "\r", "\r\n", "\r\r\n", "\n\r", "", "\r\n\r\n"};
    const std::size_t at = text.find('\n', below(random, text.size() + 1));
    if (at == std::string::npos) return;
    const std::size_t begin = at > 0 && text[at - 1] == '\r' ? at - 1 : at;
    text.replace(begin, at + 1 - begin, ends[below(random, ends.size())]);
}

void change_every_line_end(std::string& text) {
    std::string changed;
    for (const char c : text)
        if (c != '\r') changed += c;
    text = std::move(changed);
}

void change_case(std::string& text, random_source& random) {
    const range r = any_range(text, random);
    for (std::size_t i = r.begin; i < r.begin + r.size; ++i)
        if (std::isalpha(static_cast<unsigned char>(text[i]))) text[i] = static_cast<char>(text[i] ^ 0x20);
}

void move_line(std::string& text, random_source& random) {
    const range r = any_line(text, random);
    const std::string line = text.substr(r.begin, r.size);
    text.erase(r.begin, r.size);
    text.insert(text.empty() ? 0 : any_line(text, random).begin, line);
}

void repeat_line(std::string& text, random_source& random) {
    const range r = any_line(text, random);
    const std::string line = text.substr(r.begin, r.size);
    for (std::size_t n = one_in(random, 8) ? 200 : 1 + below(random, 3); n > 0; --n) text.insert(r.begin, line);
}

} // namespace

std::size_t below(random_source& random, std::size_t n) { return n == 0 ? 0 : random() % n; }
bool one_in(random_source& random, std::size_t n) { return random() % n == 0; }

mutator::mutator(std::vector<std::string> seeds, std::span<const std::string_view> tokens)
    : seeds_(std::move(seeds)), tokens_(tokens) {}

const std::string& mutator::any_seed(random_source& random) const { return seeds_[below(random, seeds_.size())]; }

std::string mutator::draw(random_source& random) const {
    std::string text = any_seed(random);
    for (std::size_t changes = below(random, 7); changes > 0; --changes) {
        change(text, random);
        if (text.size() > longest) text.resize(longest);
    }
    return text;
}

void mutator::change(std::string& text, random_source& random) const {
    switch (below(random, 14)) {
    case 0: // any byte
        if (!text.empty()) text[below(random, text.size())] = static_cast<char>(random());
        break;
    case 1:
        if (!text.empty()) text[below(random, text.size())] = special_bytes[below(random, special_bytes.size())];
        break;
    case 2:
        text.insert(below(random, text.size() + 1), 1, special_bytes[below(random, special_bytes.size())]);
        break;
    case 3:
    case 4:
        text.insert(below(random, text.size() + 1), tokens_[below(random, tokens_.size())]);
        break;
    case 5: // a token in the place of a few bytes
    {
        const range r = any_range(text, random);
        text.replace(r.begin, r.size, tokens_[below(random, tokens_.size())]);
        break;
    }
    case 6: {
        const range r = one_in(random, 2) ? any_range(text, random) : any_line(text, random);
        text.erase(r.begin, r.size);
        break;
    }
    case 7: {
        const range r = any_range(text, random);
        text.insert(r.begin, text.substr(r.begin, r.size));
        break;
    }
    case 8:
        repeat_line(text, random);
        break;
    case 9:
        move_line(text, random);
        break;
    case 10:
        change_number(text, random);
        break;
    case 11:
        if (one_in(random, 6))
            change_every_line_end(text);
        else
            change_line_end(text, random);
        break;
    case 12: { // the beginning of one, the end of another
        const std::string& other = any_seed(random);
        text = text.substr(0, below(random, text.size() + 1)) + other.substr(below(random, other.size() + 1));
        break;
    }
    case 13:
        if (one_in(random, 3))
            text.resize(below(random, text.size() + 1));
        else
            change_case(text, random);
        break;
    default:
        break;
    }
}

std::string in_full(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out = "\"";
    for (const char c : text) {
        if (c == '\r' || c == '\n')
            out += c == '\r' ? "\\r" : "\\n";
        else if (c == '"' || c == '\\')
            out.append(1, '\\').append(1, c);
        else if (c >= ' ' && c < '\x7f')
            out += c;
        else
            out.append("\\x").append(1, digits[(c >> 4) & 15]).append(1, digits[c & 15]);
    }
    return out + "\"";
}

std::vector<std::size_t> draw_cuts(std::string_view text, random_source& random) {
    std::vector<std::size_t> cuts;
    const auto cut_in_steps = [&](std::size_t most) {
        for (std::size_t at = 1 + below(random, most); at < text.size(); at += 1 + below(random, most))
            cuts.push_back(at);
    };
    switch (below(random, 4)) {
    case 0:
        cut_in_steps(text.size() < 400 ? 1 : 50);
        break;
    case 1:
        cut_in_steps(text.size() + 1);
        break;
    case 2:
        cut_in_steps(30);
        break;
    default: // before, inside and behind line ends
        for (std::size_t at = 1; at < text.size(); ++at)
            if ((text[at] == '\r' || text[at] == '\n' || text[at - 1] == '\n') && one_in(random, 2)) cuts.push_back(at);
    }
    return cuts;
}

} // namespace chimera::fuzz
