// The plain reader and the full one, on the same records: whatever passes through the first must come out as from the
// second.
#include "protocol/ollama.hpp"
#include "protocol/openai.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace chimera::host;

namespace {

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
