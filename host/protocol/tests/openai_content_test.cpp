// What a record's choices and figures mean, in the forms that servers give them.
#include "protocol/llm_stream.hpp"

#include "split_feed.hpp"

#include <doctest/doctest.h>
#include <string>
#include <string_view>
#include <vector>

using namespace chimera::host;

namespace {

std::string event(const std::string& json) { return "data: " + json + "\n\n"; }
std::string choice(const std::string& members, const std::string& more = "") {
    return event("{\"choices\":[{" + members + "}]" + more + "}");
}
std::string delta(const std::string& members) { return choice("\"index\":0,\"delta\":{" + members + "}"); }
std::string piece(const std::string& index, const std::string& text, const std::string& reason = "null") {
    return choice("\"index\":" + index + ",\"delta\":{\"content\":\"" + text + "\"},\"finish_reason\":" + reason);
}
const std::string done = "data: [DONE]\n\n";

template <class Check>
void check(const std::string& body, Check&& of) {
    CAPTURE(body);
    for_every_split<openai_stream>(body + done, [&](const openai_stream& stream, const auto& fed) {
        REQUIRE_MESSAGE(!stream.state().error, stream.state().error->message);
        CHECK(fed.content_records == stream.state().content_records);
        CHECK(fed.reasoning_records == stream.state().reasoning_records);
        CHECK(fed.tool_call_records == stream.state().tool_call_records);
        of(stream.state());
    });
}

} // namespace

TEST_CASE("the only choice counts whatever its index") {
    for (const std::vector<std::string>& indexes : std::vector<std::vector<std::string>>{{"0", "1", "2"},
                                                                                         {"5", "5", "5"},
                                                                                         {"null", "null", "null"},
                                                                                         {"\"0\"", "\"a\"", "0"},
                                                                                         {"-1", "-1", "-1"},
                                                                                         {"1.5", "2", "9"},
                                                                                         {"0", "null", "1"}}) {
        check(piece(indexes[0], "a") + piece(indexes[1], "\\u0062") + piece(indexes[2], "c", "\"stop\""),
              [](const stream_state& state) {
                  CHECK(state.text == "abc");
                  CHECK(state.content_records == 3);
                  CHECK(state.other_choice_records == 0);
                  CHECK(state.figures.finish_reason == "stop");
              });
    }
    check(choice("\"delta\":{\"content\":\"a\"}") + choice("\"delta\":{\"content\":\"b\"}"),
          [](const stream_state& state) { CHECK(state.text == "ab"); });
}

TEST_CASE("of two choices in turns one counts, as soon as an index comes back") {
    check(piece("0", "a") + piece("1", "x") + piece("0", "b") + piece("1", "y") + piece("1", "z", "\"length\"") +
              piece("0", "c", "\"stop\""),
          [](const stream_state& state) {
              CHECK(state.text == "axbc"); // x might have been the second piece of a choice that counts its index up
              CHECK(state.other_choice_records == 2);
              CHECK(state.figures.finish_reason == "stop");
              CHECK(remarks_on(state).size() == 1);
          });
    check(piece("1", "a") + piece("0", "x") + piece("1", "b"), [](const stream_state& state) {
        CHECK(state.text == "ab");
        CHECK(state.other_choice_records == 1);
    });
}

TEST_CASE("a choice that comes behind the one that has finished is another one") {
    check(piece("0", "a") + piece("0", "b", "\"stop\"") + piece("1", "x") + piece("1", "y", "\"length\""),
          [](const stream_state& state) {
              CHECK(state.text == "ab");
              CHECK(state.other_choice_records == 2);
              CHECK(state.figures.finish_reason == "stop");
          });
}

TEST_CASE("of several choices in one record the one seen before counts") {
    const std::string two = R"({"index":0,"delta":{"content":"x"}},{"index":3,"delta":{"content":["b",{"text":"c"}]}})";
    check(piece("3", "a") + event("{\"choices\":[" + two + "]}"), [](const stream_state& state) {
        CHECK(state.text == "abc");
        CHECK(state.other_choice_records == 1);
    });
    check(event(R"({"choices":[{"delta":{"content":["a","b"]}},{"delta":{"content":["x","y"]}}]})"),
          [](const stream_state& state) { CHECK(state.text == "ab"); });
}

TEST_CASE("choices may be missing, null or empty beside usage") {
    for (const char* choices : {"", "\"choices\":null,", "\"choices\":[],"})
        check(piece("0", "a") + event("{" + std::string(choices) + "\"usage\":{\"completion_tokens\":1}}"),
              [](const stream_state& state) {
                  CHECK(state.figures.completion_tokens == 1U);
                  CHECK(remarks_on(state).empty());
              });
}

TEST_CASE("text comes as a string, in parts, as a refusal, as `text` or in a message; null is absent") {
    for (const char* members :
         {R"("delta":{"content":"ab"})",
          R"("delta":{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]})",
          R"("delta":{"content":[{"type":"text","text":{"value":"ab"}}]})", R"("delta":{"content":["a","b"]})",
          R"("delta":{"content":{"text":"ab"}})", R"("delta":{"content":null,"refusal":"ab"})",
          R"("delta":{"content":"a","refusal":"b"})", R"("delta":{"refusal":"ab","content":null,"tool_calls":null})",
          R"("text":"ab")", R"("text":"ab","delta":null)", R"("message":{"role":"assistant","content":"ab"})"}) {
        check(choice(members) + choice("\"delta\":null") + choice("\"delta\":{\"content\":null}") +
                  choice("\"text\":null") + choice("\"delta\":{\"content\":[]}"),
              [](const stream_state& state) {
                  CHECK(state.text == "ab");
                  CHECK(state.content_records == 1);
                  CHECK(state.text_bytes == 2);
                  CHECK(remarks_on(state).empty());
              });
    }
    check(delta(R"("content":[{"type":"image_url","image_url":{"url":"x"}},{"type":"text","text":"a"},7])"),
          [](const stream_state& state) {
              CHECK(state.text == "a");
              CHECK(state.skipped_parts == 2);
          });
}

TEST_CASE("reasoning comes under many names, as a string, an object or parts") {
    for (const char* members :
         {R"("reasoning_content":"hm")", R"("reasoning":"hm","reasoning_content":"hm")", R"("thinking":"hm")",
          R"("reasoning":{"text":"hm"})", R"("reasoning":[{"type":"x","text":"h"},{"text":"m"}])",
          R"("reasoning":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm"}])",
          R"("content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]}])",
          R"("content":[{"text":"hm","type":"reasoning"}])"}) {
        check(delta(members) + delta(R"("content":"so","reasoning":null)"), [](const stream_state& state) {
            CHECK(state.reasoning == "hm");
            CHECK(state.text == "so");
            CHECK(state.reasoning_records == 1);
            CHECK(state.first_content_was_reasoning);
        });
    }
}

TEST_CASE("pieces of tool calls are content records of their own") {
    check(
        delta(R"("role":"assistant","content":null)") +
            delta(
                R"("content":null,"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"get","arguments":""}}])") +
            delta(R"("tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}])") +
            delta(R"("tool_calls":[{"index":0,"function":{"arguments":""}}])") +
            delta(R"("function_call":{"name":null,"arguments":":1}"})") + delta(R"("tool_calls":[])") +
            choice(R"("delta":{},"finish_reason":"tool_calls")"),
        [](const stream_state& state) {
            CHECK(state.content_records == 3);
            CHECK(state.tool_call_records == 3);
            CHECK(state.text.empty());
            CHECK(state.text_bytes == 3 + 4 + 3);
            CHECK_FALSE(state.first_content_was_reasoning);
        });
    check(delta(R"("content":"a","tool_calls":[{"function":{"name":"f"}}])"), [](const stream_state& state) {
        CHECK(state.content_records == 1);
        CHECK(state.tool_call_records == 0); // there is text
    });
}

TEST_CASE("the last count that is not 0 stands, wherever the server puts usage") {
    const auto with = [](const std::string& usage) {
        return choice("\"index\":0,\"delta\":{\"content\":\"a\"}", ",\"usage\":" + usage);
    };
    const std::string zeros = R"({"prompt_tokens":0,"completion_tokens":0})";
    const std::string real =
        R"({"prompt_tokens":7,"completion_tokens":20,"completion_tokens_details":{"reasoning_tokens":5}})";
    for (const std::string& body :
         {with(real), with(zeros) + with(real) + with("null"), with(zeros) + with(real) + with(zeros),
          with(R"({"completion_tokens":3})") + with(real),
          with(R"({"input_tokens":7,"output_tokens":20,"output_tokens_details":{"reasoning_tokens":5}})"),
          with(R"({"prompt_tokens":7.0,"completion_tokens":2e1,"reasoning_tokens":5})"),
          with("null") + choice(R"("delta":{},"finish_reason":"stop","usage":)" + real),
          with("null") + event(R"({"choices":[],"x_groq":{"usage":)" + real + "}}")}) {
        check(body, [](const stream_state& state) {
            CHECK(state.figures.prompt_tokens == 7U);
            CHECK(state.figures.completion_tokens == 20U);
            CHECK(state.figures.reasoning_tokens == 5U);
            CHECK_FALSE(state.zero_usage);
            CHECK(state.unreadable_figure.empty());
        });
    }
    check(with("null") + with(zeros), [](const stream_state& state) {
        CHECK_FALSE(state.figures.completion_tokens);
        CHECK_FALSE(state.figures.prompt_tokens);
        CHECK(state.zero_usage);
    });
    check(event("{\"choices\":[],\"usage\":" + zeros + "}"), [](const stream_state& state) {
        CHECK(state.figures.completion_tokens == 0U); // nothing came
        CHECK_FALSE(state.zero_usage);
    });
}

TEST_CASE("figures that are none are told, and the reply stands") {
    for (const char* figure : {"-1", "1.5", "1e13", "99999999999999999999", "\"many\"", "true", "[1]"}) {
        check(piece("0", "a") + event("{\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":" +
                                      std::string(figure) + "}}"),
              [&](const stream_state& state) {
                  CHECK_FALSE(state.figures.completion_tokens);
                  CHECK(state.figures.prompt_tokens == 3U);
                  CHECK(state.unreadable_figure.starts_with("completion_tokens: " + std::string(figure).substr(0, 1)));
              });
    }
    check(piece("0", "a") + event("{\"usage\":\"none\"}"),
          [](const stream_state& state) { CHECK(state.unreadable_figure == "usage: \"none\""); });
}

TEST_CASE("half a surrogate pair and bytes that are not UTF-8 become U+FFFD, and the records count") {
    check(piece("0", "a\\ud83d") + piece("0", "\\uDE80") + piece("0", "\\ud83d\\ude80") + piece("0", "\xf0\x9f") +
              piece("0", "\\ud800\\u0041"),
          [](const stream_state& state) {
              CHECK(state.text == "a\uFFFD\uFFFD\U0001F680\uFFFD\uFFFD\uFFFDA");
              CHECK(state.content_records == 5);
              CHECK(state.broken_characters == 4);
          });
    check(event("{\"choices\":[{\"delta\":{\"content\":[\"\\ud83d\"]}}],\"id\":\"\xff\"}"),
          [](const stream_state& state) { CHECK(state.text == "\uFFFD"); });
}

TEST_CASE("a finish reason is a text; what else stands there is shown") {
    check(piece("0", "a", "\"\"") + piece("0", "b", "\"error\""),
          [](const stream_state& state) { CHECK(state.figures.finish_reason == "error"); });
    check(piece("0", "a", R"({"type":"stop"})"),
          [](const stream_state& state) { CHECK(state.figures.finish_reason == R"({"type":"stop"})"); });
    check(piece("0", "a", "false"), [](const stream_state& state) { CHECK(state.figures.finish_reason.empty()); });
}
