// The JSON, letter for letter, and what is accepted besides it.
#include <doctest/doctest.h>

#include "frame_samples.hpp"

using namespace chimera::frames;

namespace {

std::string json_of(const frame& f, body_text body = body_text::numbers) {
    byte_buffer out;
    make_json_codec(body)->encode(f, out);
    return text_of(out.bytes());
}

const std::string& ping_text() {
    static const std::string text =
        R"({"kind":"ping","from":1,"to":2,"channel":0,"number":0,"sequence":0,"time_ns":4,"time2_ns":0,"epoch":5,)"
        R"("incarnation":0,"phase":0,"decision_class":0,"outcome":0,"yes":false,"codecs":0,"max_message":0,)"
        R"("votes_for":0,"votes_against":0,"text":"","body":[],"digest":"","signature":"","key":""})";
    return text;
}

frame ping() {
    frame f;
    f.kind = kind::ping;
    f.from = 1;
    f.to = 2;
    f.time_ns = 4;
    f.epoch = 5;
    return f;
}

/// The ping with `from` replaced once by `to`.
std::string changed(std::string_view from, std::string_view to) {
    std::string text = ping_text();
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

std::string fault_in(const std::string& text, const limits& most = {}) {
    scratch memory;
    return chimera::frames::fault_in(*make_json_codec(), bytes_of(text), most, memory);
}

} // namespace

TEST_CASE("JSON is what serde_json writes for the same struct") {
    CHECK(json_of(ping()) == ping_text());

    frame message;
    message.kind = kind::message;
    message.from = 4294967295;
    message.channel = 7;
    message.sequence = 18446744073709551615u;
    const std::array<std::byte, 6> body{std::byte{0},  std::byte{9},   std::byte{10},
                                        std::byte{99}, std::byte{100}, std::byte{255}};
    message.body = body;
    CHECK(json_of(message) ==
          R"({"kind":"message","from":4294967295,"to":0,"channel":7,"number":0,"sequence":18446744073709551615,)"
          R"("time_ns":0,"time2_ns":0,"epoch":0,"incarnation":0,"phase":0,"decision_class":0,"outcome":0,"yes":false,)"
          R"("codecs":0,"max_message":0,"votes_for":0,"votes_against":0,"text":"",)"
          R"("body":[0,9,10,99,100,255],"digest":"","signature":"","key":""})");
    CHECK(json_of(message, body_text::base64).find(R"("text":"","body":"AAkKY2T/","digest")") != std::string::npos);

    std::vector<std::byte> digest(32, std::byte{0xab}), signature(64, std::byte{0x01}), key(32, std::byte{0xf0});
    std::string digest_hex, signature_hex, key_hex;
    for (int i = 0; i < 32; ++i) digest_hex += "ab", key_hex += "f0";
    for (int i = 0; i < 64; ++i) signature_hex += "01";
    frame vote;
    vote.kind = kind::vote;
    vote.number = 1;
    vote.sequence = 2;
    vote.incarnation = 3;
    vote.phase = 2;
    vote.decision_class = 4;
    vote.yes = true;
    vote.digest = digest;
    vote.signature = signature;
    CHECK(json_of(vote) ==
          R"({"kind":"vote","from":0,"to":0,"channel":0,"number":1,"sequence":2,"time_ns":0,"time2_ns":0,"epoch":0,)"
          R"("incarnation":3,"phase":2,"decision_class":4,"outcome":0,"yes":true,"codecs":0,"max_message":0,)"
          R"("votes_for":0,"votes_against":0,"text":"","body":[],"digest":")" +
              digest_hex + R"(","signature":")" + signature_hex + R"(","key":""})");

    frame member;
    member.kind = kind::member;
    member.text = "a\"b\\c/\b\f\n\r\t\x01\x1f\x7f\xc3\xa4\xf0\x9f\x98\x80\xe2\x80\xa8";
    member.key = key;
    CHECK(json_of(member) ==
          R"({"kind":"member","from":0,"to":0,"channel":0,"number":0,"sequence":0,"time_ns":0,"time2_ns":0,"epoch":0,)"
          R"("incarnation":0,"phase":0,"decision_class":0,"outcome":0,"yes":false,"codecs":0,"max_message":0,)"
          R"("votes_for":0,"votes_against":0,"text":"a\"b\\c/\b\f\n\r\t\u0001\u001f)"
          "\x7f\xc3\xa4\xf0\x9f\x98\x80\xe2\x80\xa8"
          R"(","body":[],"digest":"","signature":"","key":")" +
              key_hex + "\"}");
}

TEST_CASE("other orders of keys, blanks, escapes and unknown keys are read") {
    CHECK(fault_in(ping_text()) == "");
    CHECK(fault_in(" {\n\t" + ping_text().substr(1) + " \n") == "");
    CHECK(fault_in(changed("\"kind\"", "\"k\\u0069nd\"")) == "");
    CHECK(fault_in(changed(R"("from":1,"to":2)", R"("to":2,"from":1)")) == "");
    for (const std::string unknown :
         {"1", "-1.5e3", "null", "true", "\"x\"", "[]", "{}", R"({"kind":[1,{"from":"x"}]})", "[[[[[[[[]]]]]]]]"}) {
        CAPTURE(unknown);
        CHECK(fault_in(changed("\"from\"", "\"later\":" + unknown + ",\"from\"")) == "");
        CHECK(fault_in(changed("\"key\":\"\"", "\"key\":\"\",\"later\":" + unknown)) == "");
    }
    scratch memory;
    const frame either = make_json_codec()->decode(
        bytes_of(
            R"({"kind":"message","from":0,"to":0,"channel":0,"number":0,"sequence":1,"time_ns":0,"time2_ns":0,)"
            R"("epoch":0,"incarnation":0,"phase":0,"decision_class":0,"outcome":0,"yes":false,"codecs":0,"max_message":0,)"
            R"("votes_for":0,"votes_against":0,"text":"","body":"AAkKY2T/","digest":"","signature":"","key":""})"),
        memory, limits{});
    CHECK(either.body.size() == 6);
}

TEST_CASE("a key that is missing or there twice is a fault that names it") {
    for (const std::string_view name : field_names) {
        CAPTURE(name);
        const std::string quoted = "\"" + std::string(name) + "\":";
        CHECK(fault_in(changed(quoted, "\"other\":")) == std::string(name) + ": missing");
        const std::size_t at = ping_text().find(quoted), end = ping_text().find_first_of(",}", at);
        const std::string pair = ping_text().substr(at, end - at);
        CHECK(fault_in(changed(pair, pair + "," + pair)) == std::string(name) + ": there twice");
    }
}

TEST_CASE("a value of another type, or out of range, is a fault that names its key") {
    const std::vector<std::string> values{"null",
                                          "true",
                                          "1",
                                          "-1",
                                          "1.0",
                                          "1e0",
                                          "01",
                                          "\"1\"",
                                          "\"\"",
                                          "[]",
                                          "{}",
                                          "[256]",
                                          "+1",
                                          "tru",
                                          "nul",
                                          "0x1",
                                          "\"x",
                                          "",
                                          "18446744073709551616"};
    const std::string text = ping_text();
    for (const std::string_view name : field_names) {
        const std::string quoted = "\"" + std::string(name) + "\":";
        const std::size_t at = text.find(quoted) + quoted.size(), end = text.find_first_of(",}", at);
        for (const std::string& value : values) {
            const std::string now = text.substr(0, at) + value + text.substr(end);
            CAPTURE(now);
            const std::string fault = fault_in(now);
            const std::string was = text.substr(at, end - at);
            const bool number = was[0] >= '0' && was[0] <= '9';
            const bool fits =
                value == was || (number && value == "1" && fault.empty()) || (name == "body" && value == "\"\"");
            CHECK(fault.empty() == fits);
        }
    }
    CHECK(fault_in(changed("\"from\":1", "\"from\":4294967296")) == "from: the number is too large");
    CHECK(fault_in(changed("\"phase\":0", "\"phase\":256")) == "phase: the number is too large");
    CHECK(fault_in(changed("\"ping\"", "\"Ping\"")) == "kind: there is no such kind of frame");
    CHECK(fault_in(changed("\"text\":\"\"", "\"text\":\"a\"")) == "ping: has no text");
}

TEST_CASE("hex and base64 are exact") {
    frame f;
    f.kind = kind::decision;
    f.decision_class = f.outcome = 1;
    const std::vector<std::byte> body(4, std::byte{0xff}), digest(32, std::byte{0xff});
    f.body = body;
    f.digest = digest;
    const std::string text = json_of(f, body_text::base64);
    REQUIRE(fault_in(text) == "");
    const auto with = [&](std::string_view from, std::string_view to) {
        std::string now = text;
        return fault_in(now.replace(now.find(from), from.size(), to));
    };
    const std::string hex(64, 'f');
    for (const std::string& other : {hex + "f", hex + "ff", hex.substr(1), hex.substr(2), "g" + hex.substr(1),
                                     " " + hex.substr(1), "  " + hex.substr(2), "  " + hex})
        CHECK(with(hex, other) == "digest: not 64 hex digits");
    CHECK(with("/////w==", "/////w==") == "");
    for (const std::string other : {"/////w=", "/////w", "/////w===", "=/////w=", "/////w= ", "////\\n/w==", "/// //w=",
                                    "/////$==", "====", "=", "/////w==AAAA", "____", "/////x=="})
        CHECK_MESSAGE(with("/////w==", other) == "body: not base64", other);
    CHECK(with("/////w==", "") == ""); // no body
}

TEST_CASE("text that is no JSON object, or has something behind it") {
    for (const std::string text : {"", " ", "{", "}", "[]", "1", "null", "\"x\"", "{}{}", "\xff", "{\"kind\"}", "{,}"})
        CHECK_MESSAGE(fault_in(text) != "", text);
    for (const std::string& behind : {std::string("{}"), std::string("1"), std::string(","), std::string("}"),
                                      std::string("]"), std::string("x"), std::string("\xff"), std::string(1, '\0')})
        CHECK_MESSAGE(fault_in(ping_text() + behind) != "", behind);
    CHECK(fault_in(ping_text().substr(0, ping_text().size() - 1)) != "");
    for (const std::size_t depth : {9, 12, 100, 20000}) {
        CHECK(fault_in(changed("\"from\"",
                               "\"later\":" + std::string(depth, '[') + std::string(depth, ']') + ",\"from\"")) != "");
        CHECK(fault_in(changed("\"from\"", "\"later\":" + std::string(depth, '[') + ",\"from\"")) != "");
        std::string objects;
        for (std::size_t i = 0; i < depth; ++i) objects += "{\"a\":";
        CHECK(fault_in(changed("\"from\"", "\"later\":" + objects + "1" + std::string(depth, '}') + ",\"from\"")) !=
              "");
        CHECK(fault_in(std::string(depth, '[')) != "");
    }
}

TEST_CASE("text that is not UTF-8 or has broken escapes is a fault") {
    frame f;
    f.kind = kind::refused;
    f.text = "abc";
    const std::string text = json_of(f);
    const auto with = [&](std::string_view to) {
        std::string now = text;
        return fault_in(now.replace(now.find("abc"), 3, to));
    };
    CHECK(with("\\u00e4 \\ud83d\\ude00") == "");
    for (const std::string_view bad : {"\xff", "\xc3", "\xed\xa0\x80", "\xc0\xaf", "\xf4\x90\x80\x80", "\\ud800",
                                       "\\udc00", "\\ud83d\\u0041", "\\x", "\\", "\\u12", "\n", "\x01"})
        CHECK_MESSAGE(with(bad) != "", bad);
    CHECK(with(std::string(4096, 'a')) == "");
    CHECK(with(std::string(4097, 'a')) == "refused: text has 4097 bytes, more than 4096");
}

TEST_CASE("bodies up to the limit and not beyond, in both forms") {
    frame f;
    f.kind = kind::message;
    f.sequence = 1;
    const limits most = limits::for_body(100);
    for (const body_text form : {body_text::numbers, body_text::base64}) {
        for (const std::size_t size : {98, 99, 100, 101, 102, 103, 104, 2000}) {
            const std::vector<std::byte> body(size, std::byte{200});
            f.body = body;
            CHECK(fault_in(json_of(f, form), most).empty() == (size <= 100));
        }
    }
    const std::vector<std::byte> body(100, std::byte{200});
    f.body = body;
    CHECK(fault_in(json_of(f), {100, 4096, 200}) == "JSON: longer than a frame may be");
}
