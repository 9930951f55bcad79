// Frames on a stream that is cut anywhere.
#include <doctest/doctest.h>

#include <algorithm>

#include "frame/framing.hpp"
#include "frame_samples.hpp"

using namespace chimera::frames;

namespace {

constexpr std::uint32_t both = bit_of(codec_id::json) | bit_of(codec_id::flatbuffers);

struct stream {
    std::vector<owned_frame> frames;
    byte_buffer bytes;
};

/// A hello, then `count` frames of all kinds with either codec.
stream drawn_stream(std::mt19937_64& random, std::size_t count) {
    stream s;
    frame_writer writer;
    writer.use(codec_id::flatbuffers);
    s.frames.push_back(drawn_frame(kind::hello, random, true, 20));
    writer.write(s.frames.back().view(), s.bytes);
    for (std::size_t i = 0; i < count; ++i) {
        writer.use(i % 2 == 0 ? codec_id::flatbuffers : codec_id::json);
        s.frames.push_back(drawn_frame(kind_rules[i % kind_rules.size()].kind, random, false, 40));
        writer.write(s.frames.back().view(), s.bytes);
    }
    return s;
}

/// Feeds a copy of the piece whose address is `off` behind a multiple of 8, and takes all that is there.
std::size_t take(frame_reader& reader, std::span<const std::byte> piece, std::size_t off, stream& s, std::size_t at) {
    byte_buffer copy;
    copy.append(off);
    copy.append(piece);
    reader.feed(copy.bytes().subspan(off));
    while (const auto f = reader.next()) {
        REQUIRE(at < s.frames.size());
        CHECK(*f == s.frames[at].view());
        ++at;
    }
    return at;
}

std::string fault_of_stream(std::span<const std::byte> bytes, const limits& most = {}, std::uint32_t accepted = both) {
    std::string first;
    for (const std::size_t piece : {bytes.size(), std::size_t{1}, std::size_t{7}}) {
        frame_reader reader(most, accepted);
        std::string fault;
        try {
            for (std::size_t at = 0; at < bytes.size(); at += piece) {
                const auto part = bytes.subspan(at, std::min(piece, bytes.size() - at));
                reader.feed(part);
                while (reader.next()) {
                }
            }
        } catch (const frame_error& e) {
            fault = e.what();
            CHECK_THROWS_AS(reader.next(), frame_error); // and stays so
        }
        if (piece == bytes.size()) first = fault;
        CHECK(fault == first);
    }
    return first;
}

frame ping(std::uint64_t number) {
    frame f;
    f.kind = kind::ping;
    f.time_ns = number;
    return f;
}

} // namespace

TEST_CASE("a stream that is cut at any one place, or into pieces of any size, brings the same frames") {
    std::mt19937_64 random(1);
    stream s = drawn_stream(random, 6);
    const auto bytes = s.bytes.bytes();
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        CAPTURE(cut);
        frame_reader reader({}, both);
        std::size_t at = take(reader, bytes.first(cut), cut % 8, s, 0);
        at = take(reader, bytes.subspan(cut), cut / 8 % 8, s, at);
        CHECK(at == s.frames.size());
        CHECK(reader.at_boundary());
    }
    stream longer = drawn_stream(random, 60);
    for (std::size_t piece = 1; piece < 700; piece += 1 + piece / 9) {
        CAPTURE(piece);
        frame_reader reader({}, both);
        std::size_t at = 0;
        const auto all = longer.bytes.bytes();
        for (std::size_t from = 0; from < all.size(); from += piece)
            at = take(reader, all.subspan(from, std::min(piece, all.size() - from)), random() % 8, longer, at);
        CHECK(at == longer.frames.size());
        CHECK(reader.at_boundary());
    }
}

// The original system read streams without frames, and kept its last batch until the next one was full.
TEST_CASE("the last, partial batch is delivered, and the end inside a frame is seen") {
    frame_writer writer;
    writer.use(codec_id::flatbuffers);
    frame_reader reader({}, both);
    std::uint64_t next = 0, seen = 0;
    for (const std::uint64_t in_batch : {10, 10, 3, 1}) {
        byte_buffer batch;
        for (std::uint64_t i = 0; i < in_batch; ++i) writer.write(ping(++next), batch);
        reader.feed(batch.bytes());
        while (const auto f = reader.next()) CHECK(f->time_ns == ++seen);
        CHECK(seen == next); // nothing waits for a later batch
        CHECK(reader.at_boundary());
    }
    byte_buffer last;
    writer.write(ping(++next), last);
    for (std::size_t size = 1; size < last.size(); ++size) {
        frame_reader ended({}, both);
        ended.feed(last.bytes().first(size));
        CHECK(!ended.next());
        CHECK(!ended.at_boundary());
    }
}

TEST_CASE("a payload that is whole and aligned in the piece is not copied") {
    frame_writer writer;
    byte_buffer bytes;
    for (std::uint64_t i = 1; i <= 3; ++i) writer.write(ping(i), bytes);
    frame_splitter splitter(limits{});
    splitter.feed(bytes.bytes());
    const std::byte* const begin = bytes.data();
    for (int i = 0; i < 3; ++i) {
        const auto found = splitter.next();
        REQUIRE(found);
        CHECK(found->bytes.data() >= begin);
        CHECK(found->bytes.data() + found->bytes.size() <= begin + bytes.size());
    }
    CHECK(!splitter.next());
    byte_buffer shifted;
    shifted.append(1);
    shifted.append(bytes.bytes());
    splitter.feed(shifted.bytes().subspan(1));
    int n = 0;
    while (const auto found = splitter.next()) {
        CHECK(reinterpret_cast<std::uintptr_t>(found->bytes.data()) % 8 == 0);
        ++n;
    }
    CHECK(n == 3);
    splitter.feed(bytes.bytes());
    CHECK_THROWS_AS(splitter.feed(bytes.bytes()), std::logic_error); // would lose the first
}

TEST_CASE("every byte of the header and the padding is checked") {
    frame_writer writer;
    byte_buffer good;
    frame f = ping(12345);
    writer.write(f, good);
    while (good.size() ==
           8 + (std::to_integer<std::size_t>(good.bytes()[0]) | std::to_integer<std::size_t>(good.bytes()[1]) << 8)) {
        f.time_ns *= 10; // until there is padding
        good.clear();
        writer.write(f, good);
    }
    REQUIRE(fault_of_stream(good.bytes()) == "");
    const auto with = [&](std::size_t at, int value) {
        byte_buffer bad;
        bad.append(good.bytes());
        bad.data()[at] = static_cast<std::byte>(value);
        return fault_of_stream(bad.bytes());
    };
    CHECK(with(4, 0) == "header: there is no codec 0");
    CHECK(with(4, 3) == "header: there is no codec 3");
    CHECK(with(4, 255) == "header: there is no codec 255");
    for (int bit = 0; bit < 8; ++bit) {
        CHECK(with(5, 1 << bit) == "header: flags that are not known");
        CHECK(with(6, 1 << bit) == "header: reserved bytes are not 0");
        CHECK(with(7, 1 << bit) == "header: reserved bytes are not 0");
        CHECK(with(good.size() - 1, 1 << bit) == "padding: not 0");
    }
    CHECK(with(3, 0xff).starts_with("header: a payload of 42"));
    byte_buffer empty;
    empty.append(good.bytes().first(8));
    std::fill_n(empty.data(), 4, std::byte{});
    CHECK(fault_of_stream(empty.bytes()).starts_with("header: a payload of 0 bytes"));
}

TEST_CASE("a length beyond the limit ends the stream at its header, before the payload has come") {
    for (const std::uint32_t size : {4097u, 65536u, 0x7fffffffu, 0xffffffffu}) {
        const auto header = header_of(size, codec_id::json);
        CHECK(fault_of_stream(header, {100, 100, 4096}).starts_with("header: a payload of " + std::to_string(size)));
    }
}

TEST_CASE("hello and welcome are JSON whatever was agreed on; another codec must be agreed on") {
    std::mt19937_64 random(2);
    frame_writer writer;
    writer.use(codec_id::flatbuffers);
    for (const kind_rule& rule : kind_rules) {
        CAPTURE(rule.name);
        owned_frame o = drawn_frame(rule.kind, random, true);
        byte_buffer out;
        writer.write(o.view(), out);
        const bool json = rule.kind == kind::hello || rule.kind == kind::welcome;
        CHECK(std::to_integer<int>(out.bytes()[4]) == (json ? 1 : 2));
        CHECK(fault_of_stream(out.bytes()) == "");
        CHECK(fault_of_stream(out.bytes(), {}, 0) == (json ? "" : "header: the codec flatbuffers was not agreed on"));

        // The same frame as a writer would send that does not keep to this.
        byte_buffer payload;
        make_flatbuffers_codec()->encode(o.view(), payload);
        byte_buffer wrong;
        const auto header = header_of(payload.size(), codec_id::flatbuffers);
        wrong.append(header);
        wrong.append(payload.bytes());
        CHECK(fault_of_stream(wrong.bytes()) == (json ? std::string(rule.name) + ": only JSON may have it" : ""));
    }
}

TEST_CASE("what is not a frame is not written, and leaves nothing behind") {
    frame_writer writer;
    byte_buffer out;
    writer.write(ping(1), out);
    const std::size_t before = out.size();
    frame f = ping(2);
    f.text = "x";
    for (const codec_id id : {codec_id::json, codec_id::flatbuffers}) {
        writer.use(id);
        CHECK_THROWS_WITH_AS(writer.write(f, out), "ping: has no text", std::invalid_argument);
        CHECK(out.size() == before);
        writer.write(ping(3), out);
        CHECK(fault_of_stream(out.bytes()) == "");
        out.truncate(before);
    }
}
