#include <fmt/format.h>
#include <nettle/base16.h>
#include <nettle/base64.h>

#include <algorithm>
#include <concepts>
#include <limits>

#include "frame/json_codec.hpp"

namespace chimera::frames {

namespace {

namespace od = simdjson::ondemand;

constexpr int deepest = 8;
constexpr std::size_t nowhere = field_names.size();

/// The field of a key; they usually come in their order, so `expected` is tried first. nowhere: there is none.
std::size_t field_of(std::string_view key, std::size_t expected) noexcept {
    if (expected < field_names.size() && key == field_names[expected]) return expected;
    const auto found = std::ranges::find(field_names, key);
    return static_cast<std::size_t>(found - field_names.begin());
}

/// Reads a value without a use for it, so that what is passed over is JSON as well.
void pass_over(od::value value, int depth) {
    switch (od::json_type(value.type())) {
    case od::json_type::array:
        if (depth == 0) throw frame_error("JSON: nested too deeply");
        for (auto element : value.get_array()) pass_over(element.value(), depth - 1);
        break;
    case od::json_type::object:
        if (depth == 0) throw frame_error("JSON: nested too deeply");
        for (auto entry : value.get_object()) {
            static_cast<void>(std::string_view(entry.unescaped_key()));
            pass_over(entry.value(), depth - 1);
        }
        break;
    case od::json_type::string:
        static_cast<void>(std::string_view(value.get_string()));
        break;
    case od::json_type::number:
        static_cast<void>(od::number(value.get_number()));
        break;
    case od::json_type::boolean:
        static_cast<void>(bool(value.get_bool()));
        break;
    case od::json_type::null:
        if (!value.is_null()) throw frame_error("JSON: a value that is none");
        break;
    }
}

template <std::unsigned_integral Number>
Number number_of(od::value& value) {
    const std::uint64_t number = value.get_uint64();
    if (number > std::numeric_limits<Number>::max()) throw frame_error("the number is too large");
    return static_cast<Number>(number);
}

kind kind_of(std::string_view name) {
    const auto found = std::ranges::find(kind_rules, name, &kind_rule::name);
    if (found == kind_rules.end()) throw frame_error("there is no such kind of frame");
    return found->kind;
}

std::span<const std::byte> hex_of(std::string_view text, std::span<std::byte> to) {
    if (text.empty()) return {};
    base16_decode_ctx context;
    base16_decode_init(&context);
    std::size_t length = to.size();
    // Blanks among the digits are passed over by the decoder, and make the result shorter.
    if (text.size() != 2 * to.size() ||
        base16_decode_update(&context, &length, reinterpret_cast<std::uint8_t*>(to.data()), text.size(), text.data()) ==
            0 ||
        base16_decode_final(&context) == 0 || length != to.size())
        throw frame_error(fmt::format("not {} hex digits", 2 * to.size()));
    return to;
}

std::span<const std::byte> base64_of(std::string_view text, byte_buffer& to, const limits& most) {
    if (text.size() / 4 * 3 > most.max_body + 2) throw frame_error(fmt::format("longer than {} bytes", most.max_body));
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
    to.clear();
    auto* const bytes = reinterpret_cast<std::uint8_t*>(to.append(BASE64_DECODE_LENGTH(text.size())));
    base64_decode_ctx context;
    base64_decode_init(&context);
    std::size_t length = to.size();
    if (text.size() % 4 != 0 || base64_decode_update(&context, &length, bytes, text.size(), text.data()) == 0 ||
        base64_decode_final(&context) == 0 || length != text.size() / 4 * 3 - padding)
        throw frame_error("not base64");
    to.truncate(length);
    return to.bytes();
}

std::span<const std::byte> numbers_of(od::array array, byte_buffer& to, const limits& most) {
    to.clear();
    for (auto element : array) {
        const std::uint64_t number = element.get_uint64();
        if (number > 255) throw frame_error("a number is not a byte");
        if (to.size() == most.max_body) throw frame_error(fmt::format("longer than {} bytes", most.max_body));
        *to.append(1) = static_cast<std::byte>(number);
    }
    return to.bytes();
}

void read_field(od::value value, field which, frame& f, json_memory& memory, const limits& most) {
    switch (which) {
    case field::kind:
        f.kind = kind_of(value.get_string());
        break;
    case field::from:
        f.from = number_of<std::uint32_t>(value);
        break;
    case field::to:
        f.to = number_of<std::uint32_t>(value);
        break;
    case field::channel:
        f.channel = number_of<std::uint32_t>(value);
        break;
    case field::number:
        f.number = number_of<std::uint64_t>(value);
        break;
    case field::sequence:
        f.sequence = number_of<std::uint64_t>(value);
        break;
    case field::time_ns:
        f.time_ns = number_of<std::uint64_t>(value);
        break;
    case field::time2_ns:
        f.time2_ns = number_of<std::uint64_t>(value);
        break;
    case field::epoch:
        f.epoch = number_of<std::uint64_t>(value);
        break;
    case field::incarnation:
        f.incarnation = number_of<std::uint64_t>(value);
        break;
    case field::phase:
        f.phase = number_of<std::uint8_t>(value);
        break;
    case field::decision_class:
        f.decision_class = number_of<std::uint8_t>(value);
        break;
    case field::outcome:
        f.outcome = number_of<std::uint8_t>(value);
        break;
    case field::yes:
        f.yes = value.get_bool();
        break;
    case field::codecs:
        f.codecs = number_of<std::uint32_t>(value);
        break;
    case field::max_message:
        f.max_message = number_of<std::uint32_t>(value);
        break;
    case field::votes_for:
        f.votes_for = number_of<std::uint32_t>(value);
        break;
    case field::votes_against:
        f.votes_against = number_of<std::uint32_t>(value);
        break;
    case field::text:
        f.text = value.get_string();
        break;
    case field::body:
        if (od::json_type(value.type()) == od::json_type::string)
            f.body = base64_of(value.get_string(), memory.body, most);
        else
            f.body = numbers_of(value.get_array(), memory.body, most);
        break;
    case field::digest:
        f.digest = hex_of(value.get_string(), memory.digest);
        break;
    case field::signature:
        f.signature = hex_of(value.get_string(), memory.signature);
        break;
    case field::key:
        f.key = hex_of(value.get_string(), memory.key);
        break;
    }
}

od::document open(std::span<const std::byte> text, json_memory& memory) {
    memory.input.clear();
    std::byte* const copy = memory.input.append(text.size() + simdjson::SIMDJSON_PADDING);
    std::copy(text.begin(), text.end(), copy);
    std::fill_n(copy + text.size(), simdjson::SIMDJSON_PADDING, std::byte{});
    // By itself the parser grows to the exact size of each longer text, and allocates again and again.
    if (memory.parser.capacity() < text.size()) {
        const std::size_t capacity = std::max({text.size(), memory.parser.capacity() * 2, std::size_t{4096}});
        if (const auto error = memory.parser.allocate(capacity, deepest + 4)) throw simdjson::simdjson_error(error);
    }
    return memory.parser.iterate(reinterpret_cast<const char*>(copy), text.size(), memory.input.size());
}

} // namespace

frame read_json(std::span<const std::byte> text, json_memory& memory, const limits& most) {
    frame f;
    field_set seen = 0;
    std::size_t at = nowhere, next = 0;
    const auto where = [&at] { return at == nowhere ? std::string_view("JSON") : field_names[at]; };
    try {
        od::document document = open(text, memory);
        for (auto entry : document.get_object()) {
            at = field_of(entry.unescaped_key(), next);
            if (at == nowhere) {
                pass_over(entry.value(), deepest);
                continue;
            }
            if ((seen >> at & 1) != 0) throw frame_error("there twice");
            seen |= field_set{1} << at;
            next = at + 1;
            read_field(entry.value(), static_cast<field>(at), f, memory, most);
        }
        at = nowhere;
        // Only at the end is there no location.
        if (document.current_location().error() != simdjson::OUT_OF_BOUNDS)
            throw frame_error("something behind the object");
    } catch (const simdjson::simdjson_error& e) {
        throw frame_error(fmt::format("{}: {}", where(), simdjson::error_message(e.error())));
    } catch (const frame_error& e) {
        throw frame_error(fmt::format("{}: {}", where(), e.what()));
    }
    for (at = 0; at < field_names.size(); ++at)
        if ((seen >> at & 1) == 0) throw frame_error(fmt::format("{}: missing", field_names[at]));
    return f;
}

} // namespace chimera::frames
