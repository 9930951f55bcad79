#include "protocol/llm_stream.hpp"

#include "split_feed.hpp"

#include <doctest/doctest.h>
#include <string>

using namespace chimera::host;

namespace {

const std::string sample =
    R"({"model":"gemma3:latest","created_at":"2025-11-14T19:02:11.1Z","response":"The","done":false,"t_ns":1001})"
    "\n"
    R"({"model":"gemma3:latest","created_at":"2025-11-14T19:02:11.2Z","response":" caf\u00e9 – 東京 \ud83d\ude80","done":false,"t_ns":1002})"
    "\r\n\n"
    R"({"model":"gemma3:latest","created_at":"2025-11-14T19:02:11.3Z","response":" says \"a\\b\"\n","done":false,"t_ns":1003})"
    "\n"
    R"({"model":"gemma3:latest","created_at":"2025-11-14T19:02:11.4Z","response":"","done":true,"done_reason":"stop",)"
    R"("context":[2,105,2364],"total_duration":4883583458,"load_duration":1334875,"prompt_eval_count":26,)"
    R"("prompt_eval_duration":342546000,"eval_count":282,"eval_duration":4535599000,"t_ns":1004})"
    "\n";
const std::string sample_text = "The caf\u00e9 – 東京 \U0001F680 says \"a\\b\"\n";

std::string record(std::string_view text) { return "{\"response\":\"" + std::string(text) + "\",\"done\":false}\n"; }
const std::string final_record = "{\"response\":\"\",\"done\":true}\n";

stream_error error_of(std::string_view body, const stream_options& options = {}) {
    ollama_stream stream(options);
    stream.feed(body);
    stream.finish();
    REQUIRE(stream.state().error);
    return *stream.state().error;
}

} // namespace

TEST_CASE("an Ollama body gives the same result wherever it is cut") {
    for_every_split<ollama_stream>(sample, [](const ollama_stream& stream, const auto& fed) {
        const stream_state& state = stream.state();
        REQUIRE_FALSE(state.error);
        CHECK(state.finished);
        CHECK(state.text == sample_text);
        CHECK(state.records == 4);
        CHECK(state.content_records == 3);
        CHECK(fed.content_records == 3);
        CHECK(fed.first_content_chunks == 1);
        CHECK(fed.last_t_ns == 1004);
        CHECK(state.figures.total_ns == 4883583458);
        CHECK(state.figures.load_ns == 1334875);
        CHECK(state.figures.prompt_tokens == 26U);
        CHECK(state.figures.prompt_eval_ns == 342546000);
        CHECK(state.figures.completion_tokens == 282U);
        CHECK(state.figures.eval_ns == 4535599000);
        CHECK(state.figures.finish_reason == "stop");
    });
}

TEST_CASE("a last record without a line end is read at the end of the body") {
    const std::string body = sample.substr(0, sample.size() - 1);
    for_every_split<ollama_stream>(body, [](const ollama_stream& stream, const auto& fed) {
        CHECK_FALSE(stream.state().error);
        CHECK(stream.state().finished);
        CHECK(fed.last.last_t_ns == 1004);
    });
}

TEST_CASE("several records in one chunk are counted, with the first and the last send time") {
    ollama_stream stream;
    const feed_result all = stream.feed(sample);
    CHECK(all.content_records == 3);
    CHECK(all.first_content);
    CHECK(all.first_t_ns == 1001);
    CHECK(all.last_t_ns == 1004);
    const feed_result none = stream.feed("\n");
    CHECK(none.content_records == 0);
    CHECK_FALSE(none.first_content);
    CHECK(none.last_t_ns == 0);
}

TEST_CASE("thinking is reasoning content: it counts, is flagged and kept apart") {
    ollama_stream stream;
    feed_result result = stream.feed("{\"response\":\"\",\"thinking\":\"hm\",\"done\":false}\n");
    CHECK(result.content_records == 1);
    CHECK(result.reasoning_records == 1);
    CHECK(result.first_content);
    result = stream.feed(record("yes") + final_record);
    CHECK(result.content_records == 1);
    CHECK(result.reasoning_records == 0);
    CHECK_FALSE(result.first_content);
    CHECK(stream.state().first_content_was_reasoning);
    CHECK(stream.state().reasoning == "hm");
    CHECK(stream.state().text == "yes");
}

TEST_CASE("a plain record and the same with an escape, a space or a field more are read alike") {
    for (const char* same :
         {R"({"model":"m","response":"ab","done":false,"t_ns":7})", R"({"response":"\u0061b","done":false,"t_ns":7})",
          R"({ "t_ns" : 7, "response" : "ab", "thinking" : null, "done" : false })",
          R"({"response":"ab","done":false,"t_ns":7,"logprobs":[0.5]})"}) {
        CAPTURE(same);
        ollama_stream stream;
        const feed_result got = stream.feed(std::string(same) + "\n");
        CHECK(got.content_records == 1);
        CHECK(got.first_t_ns == 7);
        CHECK_FALSE(got.finished);
        CHECK(stream.state().text == "ab");
        CHECK_FALSE(stream.state().error);
    }
}

TEST_CASE("figures that the server does not give stay absent") {
    ollama_stream stream;
    stream.feed(record("a") + R"({"response":"","done":true,"eval_count":1})"
                              "\n");
    stream.finish();
    CHECK_FALSE(stream.state().error);
    CHECK(stream.state().figures.completion_tokens == 1U);
    CHECK_FALSE(stream.state().figures.prompt_tokens);
    CHECK_FALSE(stream.state().figures.total_ns);
    CHECK(stream.state().figures.finish_reason.empty());
}

TEST_CASE("an error record inside a stream is an error, wherever it is cut") {
    const std::string body = record("a") + "{\"error\":\"CUDA error: out of memory\"}\n";
    for_every_split<ollama_stream>(body, [](const ollama_stream& stream, const auto& fed) {
        REQUIRE(stream.state().error);
        CHECK(stream.state().error->kind == stream_error_kind::server_error);
        CHECK(stream.state().error->record == 2);
        CHECK(stream.state().error->message.find("CUDA error: out of memory") != std::string::npos);
        CHECK(fed.content_records == 1);
        CHECK_FALSE(stream.state().finished);
    });
    CHECK(error_of("{\"error\":{\"code\":7}}\n").kind == stream_error_kind::server_error);
}

TEST_CASE("a body that ends early is an error") {
    CHECK(error_of("").kind == stream_error_kind::early_end);
    const stream_error cut = error_of(record("a") + record("b"));
    CHECK(cut.kind == stream_error_kind::early_end);
    CHECK(cut.record == 2);
    CHECK(cut.message.find("after 2 records") != std::string::npos);
    CHECK(error_of(record("a") + "{\"response\":\"b").kind == stream_error_kind::garbage);
}

TEST_CASE("garbage is an error with the index and an excerpt of the record, and nothing of the record counts") {
    const std::string body = record("a") + "{\"response\":\"b\",\"done\":fal\x01\n" + record("c");
    for_every_split<ollama_stream>(body, [](const ollama_stream& stream, const auto&) {
        REQUIRE(stream.state().error);
        CHECK(stream.state().error->kind == stream_error_kind::garbage);
        CHECK(stream.state().error->record == 2);
        CHECK(stream.state().error->message.find("\"b\",\"done\":fal\\x01") != std::string::npos);
        CHECK(stream.state().text == "a");
    });
    CHECK(error_of("<html>502 Bad Gateway</html>\n").message.find("<html>502") != std::string::npos);
    CHECK(error_of("{\"response\":\"a\",\"done\":false} {}\n").kind == stream_error_kind::garbage);
    CHECK(error_of("{\"response\":\"a\",\"done\":false\xff}\n").kind == stream_error_kind::garbage);
    CHECK(error_of("{\n").kind == stream_error_kind::garbage);
    CHECK(error_of(std::string(3, '\0') + "\n").kind == stream_error_kind::garbage);
}

TEST_CASE("JSON that is not of this API is a protocol error that names the field") {
    CHECK(error_of("[1]\n").kind == stream_error_kind::protocol);
    CHECK(error_of("7\n").kind == stream_error_kind::protocol);
    CHECK(error_of("{\"models\":[]}\n").kind == stream_error_kind::protocol);
    const stream_error mistyped = error_of("{\"response\":5,\"done\":false}\n");
    CHECK(mistyped.kind == stream_error_kind::protocol);
    CHECK(mistyped.message.find("'response'") != std::string::npos);
}

TEST_CASE("a chat's message is content: text, thinking and tool calls") {
    const std::string body =
        R"({"model":"m","created_at":"t","message":{"role":"assistant","content":"","thinking":"hm"},"done":false})"
        "\n"
        R"({"model":"m","created_at":"t","message":{"role":"assistant","content":"so"},"done":false,"t_ns":3})"
        "\n"
        R"({"message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"get","arguments":{"a":1}}}]},"done":false})"
        "\n"
        R"({"message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","eval_count":3})"
        "\n";
    for_every_split<ollama_stream>(body, [](const ollama_stream& stream, const auto& fed) {
        const stream_state& state = stream.state();
        REQUIRE_FALSE(state.error);
        CHECK(state.finished);
        CHECK(fed.content_records == 3);
        CHECK(fed.reasoning_records == 1);
        CHECK(fed.tool_call_records == 1);
        CHECK(state.text == "so");
        CHECK(state.reasoning == "hm");
        CHECK(state.text_bytes == 4 + 3 + 7);
        CHECK(state.figures.completion_tokens == 3U);
        CHECK(remarks_on(state).empty());
    });
}

TEST_CASE("figures that are none are not taken and do not cost the reply") {
    const std::string body =
        record("a") + R"({"response":"","done":true,"eval_count":-1,"prompt_eval_count":20.0,"total_duration":1.5,)"
                      R"("load_duration":1e19,"eval_duration":"7","prompt_eval_duration":null})"
                      "\n";
    for_every_split<ollama_stream>(body, [](const ollama_stream& stream, const auto&) {
        REQUIRE_FALSE(stream.state().error);
        const server_figures& figures = stream.state().figures;
        CHECK_FALSE(figures.completion_tokens);
        CHECK(figures.prompt_tokens == 20U);
        CHECK_FALSE(figures.total_ns);
        CHECK_FALSE(figures.load_ns);
        CHECK_FALSE(figures.eval_ns);
        CHECK_FALSE(figures.prompt_eval_ns);
        CHECK(stream.state().unreadable_figure == "eval_count: -1");
        CHECK(remarks_on(stream.state()).size() == 1);
    });
}

TEST_CASE("0 tokens beside content is not a count; without content it is") {
    ollama_stream stream;
    stream.feed(record("a") + "{\"response\":\"\",\"done\":true,\"eval_count\":0}\n");
    CHECK(stream.state().zero_usage);
    CHECK_FALSE(stream.state().figures.completion_tokens);
    stream.reset();
    stream.feed("{\"response\":\"\",\"done\":true,\"done_reason\":\"load\",\"eval_count\":0}\n");
    CHECK_FALSE(stream.state().zero_usage);
    CHECK(stream.state().figures.completion_tokens == 0U);
    CHECK(stream.state().figures.finish_reason == "load");
}

TEST_CASE("half a surrogate pair and bytes that are not UTF-8 become U+FFFD, and the records count") {
    const std::string body = record(R"(a\ud83d)") + record(R"(\ude80)") + record(R"(\uD83D\uDE80)") +
                             record("b\xff\xc3") + record(R"(\\ud800)") + final_record;
    for_every_split<ollama_stream>(body, [](const ollama_stream& stream, const auto& fed) {
        REQUIRE_FALSE(stream.state().error);
        CHECK(fed.content_records == 5);
        CHECK(stream.state().text == "a\uFFFD\uFFFD\U0001F680"
                                     "b\uFFFD\uFFFD\\ud800");
        CHECK(stream.state().broken_characters == 3);
    });
}

TEST_CASE("nothing behind the final record is read, and it cannot fail") {
    const std::string body = record("a") + final_record + record("late") + "nonsense\n\n{\"error\":\"too late\"}\n";
    for_every_split<ollama_stream>(body, [](const ollama_stream& stream, const auto& fed) {
        REQUIRE_FALSE(stream.state().error);
        CHECK(fed.content_records == 1);
        CHECK(stream.state().records == 2);
        CHECK(stream.state().records_after_end == 3);
        CHECK(stream.state().text == "a");
    });
    stream_options options;
    options.max_record_bytes = 100;
    ollama_stream stream(options);
    stream.feed(final_record + std::string(1000, 'x'));
    CHECK_FALSE(stream.finish().failed);
}

TEST_CASE("records that are framed as events are read, with a byte order mark before them and heartbeats between") {
    const std::string body = "\xEF\xBB\xBF"
                             "data: {\"response\":\"a\",\"done\":false}\n\n: ping\n\n{\"type\":\"ping\"}\n"
                             "data: {\"response\":\"b\",\"done\":true}\n\ndata: [DONE]\n\n";
    for_every_split<ollama_stream>(body, [](const ollama_stream& stream, const auto&) {
        REQUIRE_FALSE(stream.state().error);
        CHECK(stream.state().finished);
        CHECK(stream.state().text == "ab");
        CHECK(stream.state().framed_records == 2);
        CHECK(stream.state().skipped_records == 1);
        CHECK(stream.state().records_after_end == 0);
        CHECK(stream.state().first_skipped == "{\"type\":\"ping\"}");
    });
}

TEST_CASE("a body that is not a stream tells what it is, with the server's words") {
    const auto check = [](const std::string& body, stream_error_kind kind, const std::string& words) {
        CAPTURE(body);
        for_every_split<ollama_stream>(body, [&](const ollama_stream& stream, const auto&) {
            REQUIRE(stream.state().error);
            CHECK(stream.state().error->kind == kind);
            CHECK_MESSAGE(stream.state().error->message.find(words) != std::string::npos,
                          stream.state().error->message);
        });
    };
    check("{\n  \"error\": {\n    \"message\": \"no } room\"\n  }\n}\n", stream_error_kind::server_error, "no } room");
    check("{\n \"detail\": \"Not Found\"\n}", stream_error_kind::server_error, "whole JSON body");
    check("{\n \"response\": \"a\",\n \"done\": true\n}\n", stream_error_kind::protocol, "did not stream");
    check("<html>\n<h1>502 Bad Gateway</h1>\n</html>\n", stream_error_kind::server_error, "502 Bad Gateway");
    check("upstream connect error\n", stream_error_kind::server_error, "upstream connect error");
    check("{\"status\":\"loading\"}\n{\"status\":\"loading\"}\n", stream_error_kind::protocol, "\"loading\"");
    check("{\"response\":\"a\nb\"}\n", stream_error_kind::garbage, "valid JSON");
}

TEST_CASE("a record over the limit is refused without waiting for its end") {
    stream_options options;
    options.max_record_bytes = 100;
    const std::string longest = record(std::string(100 - record("").size() + 1, 'x'));
    ollama_stream stream(options);
    CHECK(stream.feed(longest).content_records == 1);
    CHECK_FALSE(stream.feed(final_record).failed);

    ollama_stream endless(options);
    CHECK(endless.feed(record("a")).content_records == 1);
    for (int i = 0; i < 100; ++i) CHECK_FALSE(endless.feed("x").failed);
    CHECK(endless.feed("x").failed);
    REQUIRE(endless.state().error);
    CHECK(endless.state().error->kind == stream_error_kind::oversized);
    CHECK(endless.state().error->record == 2);
    CHECK(endless.state().error->message.find("100 bytes") != std::string::npos);

    const stream_error at_once = error_of(record("a") + record(std::string(200, 'y')), options);
    CHECK(at_once.kind == stream_error_kind::oversized);
    CHECK(at_once.message.find("{\"response\":\"yyy") != std::string::npos);
}

TEST_CASE("a record of megabytes within the limit is read") {
    const std::string text(3 << 20, 'z');
    ollama_stream stream;
    const std::string body = record(text) + final_record;
    for (std::size_t at = 0; at < body.size(); at += 1000) stream.feed(std::string_view(body).substr(at, 1000));
    stream.finish();
    CHECK_FALSE(stream.state().error);
    CHECK(stream.state().text == text);
}

TEST_CASE("without keep_text content is counted and not collected") {
    stream_options options;
    options.keep_text = false;
    ollama_stream stream(options);
    stream.feed(sample);
    stream.finish();
    CHECK_FALSE(stream.state().error);
    CHECK(stream.state().content_records == 3);
    CHECK(stream.state().text.empty());
    CHECK(error_of("{\"response\":5}\n", options).kind == stream_error_kind::protocol);
}

TEST_CASE("a stream that is reset forgets everything, also an error and half a record") {
    ollama_stream stream;
    stream.feed("garbage\n");
    stream.reset();
    CHECK_FALSE(stream.feed("{\"resp").failed);
    stream.reset();
    piecewise_feeder<ollama_stream> feeder(stream);
    feeder.feed(sample);
    feeder.finish();
    CHECK_FALSE(stream.state().error);
    CHECK(stream.state().text == sample_text);
    CHECK(feeder.first_content_chunks == 1);
}
