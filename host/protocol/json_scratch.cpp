#include "protocol/json_scratch.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace chimera::host {

static_assert(record_padding >= simdjson::SIMDJSON_PADDING);

json_scratch& json_scratch::of_this_thread() {
    thread_local json_scratch scratch;
    return scratch;
}

simdjson::ondemand::document json_scratch::open(record_view record) {
    if (record.slack < record_padding) {
        copy_.clear();
        copy_.append(record.text);
        record = copy_.view();
    }
    // The parser by itself would grow to the very size of each longer record, that is, allocate again and again.
    if (parser_.capacity() < record.text.size()) {
        const std::size_t capacity = std::max({record.text.size(), parser_.capacity() * 2, std::size_t{4096}});
        if (const auto error = parser_.allocate(capacity)) throw simdjson::simdjson_error(error);
    }
    return parser_.iterate(record.text.data(), record.text.size(), record.text.size() + record.slack);
}

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

/// The code unit of an escape \uXXXX at the beginning of `text`; -1: there is none.
int escaped_unit(std::string_view text) noexcept {
    if (text.size() < 6 || text[0] != '\\' || text[1] != 'u') return -1;
    int unit = 0;
    const auto [end, error] = std::from_chars(text.data() + 2, text.data() + 6, unit, 16);
    return error == std::errc() && end == text.data() + 6 && unit >= 0 ? unit : -1;
}

bool is_high(int unit) noexcept { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low(int unit) noexcept { return unit >= 0xDC00 && unit < 0xE000; }

/// Bytes of the UTF-8 character at the beginning of `text`; 0: there is none.
std::size_t character_length(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    return length <= text.size() && simdjson::validate_utf8(text.data(), length) ? length : 0;
}

/// Of the sound text at the beginning of `text`, which is in a string's escapes or characters, the length; 0: broken,
/// and `bad` bytes are to be replaced.
std::size_t sound_length(std::string_view text, std::size_t& bad) {
    if (text.front() != '\\') {
        bad = 1;
        return character_length(text);
    }
    const int unit = escaped_unit(text);
    if (is_high(unit) && is_low(escaped_unit(text.substr(6)))) return 12;
    bad = 6;
    if (is_high(unit) || is_low(unit)) return 0;
    return std::min<std::size_t>(unit >= 0 ? 6 : 2, text.size());
}

} // namespace

bool json_scratch::repair(record_view& record) {
    repaired_.clear();
    std::string_view rest = record.text;
    std::size_t sound = 0; // bytes at the beginning of rest
    bool in_string = false, changed = false;
    while (sound < rest.size()) {
        if (rest[sound] == '"') in_string = !in_string;
        if (!in_string || rest[sound] == '"') {
            ++sound;
            continue;
        }
        std::size_t bad = 0;
        const std::size_t length = sound_length(rest.substr(sound), bad);
        sound += length;
        if (length != 0) continue;
        repaired_.append(rest.substr(0, sound));
        repaired_.append(replacement);
        rest.remove_prefix(sound + bad);
        sound = 0;
        changed = true;
    }
    if (!changed) return false;
    repaired_.append(rest);
    record = repaired_.view();
    return true;
}

bool has_surrogate_escape(std::string_view record) noexcept {
    for (std::size_t at = record.find('\\'); at != std::string_view::npos; at = record.find('\\', at + 2)) {
        const int unit = escaped_unit(record.substr(at));
        if (is_high(unit) || is_low(unit)) return true;
    }
    return false;
}

void require_end(simdjson::ondemand::document& document) {
    // At the end there is no location to give, and only there.
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
        throw simdjson::simdjson_error(simdjson::TAPE_ERROR);
    }
}

} // namespace chimera::host
