// What a stranger may send: a fault or a frame, never more.
#include <doctest/doctest.h>

#include <cstring>

#include "frame_samples.hpp"

using namespace chimera::frames;

namespace {

struct encoded {
    std::string of;
    codec& with;
    std::vector<std::byte> bytes;
};

/// Every kind in every codec, with all fields; the second JSON, whose bodies are base64, only for messages.
std::vector<encoded> samples(const std::vector<std::unique_ptr<codec>>& codecs) {
    std::mt19937_64 random(1);
    std::vector<encoded> all;
    for (const auto& with : codecs)
        for (const kind_rule& rule : kind_rules) {
            if (codecs.size() > 1 && with == codecs[1] && rule.kind != kind::message) continue;
            owned_frame o = drawn_frame(rule.kind, random, true, 12);
            byte_buffer out;
            with->encode(o.view(), out);
            all.push_back({std::string(rule.name) + " in " + std::string(name_of(with->id())),
                           *with,
                           {out.bytes().begin(), out.bytes().end()}});
        }
    return all;
}

} // namespace

TEST_CASE("truncated at every byte: a fault") {
    const auto codecs = all_codecs();
    scratch memory;
    for (const encoded& e : samples(codecs)) {
        CAPTURE(e.of);
        for (std::size_t size = 0; size < e.bytes.size(); ++size) {
            const std::string fault = fault_in(e.with, std::span(e.bytes).first(size), {}, memory);
            // FlatBuffers may end in padding that nothing points to.
            if (e.with.id() == codec_id::json || size + 8 < e.bytes.size()) CHECK_MESSAGE(fault != "", size);
        }
    }
}

TEST_CASE("any one bit flipped, any byte removed, doubled or replaced: a fault or a sound frame") {
    const auto codecs = all_codecs();
    scratch memory;
    std::mt19937_64 random(2);
    std::size_t faults = 0, frames = 0;
    for (encoded& e : samples(codecs)) {
        CAPTURE(e.of);
        const auto count = [&](const std::vector<std::byte>& bytes) {
            (fault_in(e.with, bytes, {}, memory).empty() ? frames : faults)++;
        };
        for (std::size_t at = 0; at < e.bytes.size(); ++at) {
            for (int bit = 0; bit < 8; ++bit) {
                e.bytes[at] ^= std::byte{1} << bit;
                count(e.bytes);
                e.bytes[at] ^= std::byte{1} << bit;
            }
            std::vector<std::byte> other = e.bytes;
            other.erase(other.begin() + static_cast<std::ptrdiff_t>(at));
            count(other);
            other.insert(other.begin() + static_cast<std::ptrdiff_t>(at), 2, e.bytes[at]);
            count(other);
            other = e.bytes;
            other[at] = static_cast<std::byte>(random());
            count(other);
        }
    }
    CHECK(faults > 10000);
    CHECK(frames > 10000); // of text, body, numbers
}

TEST_CASE("huge and negative lengths and offsets in FlatBuffers") {
    std::vector<std::unique_ptr<codec>> codecs;
    codecs.push_back(make_flatbuffers_codec());
    scratch memory;
    for (encoded& e : samples(codecs)) {
        CAPTURE(e.of);
        for (std::size_t at = 0; at + 4 <= e.bytes.size(); at += 2)
            for (const std::uint32_t value : {0u, 1u, 4u, 0x7fffu, 0xffffu, 0x10000u, 0x7fffffffu, 0x80000000u,
                                              0xfffffffcu, 0xffffffffu, static_cast<std::uint32_t>(e.bytes.size())}) {
                std::vector<std::byte> bytes = e.bytes;
                std::memcpy(bytes.data() + at, &value, sizeof value);
                static_cast<void>(fault_in(e.with, bytes, {}, memory));
            }
    }
    CHECK(fault_in(*codecs[0], {}, {}, memory) != "");
    CHECK(fault_in(*codecs[0], std::vector<std::byte>(1000), {}, memory) != "");
    CHECK(fault_in(*codecs[0], std::vector<std::byte>(1000, std::byte{0xff}), {}, memory) != "");
    CHECK(fault_in(*codecs[0], std::vector<std::byte>(1000), {100, 100, 999}, memory) ==
          "FlatBuffers: longer than a frame may be");
}

TEST_CASE("random bytes") {
    const auto codecs = all_codecs();
    scratch memory;
    std::mt19937_64 random(3);
    for (int i = 0; i < 5000; ++i)
        for (const auto& with : codecs) CHECK(fault_in(*with, drawn_bytes(random, random() % 200), {}, memory) != "");
}

TEST_CASE("fault_of: each field that a kind has not, each that it must have, for every kind") {
    std::mt19937_64 random(4);
    std::vector<std::byte> bytes = drawn_bytes(random, 64);
    for (const kind_rule& rule : kind_rules) {
        CAPTURE(rule.name);
        CHECK((rule.required & rule.allowed) == 0);
        for (std::size_t i = 1; i < field_names.size(); ++i) {
            CAPTURE(field_names[i]);
            const field which = static_cast<field>(i);
            owned_frame o = drawn_frame(rule.kind, random, true);
            frame f = o.view();
            const bool required = (rule.required & set_of(which)) != 0, allowed = (rule.allowed & set_of(which)) != 0;
            const auto set = [&](bool on) {
                switch (which) {
                case field::kind:
                    break;
                case field::from:
                    f.from = on;
                    break;
                case field::to:
                    f.to = on;
                    break;
                case field::channel:
                    f.channel = on;
                    break;
                case field::number:
                    f.number = on;
                    break;
                case field::sequence:
                    f.sequence = on;
                    break;
                case field::time_ns:
                    f.time_ns = on;
                    break;
                case field::time2_ns:
                    f.time2_ns = on;
                    break;
                case field::epoch:
                    f.epoch = on;
                    break;
                case field::incarnation:
                    f.incarnation = on;
                    break;
                case field::phase:
                    f.phase = on;
                    break;
                case field::decision_class:
                    f.decision_class = on;
                    break;
                case field::outcome:
                    f.outcome = on;
                    break;
                case field::yes:
                    f.yes = on;
                    break;
                case field::codecs:
                    f.codecs = on;
                    break;
                case field::max_message:
                    f.max_message = on;
                    break;
                case field::votes_for:
                    f.votes_for = on;
                    break;
                case field::votes_against:
                    f.votes_against = on;
                    break;
                case field::text:
                    f.text = on ? "a" : "";
                    break;
                case field::body:
                    f.body = std::span(bytes).first(on ? 1 : 0);
                    break;
                case field::digest:
                    f.digest = std::span(bytes).first(on ? 32 : 0);
                    break;
                case field::signature:
                    f.signature = std::span(bytes).first(on ? 64 : 0);
                    break;
                case field::key:
                    f.key = std::span(bytes).first(on ? 32 : 0);
                    break;
                }
            };
            const std::string start = std::string(rule.name) + ": ", name(field_names[i]);
            set(true);
            CHECK(fault_of(f, {}) == (required || allowed ? "" : start + "has no " + name));
            set(false);
            CHECK(fault_of(f, {}) == (required ? start + name + " is missing" : ""));
        }
    }
}

TEST_CASE("fault_of: kinds, ranges, sizes and UTF-8; both codecs refuse to write what it refuses") {
    std::mt19937_64 random(5);
    std::vector<std::byte> bytes = drawn_bytes(random, 65);
    const auto fault = [&](auto change, kind k = kind::decision) {
        owned_frame o = drawn_frame(k, random, true);
        frame f = o.view();
        change(f);
        const std::string why = fault_of(f, {100'000, 4096, 100'000});
        for (const auto& with : all_codecs()) {
            byte_buffer out;
            if (why.empty()) {
                with->encode(f, out);
            } else if (f.body.size() <= 100'000) {
                CHECK_THROWS_WITH_AS(with->encode(f, out), why.c_str(), std::invalid_argument);
                CHECK(out.empty());
            }
        }
        return why;
    };
    CHECK(fault([](frame&) {}) == "");
    CHECK(fault([](frame& f) { f.kind = kind{0}; }) == "kind: 0 is not a kind of frame");
    CHECK(fault([](frame& f) { f.kind = kind{17}; }) == "kind: 17 is not a kind of frame");
    CHECK(fault([](frame& f) { f.kind = kind{255}; }) == "kind: 255 is not a kind of frame");
    CHECK(fault([](frame& f) { f.phase = 3; }) == "decision: phase 3 is not 0 to 2");
    CHECK(fault([](frame& f) { f.decision_class = 5; }) == "decision: decision_class 5 is not 0 to 4");
    CHECK(fault([](frame& f) { f.outcome = 4; }) == "decision: outcome 4 is not 0 to 3");
    for (const std::size_t size : {1, 31, 33, 64}) {
        CHECK(fault([&](frame& f) { f.digest = std::span(bytes).first(size); }).starts_with("decision: digest has"));
        CHECK(
            fault([&](frame& f) { f.key = std::span(bytes).first(size); }, kind::hello).starts_with("hello: key has"));
    }
    for (const std::size_t size : {1, 32, 63, 65})
        CHECK(fault([&](frame& f) { f.signature = std::span(bytes).first(size); }, kind::vote)
                  .starts_with("vote: signature has"));
    CHECK(fault([](frame& f) { f.text = "\xc3"; }) == "decision: text is not UTF-8");
    const std::string text(4097, 'a');
    CHECK(fault([&](frame& f) { f.text = text; }) == "decision: text has 4097 bytes, more than 4096");
    const std::vector<std::byte> body(100'001);
    CHECK(fault([&](frame& f) { f.body = body; }) == "decision: body has 100001 bytes, more than 100000");
}

TEST_CASE("what fault_of refuses is refused when it is read, too") {
    // Written by other means than the codec's: bytes at the places where the codec has put the numbers.
    std::mt19937_64 random(6);
    owned_frame o = drawn_frame(kind::vote, random, true);
    o.f.phase = 2;
    o.f.decision_class = 4;
    o.f.from = o.f.to = 0x01020304;
    byte_buffer out;
    const auto with = make_flatbuffers_codec();
    with->encode(o.view(), out);
    // The head: six numbers of 8 bytes, seven of 4, then kind, phase, decision_class, outcome, yes.
    const std::string text = text_of(out.bytes());
    const std::size_t from = text.find("\x04\x03\x02\x01\x04\x03\x02\x01");
    REQUIRE(from != std::string::npos);
    const std::size_t head = from + 28;
    scratch memory;
    const auto now = [&](std::size_t at, int value) {
        std::vector<std::byte> bytes(out.bytes().begin(), out.bytes().end());
        bytes[at] = static_cast<std::byte>(value);
        return fault_in(*with, bytes, {}, memory);
    };
    REQUIRE(now(head, 7) == "");
    CHECK(now(head, 0) == "kind: 0 is not a kind of frame");
    CHECK(now(head, 17) == "kind: 17 is not a kind of frame");
    CHECK(now(head, 13) == "ping: time_ns is missing");
    CHECK(now(head + 1, 3) == "vote: phase 3 is not 0 to 2");
    CHECK(now(head + 2, 5) == "vote: decision_class 5 is not 0 to 4");
    CHECK(now(head + 3, 1) == "vote: has no outcome");
    CHECK(now(head + 4, 2) == "yes: neither 0 nor 1");
    CHECK(now(head + 4, 0) == "");
    CHECK(now(4, 'X') == "FlatBuffers: offsets or lengths are wrong"); // the identifier

    owned_frame named = drawn_frame(kind::refused, random, true);
    named.text = "why";
    out.clear();
    with->encode(named.view(), out);
    CHECK(now(text_of(out.bytes()).find("why"), 0xff) == "refused: text is not UTF-8");
}
