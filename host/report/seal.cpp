#include "report/seal.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <vector>

#include <zlib.h>

namespace chimera::host {
namespace {

using json = nlohmann::ordered_json;

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

std::string with_seal(std::string text, seal_form form) {
    std::string seal(shape_of(form));
    const std::string digits = checksum_of(text);
    seal.replace(seal.find(std::string(digits.size(), digit)), digits.size(), digits);
    return std::move(text) + seal;
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
    text.resize(text.size() - 2); // the newline and the brace
    return with_seal(std::move(text), seal_form::document);
}

std::string sealed_line(const json& object) {
    std::string text = object.dump(-1, ' ', false, json::error_handler_t::replace);
    text.pop_back();
    return with_seal(std::move(text), seal_form::line) + "\n";
}

std::string sealed_comment(std::string text) { return with_seal(std::move(text), seal_form::comment); }

json file_record(const char* name, const checksum& of) {
    return {{"name", name},
            {"crc32", of.text()},
            {"bytes", of.bytes()}}; // as the last member, crc32 would look like a seal
}

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

} // namespace chimera::host
