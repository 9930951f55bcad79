// Frames to test with.
#pragma once

#include <memory>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "frame/codec.hpp"

namespace chimera::frames {

/// A frame and the bytes that its views show.
struct owned_frame {
    frame f;
    std::string text;
    std::vector<std::byte> body, digest, signature, key;

    /// Points the views at the bytes; to be called after a change, a copy or a move.
    const frame& view() {
        f.text = text;
        f.body = body;
        f.digest = digest;
        f.signature = signature;
        f.key = key;
        return f;
    }
};

inline std::vector<std::byte> drawn_bytes(std::mt19937_64& random, std::size_t size) {
    std::vector<std::byte> bytes(size);
    for (std::byte& b : bytes) b = static_cast<std::byte>(random());
    return bytes;
}

/// A frame of this kind without a fault. all: with every field that the kind may have; otherwise some are left out, and
/// numbers are of all sizes.
inline owned_frame drawn_frame(kind k, std::mt19937_64& random, bool all, std::size_t longest_body = 300) {
    const kind_rule& rule = *rule_of(k);
    const auto has = [&](field which) {
        if ((rule.required & set_of(which)) != 0) return true;
        return (rule.allowed & set_of(which)) != 0 && (all || random() % 2 == 0);
    };
    const auto number = [&](field which, auto most) {
        using type = decltype(most);
        if (!has(which)) return type{};
        const auto n = static_cast<type>((random() >> random() % 64) & most);
        return n == 0 ? type{1} : n;
    };
    constexpr std::uint64_t wide = ~std::uint64_t{};
    constexpr std::uint32_t narrow = ~std::uint32_t{};
    owned_frame o;
    o.f.kind = k;
    o.f.from = number(field::from, narrow);
    o.f.to = number(field::to, narrow);
    o.f.channel = number(field::channel, narrow);
    o.f.number = number(field::number, wide);
    o.f.sequence = number(field::sequence, wide);
    o.f.time_ns = number(field::time_ns, wide);
    o.f.time2_ns = number(field::time2_ns, wide);
    o.f.epoch = number(field::epoch, wide);
    o.f.incarnation = number(field::incarnation, wide);
    if (has(field::phase)) o.f.phase = static_cast<std::uint8_t>(1 + random() % 2);
    if (has(field::decision_class)) o.f.decision_class = static_cast<std::uint8_t>(1 + random() % 4);
    if (has(field::outcome)) o.f.outcome = static_cast<std::uint8_t>(1 + random() % 3);
    o.f.yes = has(field::yes);
    o.f.codecs = number(field::codecs, narrow);
    o.f.max_message = number(field::max_message, narrow);
    o.f.votes_for = number(field::votes_for, narrow);
    o.f.votes_against = number(field::votes_against, narrow);
    if (has(field::text)) {
        static const std::vector<std::string> parts{"merge",
                                                    " ",
                                                    "\"",
                                                    "\\",
                                                    "/",
                                                    "\n",
                                                    "\r\t\b\f",
                                                    std::string(1, '\0'),
                                                    "\x1f",
                                                    "\x7f",
                                                    "\xc3\xa4",
                                                    "\xe2\x82\xac",
                                                    "\xf0\x9f\x98\x80",
                                                    "<>&",
                                                    "\xe2\x80\xa8"};
        for (std::size_t n = 1 + random() % 20; n > 0; --n) o.text += parts[random() % parts.size()];
    }
    if (has(field::body)) o.body = drawn_bytes(random, 1 + random() % longest_body);
    if (has(field::digest)) o.digest = drawn_bytes(random, digest_size);
    if (has(field::signature)) o.signature = drawn_bytes(random, signature_size);
    if (has(field::key)) o.key = drawn_bytes(random, key_size);
    o.view();
    return o;
}

inline std::vector<std::unique_ptr<codec>> all_codecs() {
    std::vector<std::unique_ptr<codec>> all;
    all.push_back(make_json_codec(body_text::numbers));
    all.push_back(make_json_codec(body_text::base64));
    all.push_back(make_flatbuffers_codec());
    return all;
}

/// Why `bytes` is not a frame; empty: it is one, and what is read is written and read again to the same frame. The
/// bytes lie in memory of their very size, so that a sanitizer sees each one too far.
inline std::string fault_in(codec& with, std::span<const std::byte> bytes, const limits& most, scratch& memory) {
    const std::vector<std::byte> exact(bytes.begin(), bytes.end());
    frame read;
    try {
        read = with.decode(exact, memory, most);
    } catch (const frame_error& e) {
        const std::string why = e.what();
        return why.empty() ? "a fault without words" : why;
    }
    if (const std::string fault = fault_of(read, most); !fault.empty())
        throw std::runtime_error("read a frame with a fault: " + fault);
    static byte_buffer again; // and its memory: again and again, for a sanitizer's sake
    static scratch other;
    again.clear();
    with.encode(read, again);
    if (!(with.decode(again.bytes(), other, limits::for_body(most.max_body)) == read))
        throw std::runtime_error("a frame that was read is another one when it is written and read");
    return "";
}

/// A header of the stream.
inline std::array<std::byte, 8> header_of(std::size_t payload, codec_id codec) {
    std::array<std::byte, 8> header{};
    for (std::size_t i = 0; i < 4; ++i) header[i] = static_cast<std::byte>(payload >> (8 * i));
    header[4] = static_cast<std::byte>(codec);
    return header;
}

inline std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

} // namespace chimera::frames
