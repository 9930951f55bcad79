// What is written is read: every kind, every field, both codecs, and the same from both.
#include <doctest/doctest.h>

#include "frame_samples.hpp"

using namespace chimera::frames;

TEST_CASE("every kind, with all of its fields and with only some, comes back from each codec") {
    std::mt19937_64 random(1);
    for (const auto& with : all_codecs()) {
        for (const kind_rule& rule : kind_rules) {
            CAPTURE(rule.name);
            for (const bool all : {true, false}) {
                owned_frame o = drawn_frame(rule.kind, random, all);
                REQUIRE(fault_of(o.view(), limits{}).empty());
                byte_buffer out;
                with->encode(o.view(), out);
                scratch memory;
                CHECK(with->decode(out.bytes(), memory, limits{}) == o.view());
            }
        }
    }
}

TEST_CASE("the samples have every field of their kind, so a codec that forgets one is seen") {
    std::mt19937_64 random(2);
    field_set seen = 0;
    for (const kind_rule& rule : kind_rules) seen |= rule.required | rule.allowed;
    CHECK(seen == (field_set{1} << field_names.size()) - 1);
    // operator== looks at each field: changing any one is a difference.
    owned_frame o = drawn_frame(kind::vote, random, true);
    const frame before = o.view();
    const auto differs = [&](auto change) {
        frame other = before;
        change(other);
        return !(other == before);
    };
    CHECK(differs([](frame& f) { f.kind = kind::ping; }));
    CHECK(differs([](frame& f) { f.from ^= 1; }));
    CHECK(differs([](frame& f) { f.to ^= 1; }));
    CHECK(differs([](frame& f) { f.channel ^= 1; }));
    CHECK(differs([](frame& f) { f.number ^= 1; }));
    CHECK(differs([](frame& f) { f.sequence ^= 1; }));
    CHECK(differs([](frame& f) { f.time_ns ^= 1; }));
    CHECK(differs([](frame& f) { f.time2_ns ^= 1; }));
    CHECK(differs([](frame& f) { f.epoch ^= 1; }));
    CHECK(differs([](frame& f) { f.incarnation ^= 1; }));
    CHECK(differs([](frame& f) { f.phase ^= 1; }));
    CHECK(differs([](frame& f) { f.decision_class ^= 1; }));
    CHECK(differs([](frame& f) { f.outcome ^= 1; }));
    CHECK(differs([](frame& f) { f.yes = !f.yes; }));
    CHECK(differs([](frame& f) { f.codecs ^= 1; }));
    CHECK(differs([](frame& f) { f.max_message ^= 1; }));
    CHECK(differs([](frame& f) { f.votes_for ^= 1; }));
    CHECK(differs([](frame& f) { f.votes_against ^= 1; }));
    CHECK(differs([](frame& f) { f.text = "a"; }));
    CHECK(differs([](frame& f) { f.body = f.digest; }));
    CHECK(differs([](frame& f) { f.digest = {}; }));
    CHECK(differs([](frame& f) { f.signature = {}; }));
    CHECK(differs([](frame& f) { f.key = f.digest; }));
}

TEST_CASE("random frames: JSON and FlatBuffers say the same") {
    std::mt19937_64 random(3);
    const auto codecs = all_codecs();
    std::vector<scratch> memories(codecs.size());
    byte_buffer out;
    for (int i = 0; i < 3000; ++i) {
        CAPTURE(i);
        const kind k = kind_rules[random() % kind_rules.size()].kind;
        owned_frame o = drawn_frame(k, random, false, 1 + random() % 2000);
        std::vector<frame> read;
        std::vector<std::vector<std::byte>> inputs(codecs.size());
        for (std::size_t c = 0; c < codecs.size(); ++c) {
            out.clear();
            codecs[c]->encode(o.view(), out);
            inputs[c].assign(out.bytes().begin(), out.bytes().end());
            read.push_back(codecs[c]->decode(inputs[c], memories[c], limits{}));
        }
        for (const frame& f : read) REQUIRE(f == o.view());
    }
}

TEST_CASE("FlatBuffers are read where they lie, and are copied only where that is not aligned") {
    std::mt19937_64 random(4);
    const auto with = make_flatbuffers_codec();
    owned_frame o = drawn_frame(kind::message, random, true);
    byte_buffer out;
    with->encode(o.view(), out);
    CHECK(out.size() % 8 == 0);
    scratch memory;
    const frame there = with->decode(out.bytes(), memory, limits{});
    CHECK(there.body.data() >= out.data());
    CHECK(there.body.data() < out.data() + out.size());
    CHECK(reinterpret_cast<std::uintptr_t>(there.body.data()) % 8 == 0);

    for (std::size_t off = 1; off < 8; ++off) {
        byte_buffer shifted;
        shifted.append(off);
        shifted.append(out.bytes());
        CHECK(with->decode(shifted.bytes().subspan(off), memory, limits{}) == o.view());
    }
}

TEST_CASE("a codec is found by its name") {
    CHECK(codec_named("json") == codec_id::json);
    CHECK(codec_named("flatbuffers") == codec_id::flatbuffers);
    CHECK(!codec_named("msgpack"));
    CHECK(make_codec(codec_id::json)->id() == codec_id::json);
    CHECK(make_codec(codec_id::flatbuffers)->id() == codec_id::flatbuffers);
    CHECK(bit_of(codec_id::json) != bit_of(codec_id::flatbuffers));
}
