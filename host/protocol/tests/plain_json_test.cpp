// plain_json by itself, and beside the full parser: both must read each record alike.
#include "protocol/llm_stream.hpp"
#include "protocol/plain_json.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace chimera::host;
using nlohmann::json;

namespace {

/// A record in a heap block of its very size and one byte of slack, so that a sanitizer sees a read beyond it.
class exact_copy {
  public:
    explicit exact_copy(std::string_view text) : bytes_(std::make_unique<char[]>(text.size() + 1)), size_(text.size()) {
        if (size_ != 0) std::memcpy(bytes_.get(), text.data(), size_);
        bytes_[size_] = '\n';
    }
    record_view view() const { return {{bytes_.get(), size_}, 1}; }

  private:
    std::unique_ptr<char[]> bytes_;
    std::size_t size_;
};

bool is_plain(std::string_view text) {
    const exact_copy copy(text);
    plain_json j(copy.view());
    return j.skip() && j.at_end();
}

class draw {
  public:
    std::size_t below(std::size_t n) { return random_() % n; }
    std::string one_of(const std::vector<std::string>& from) { return from[below(from.size())]; }
    /// {"key":value,...}, of up to `most` members, some twice.
    std::string object(std::size_t most, const std::vector<std::string>& members) {
        std::string text = "{";
        for (std::size_t n = below(most + 1); n != 0; --n) {
            if (text.size() > 1) text += ",";
            text += one_of(members);
        }
        return text + "}";
    }

  private:
    std::mt19937 random_{20251121};
};

std::vector<std::string> with_any_value(const std::vector<std::string>& keys) {
    std::vector<std::string> members;
    for (const std::string& key : keys)
        for (const char* value : {R"("a")", R"("")", "null", "true", "false", "0", "-0", "-1", "7", "1.5", R"("x\n")",
                                  R"("\"\\é\/")", R"("\u00e9")", "\"\xff\"", "[]", "{}", R"(["b"])"})
            members.push_back("\"" + key + "\":" + value);
    return members;
}

/// The record as it is, and with a tab behind it: that is JSON as well, but not plain.
template <class Stream>
void check_alike(const std::string& before, const std::string& record, const std::string& behind, bool keep_text) {
    CAPTURE(record);
    CAPTURE(keep_text);
    stream_options options;
    options.keep_text = keep_text;
    Stream either(options), full(options);
    const feed_result a = either.feed(before + record + behind);
    const feed_result b = full.feed(before + record + "\t" + behind);
    CHECK(a.content_records == b.content_records);
    CHECK(a.reasoning_records == b.reasoning_records);
    CHECK(a.tool_call_records == b.tool_call_records);
    CHECK(a.first_t_ns == b.first_t_ns);
    CHECK(a.finished == b.finished);
    CHECK(a.failed == b.failed);
    CHECK(either.state().text == full.state().text);
    CHECK(either.state().reasoning == full.state().reasoning);
    CHECK(either.state().figures.finish_reason == full.state().figures.finish_reason);
    CHECK(either.state().records == full.state().records);
    CHECK(either.state().skipped_records == full.state().skipped_records);
    CHECK(either.state().other_choice_records == full.state().other_choice_records);
    CHECK(either.state().text_bytes == full.state().text_bytes);
    REQUIRE(either.state().error.has_value() == full.state().error.has_value());
    if (either.state().error) CHECK(either.state().error->kind == full.state().error->kind);
}

} // namespace

TEST_CASE("records as servers send them are plain") {
    CHECK(
        is_plain(R"({"model":"gemma3:latest","created_at":"2025-11-14T19:02:11.1Z","response":" The","done":false})"));
    CHECK(
        is_plain(R"({"id":"c-1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":)"
                 R"([{"index":0,"delta":{"role":"assistant","content":" a"},"logprobs":null,"finish_reason":null}]})"));
    CHECK(is_plain(R"( { "a" : [ 1 , -2 , true , false , null , { } , [ ] , "" ] } )"));
}

TEST_CASE("a record that is not plain is left to the full parser") {
    for (const auto* text : {R"({"a":"\n"})", R"({"\n":"a"})", R"({"a":1.5})", R"({"a":1e3})",
                             R"({"a":1234567890123456789})", R"({"a":-0})", "{\n}", "{}\t", "[[[[[[[[[1]]]]]]]]]"}) {
        CAPTURE(text);
        CHECK(json::accept(text));
        CHECK_FALSE(is_plain(text));
    }
}

TEST_CASE("no text that is not JSON passes as plain") {
    for (const auto* text : {"",
                             " ",
                             "{",
                             "}",
                             "{\"a\"}",
                             "{\"a\":}",
                             "{\"a\":1,}",
                             "{,}",
                             "{\"a\":1 \"b\":2}",
                             "[1,]",
                             "[1 2]",
                             "{\"a\":01}",
                             "{\"a\":-}",
                             "{\"a\":+1}",
                             "{\"a\":tru}",
                             "{\"a\":truee}",
                             "{\"a\":nul}",
                             "{\"a\":\"b}",
                             "{\"a\":\"\x01\"}",
                             "{\"a\":\"\x7f\x80\"}",
                             "{} {}",
                             "{}x",
                             "{\"a\":1-2}",
                             "{\"a\":\"b\"\"c\"}",
                             "{a:1}",
                             "\v{}"}) {
        CAPTURE(text);
        CHECK_FALSE(json::accept(text));
        CHECK_FALSE(is_plain(text));
    }
}

TEST_CASE("values come out as the full parser has them") {
    for (std::size_t length = 0; length < 140; ++length) { // beyond two words of 64 bytes
        const std::string value(length, 'x');
        const exact_copy text("\"" + value + "\"");
        plain_json j(text.view());
        std::string_view read;
        CHECK(j.string(read));
        CHECK(read == value);
        CHECK(j.at_end());
        for (const char bad : {'\\', '\n', '\x1f', '\0', '\x80', '\xff', '\xc3'}) {
            for (std::size_t at = 0; at < length; ++at) {
                std::string broken = value;
                broken[at] = bad;
                const exact_copy around("\"" + broken + "\"");
                plain_json k(around.view());
                CHECK_FALSE((k.string(read) && k.at_end()));
            }
        }
    }
    CHECK(is_plain("\"" + std::string(510, 'x') + "\""));
    CHECK_FALSE(is_plain("\"" + std::string(511, 'x') + "\""));
    for (const std::int64_t number : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{999'999'999'999'999'999}}) {
        const exact_copy text(std::to_string(number));
        plain_json j(text.view());
        std::int64_t read = 7;
        CHECK(j.integer(read));
        CHECK(read == number);
    }
    bool yes = false, no = true;
    const exact_copy true_text("true"), false_text(" false"), null_text("null");
    CHECK(plain_json(true_text.view()).boolean(yes));
    CHECK(plain_json(false_text.view()).boolean(no));
    CHECK(yes);
    CHECK_FALSE(no);
    std::string_view none = "none";
    CHECK(plain_json(null_text.view()).string_or_null(none));
    CHECK(none.empty());
}

TEST_CASE("text is read with escapes of one character and with characters that are not ASCII") {
    for (const char* text :
         {R"("")", R"("a\nb")", R"("\"\"")", R"("\\")", R"("\\\"x\\")", R"("\b\f\n\r\t\/")", R"("é東\n🚀")", "null"}) {
        for (std::size_t before = 0; before < 140; ++before) { // so that escapes lie across two words of 64 bytes
            const exact_copy copy(std::string(before, ' ') + text);
            plain_json j(copy.view());
            std::array<char, plain_json::longest> decoded;
            char* room = decoded.data();
            std::string_view read;
            REQUIRE(j.text_or_null(read, room));
            CHECK(j.at_end());
            const json whole = json::parse(text);
            CHECK(read == (whole.is_null() ? std::string() : whole.get<std::string>()));
        }
    }
    for (const char* text : {R"("\u0041")", R"("\x")", R"("a\")", R"("a)", "\"\xff\"", R"("\"x)", "\\\"a\""}) {
        const exact_copy copy(text);
        plain_json j(copy.view());
        std::array<char, plain_json::longest> decoded;
        char* room = decoded.data();
        std::string_view read;
        CHECK_FALSE(j.text_or_null(read, room));
    }
}

TEST_CASE("of a record damaged anywhere, plain is only what is JSON still") {
    const std::string record =
        R"({"model":"gemma3:latest","n":[1,-20,{"x":null}],"response":" The value","é":false,"t_ns":41000123})";
    const std::string_view alphabet = "\"\\{}[]:,-+.0129eEtfn \n\t\x01\x7f\x80\xc3\xff";
    std::mt19937 random(20251121);
    int plain = 0, refused = 0;
    for (int round = 0; round < 200'000; ++round) {
        std::string text = record;
        for (auto edits = 1 + random() % 3; edits != 0; --edits) {
            const std::size_t at = random() % text.size();
            switch (random() % 3) {
            case 0:
                text[at] = alphabet[random() % alphabet.size()];
                break;
            case 1:
                text.erase(at, 1 + random() % 4);
                break;
            default:
                text.insert(at, 1, alphabet[random() % alphabet.size()]);
            }
            if (text.empty()) text = "x";
        }
        if (!is_plain(text)) {
            ++refused;
            continue;
        }
        ++plain;
        if (!json::accept(text)) FAIL("passed as plain: " << text);
    }
    CHECK(plain > 1000); // both kinds were there
    CHECK(refused > 1000);
}

TEST_CASE("Ollama's records are read alike by both readers") {
    draw d;
    const auto any =
        with_any_value({"response", "thinking", "done", "t_ns", "model", "error", "done_reason", "eval_count"});
    const std::vector<std::string> usual{R"("response":"a")",   R"("response":null)", R"("done":false)",
                                         R"("t_ns":5)",         R"("thinking":"b")",  R"("model":"m")",
                                         R"("created_at":"t")", R"("done":true)"};
    const auto any_message = with_any_value({"content", "thinking", "role", "tool_calls", "images"});
    for (int i = 0; i < 20'000; ++i) {
        auto members = i % 2 == 0 ? any : usual;
        if (i % 3 == 0) members = {R"("done":false)", R"("message":)" + d.object(4, any_message), d.one_of(usual)};
        const std::string record = d.object(6, members);
        check_alike<ollama_stream>("", record, "\n", d.below(2) == 0);
    }
}

TEST_CASE("OpenAI's records are read alike by both readers") {
    draw d;
    const auto any_delta =
        with_any_value({"content", "role", "reasoning", "reasoning_content", "refusal", "tool_calls"});
    const auto any_choice = with_any_value({"index", "delta", "finish_reason", "logprobs", "text"});
    const auto any = with_any_value({"choices", "usage", "t_ns", "error", "object", "message", "id", "service_tier"});
    for (int i = 0; i < 20'000; ++i) {
        std::vector<std::string> members{R"("object":"chat.completion.chunk")", R"("usage":null)", R"("t_ns":5)",
                                         d.one_of(any)};
        for (int k = 0; k < 2; ++k) {
            const std::string delta = R"("delta":)" + d.object(3, any_delta);
            const std::string choice =
                d.object(3, {delta, R"("index":0)", R"("index":1)", R"("finish_reason":null)", d.one_of(any_choice)});
            members.push_back(R"("choices":[)" + choice + "]");
            members.push_back(R"("choices":[)" + choice + "," + choice + "]");
        }
        check_alike<openai_stream>("data: ", d.object(5, members), "\n\n", d.below(2) == 0);
    }
}
