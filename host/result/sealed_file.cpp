#include "result/sealed_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include <zlib.h>

namespace chimera::host {
namespace {

constexpr char digit = 'x'; // of a checksum, in the forms below

std::string_view shape_of(seal_form form) {
    switch (form) {
    case seal_form::document:
        return ",\n  \"crc32\": \"xxxxxxxx\"\n}\n";
    case seal_form::line:
        return ",\"crc32\":\"xxxxxxxx\"}";
    case seal_form::comment:
        break;
    }
    return "# crc32 xxxxxxxx\n";
}

bool is_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

bool fits(char found, char shape) { return shape == digit ? is_digit(found) : found == shape; }

bool ends_in(std::string_view text, std::string_view shape) {
    return text.size() >= shape.size() && std::equal(shape.rbegin(), shape.rend(), text.rbegin(),
                                                     [](char wanted, char found) { return fits(found, wanted); });
}

std::string without_spaces(std::string_view text) {
    std::string out;
    for (const char c : text)
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t') out += c;
    return out;
}

/// How many bytes must be changed, put in or taken out to make some end of the text fit the shape.
std::size_t distance_to(std::string_view shape, std::string_view text) {
    std::vector<std::size_t> row(text.size() + 1, 0); // of an empty shape: it fits the end that has no byte, anywhere
    for (std::size_t i = 1; i <= shape.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= text.size(); ++j) {
            const std::size_t change = diagonal + (fits(text[j - 1], shape[i - 1]) ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row[text.size()];
}

/// What no file without a seal comes near: their last members are called otherwise.
bool resembles(std::string_view text, std::string_view shape) {
    constexpr std::size_t looked_at = 64, most_changes = 3;
    const std::string end = without_spaces(text.substr(text.size() - std::min(text.size(), looked_at)));
    return distance_to(without_spaces(shape), end) <= most_changes;
}

std::string seal_with(const std::string& digits, seal_form form) {
    std::string seal(shape_of(form));
    return seal.replace(seal.find(std::string(digits.size(), digit)), digits.size(), digits);
}

std::string seal_of(std::string_view text, seal_form form) { return seal_with(checksum_of(text), form); }

/// The parser's message without its own idea of the place: "[json.exception...] parse error at line 1, column 2: what".
std::string_view what_of(std::string_view message) {
    const std::size_t colon = message.find(": ");
    return colon == std::string_view::npos ? message : message.substr(colon + 2);
}

// A tree of values is copied and written by functions that call themselves: some thousands of levels use up the stack.
constexpr std::size_t most_levels = 100;

/// The place of the bracket that opens one level too many; the text's size where there is none.
std::size_t find_too_deep(std::string_view text) {
    std::size_t level = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '"')
            for (++i; i < text.size() && text[i] != '"'; ++i) i += text[i] == '\\';
        else if ((c == '[' || c == '{') && ++level > most_levels)
            return i;
        else if ((c == ']' || c == '}') && level > 0)
            --level;
    }
    return text.size();
}

json parse(std::string_view text, const std::string& file, std::size_t first_line) {
    const auto place = [&](std::size_t byte) {
        const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(byte, text.size()));
        return fmt::format("{}:{}", file, first_line + static_cast<std::size_t>(std::count(text.begin(), end, '\n')));
    };
    if (const std::size_t deep = find_too_deep(text); deep < text.size())
        throw results_error(fmt::format("{}: has more than {} values in each other", place(deep), most_levels));
    try {
        return json::parse(text);
    } catch (const json::parse_error& e) {
        if (e.byte > text.size())
            throw results_error(fmt::format("{}: cut short: the JSON ends in the middle, after {} bytes",
                                            place(text.size()), text.size()));
        throw results_error(
            fmt::format("{}: not valid JSON: {}", place(e.byte == 0 ? 0 : e.byte - 1), what_of(e.what())));
    } catch (const json::exception& e) { // a number that none can hold; where it is, the parser does not say
        throw results_error(
            fmt::format("{}: not valid JSON: {}", text.find('\n') == text.npos ? place(0) : file, e.what()));
    }
}

} // namespace

void checksum::add(std::string_view more) noexcept {
    crc_ = static_cast<std::uint32_t>(crc32_z(crc_, reinterpret_cast<const Bytef*>(more.data()), more.size()));
    bytes_ += more.size();
}

std::string checksum::text() const { return fmt::format("{:08x}", crc_); }

std::string checksum_of(std::string_view bytes) {
    checksum c;
    c.add(bytes);
    return c.text();
}

std::string sealed_document(const json& object) {
    std::string text = object.dump(2, ' ', false, json::error_handler_t::replace);
    seals::close_document(text);
    return text;
}

std::string sealed_line(const json& object) {
    std::string text = object.dump(-1, ' ', false, json::error_handler_t::replace);
    seals::close_line(text, 0);
    return text;
}

std::string sealed_comment(std::string text) { return text + seal_of(text, seal_form::comment); }

seal_check check_seal(std::string_view text, seal_form form) {
    const std::string_view shape = shape_of(form);
    const char* const advice = form == seal_form::comment
                                   ? "restore it, or take its last line out if you changed it yourself"
                                   : "restore it, or take \"crc32\" out if you changed it yourself";
    if (!ends_in(text, shape)) {
        if (!resembles(text, shape)) return {};
        return {"", fmt::format("is damaged: the checksum at its end is not in order; {}", advice)};
    }
    const std::size_t body = text.size() - shape.size(), width = 8;
    const std::string said(text.substr(body + shape.find(std::string(width, digit)), width));
    const std::string found = checksum_of(text.substr(0, body));
    if (found == said) return {said, ""};
    return {said, fmt::format("is damaged: its bytes give the checksum {}, it says {}; {}", found, said, advice)};
}

std::string seals::close_document(std::string& rest, checksum before) {
    rest.resize(rest.size() - 2); // the newline and the brace
    before.add(rest);
    rest += seal_with(before.text(), seal_form::document);
    return before.text();
}

void seals::close_line(std::string& out, std::size_t begin) {
    out.pop_back();
    out += seal_of(std::string_view(out).substr(begin), seal_form::line) + "\n";
}

std::string read_results_text(const std::filesystem::path& path, std::size_t most_bytes) {
    try {
        return read_regular_file(path, most_bytes);
    } catch (const std::runtime_error& e) {
        throw results_error(fmt::format("{}: {}", path.string(), e.what()));
    }
}

results_document read_results_document(const std::filesystem::path& path) {
    const std::string text = read_results_text(path);
    json parsed = parse(text, path.string(), 1); // first: of a file that is cut short it says where
    seal_check check = check_seal(text, seal_form::document);
    if (!check.fault.empty()) throw results_error(fmt::format("{}: {}", path.string(), check.fault));
    return {std::move(parsed), std::move(check.seal)};
}

sound_lines read_sound_lines(const std::filesystem::path& path) {
    const std::string text = read_results_text(path, most_lines_bytes);
    sound_lines out;
    std::size_t number = 1;
    for (std::size_t begin = 0; begin < text.size(); ++number) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const std::string_view line = std::string_view(text).substr(begin, end - begin);
        const std::string place = fmt::format("{}:{}", path.string(), number);
        begin = end + 1;
        const seal_check check = check_seal(line, seal_form::line);
        if (end == text.size() && (check.seal.empty() || !check.fault.empty())) {
            out.faults.push_back(place + ": cut short: the last line has no end");
            break;
        }
        try {
            json parsed = parse(line, path.string(), number);
            if (!check.fault.empty()) throw results_error(fmt::format("{}: {}", place, check.fault));
            out.lines.push_back({std::move(parsed), place});
        } catch (const results_error& e) {
            out.faults.push_back(e.what());
        }
    }
    return out;
}

std::vector<results_line> read_results_lines(const std::filesystem::path& path) {
    sound_lines all = read_sound_lines(path);
    if (!all.faults.empty()) throw results_error(all.faults.front());
    return std::move(all.lines);
}

} // namespace chimera::host
