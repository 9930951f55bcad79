#include "protocol/content_decoder.hpp"

#include <doctest/doctest.h>
#include <zlib.h>

#include <random>
#include <stdexcept>
#include <string>
#include <string_view>

using namespace chimera::host;

namespace {

constexpr int zlib_wrapped = MAX_WBITS, raw = -MAX_WBITS, gzip = MAX_WBITS + 16;

std::string compressed(std::string_view text, int wrapping) {
    z_stream z{};
    REQUIRE(deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, wrapping, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string input(text), out(deflateBound(&z, text.size()) + 64, '\0');
    z.next_in = reinterpret_cast<Bytef*>(input.data());
    z.avail_in = static_cast<uInt>(input.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
    out.resize(z.total_out);
    deflateEnd(&z);
    return out;
}

/// Cut in pieces of `piece` bytes, the first of `first`.
std::string decoded(std::string_view name, std::string_view body, std::size_t first, std::size_t piece,
                    std::size_t most = 1 << 20) {
    const auto decoder = content_decoder::of(name, most);
    REQUIRE(decoder);
    std::string out;
    for (std::size_t size = first; !body.empty(); size = piece) {
        decoder->decode(body.substr(0, size), [&](std::string_view text) { out += text; });
        body.remove_prefix(std::min(size, body.size()));
    }
    decoder->finish();
    return out;
}

const std::string sample = [] {
    std::string text;
    std::mt19937 random(20251129);
    for (int i = 0; i < 40; ++i) text += "data: {\"n\":" + std::to_string(random()) + "}\n\n";
    return text;
}();

} // namespace

TEST_CASE("nothing is to be decoded without an encoding") {
    for (const char* none : {"", " ", "identity", "Identity", ",", "identity, identity"})
        CHECK_FALSE(content_decoder::of(none, 100));
}

TEST_CASE("encodings that cannot be undone are named") {
    for (const char* other : {"br", "zstd", "compress", "gzip, br", "gzip, gzip", "deflate,gzip"}) {
        CAPTURE(other);
        CHECK_THROWS_WITH_AS(content_decoder::of(other, 100), doctest::Contains(other), std::runtime_error);
    }
}

TEST_CASE("a body comes out whole wherever it is cut, in every wrapping") {
    const struct {
        const char* name;
        int wrapping;
    } encodings[]{
        {"gzip", gzip}, {"X-GZip", gzip}, {"deflate", zlib_wrapped}, {" deflate ", raw}, {"identity, gzip", gzip}};
    for (const auto& encoding : encodings) {
        CAPTURE(encoding.name);
        CAPTURE(encoding.wrapping);
        const std::string body = compressed(sample, encoding.wrapping);
        for (std::size_t cut = 1; cut <= body.size(); ++cut)
            if (decoded(encoding.name, body, cut, body.size()) != sample) FAIL("cut at " << cut);
        CHECK(decoded(encoding.name, body, 1, 1) == sample);
        CHECK(decoded(encoding.name, body, 2, 7) == sample);
        for (std::size_t length = 1; length < body.size(); ++length) // cut off anywhere, it is told
            if (length < body.size())
                CHECK_THROWS_AS(decoded(encoding.name, body.substr(0, length), 3, 64), std::runtime_error);
    }
}

TEST_CASE("what was compressed comes out as soon as it can") {
    z_stream z{};
    REQUIRE(deflateInit2(&z, 6, Z_DEFLATED, gzip, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    const auto decoder = content_decoder::of("gzip", 1000);
    for (std::string token : {"one ", "two ", "three"}) {
        std::string out(200, '\0');
        z.next_in = reinterpret_cast<Bytef*>(token.data());
        z.avail_in = static_cast<uInt>(token.size());
        z.next_out = reinterpret_cast<Bytef*>(out.data());
        z.avail_out = static_cast<uInt>(out.size());
        REQUIRE(deflate(&z, Z_SYNC_FLUSH) == Z_OK);
        std::string got;
        decoder->decode(std::string_view(out).substr(0, out.size() - z.avail_out),
                        [&](std::string_view text) { got += text; });
        CHECK(got == token);
    }
    deflateEnd(&z);
    CHECK_THROWS_WITH(decoder->finish(), doctest::Contains("cut off after 13"));
}

TEST_CASE("members of gzip follow each other, and what stands behind them is passed over") {
    const std::string body = compressed("one ", gzip) + compressed("", gzip) + compressed("two", gzip);
    for (const char* behind : {"", "\0\0", "junk"}) {
        CHECK(decoded("gzip", body + behind, 1, 1) == "one two");
        CHECK(decoded("gzip", body + behind, 5, 1000) == "one two");
    }
    CHECK(decoded("deflate", compressed("x", zlib_wrapped) + "junk", 1, 1) == "x");
}

TEST_CASE("corrupt data and too much of it are errors") {
    CHECK_THROWS_WITH_AS(decoded("gzip", "data: {}\n\n", 3, 3), doctest::Contains("gzip"), std::runtime_error);
    std::string broken = compressed(sample, gzip);
    broken[broken.size() - 6] = static_cast<char>(broken[broken.size() - 6] ^ 1); // its checksum
    CHECK_THROWS_AS(decoded("gzip", broken, 100, 100), std::runtime_error);
    const std::string bomb = compressed(std::string(1 << 20, 'x'), gzip);
    CHECK(decoded("gzip", bomb, 100, 100).size() == 1 << 20);
    CHECK_THROWS_WITH_AS(decoded("gzip", bomb, 100, 100, (1 << 20) - 1), doctest::Contains("limit"),
                         std::runtime_error);
}

TEST_CASE("a body without a byte is not an error") {
    CHECK(decoded("gzip", "", 1, 1).empty());
    CHECK(decoded("deflate", "", 1, 1).empty());
}
