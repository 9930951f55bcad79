#include "protocol/llm_stream.hpp"

#include "split_feed.hpp"

#include <doctest/doctest.h>
#include <string>

using namespace chimera::host;

namespace {

std::string with_crlf(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '\n') out += '\r';
        out += c;
    }
    return out;
}

std::string event(std::string_view delta) {
    return "data: {\"choices\":[{\"index\":0,\"delta\":" + std::string(delta) + ",\"finish_reason\":null}]}\n\n";
}
const std::string done = "data: [DONE]\n\n";

const std::string sample =
    ": ping\n\n"
    "event: message\nid: 7\nretry: 10\n"
    R"(data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null})"
    "\n\n"
    R"(data: {"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"reasoning_content":"let me"},"finish_reason":null}],"t_ns":5})"
    "\n\n"
    R"(data:{"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"caf\u00e9 東京"},"logprobs":null,"finish_reason":null}],"t_ns":6})"
    "\n\n"
    "data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\n"
    "data: \"delta\":{\"content\":\" ok \xF0\x9F\x9A\x80\",\"reasoning_content\":null},\n"
    "data: \"finish_reason\":\"length\"}],\"t_ns\":7}\n\n"
    R"(data: {"id":"c1","object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":12,"completion_tokens":34,"total_tokens":46,"prompt_tokens_details":{"cached_tokens":3}}})"
    "\n\n" +
    done;

void check_sample(const openai_stream& stream, const piecewise_feeder<openai_stream>& fed) {
    const stream_state& state = stream.state();
    REQUIRE_FALSE(state.error);
    CHECK(state.finished);
    CHECK(state.text == "caf\u00e9 東京 ok \U0001F680");
    CHECK(state.reasoning == "let me");
    CHECK(state.records == 5);
    CHECK(fed.content_records == 3);
    CHECK(fed.reasoning_records == 1);
    CHECK(fed.first_content_chunks == 1);
    CHECK(fed.last_t_ns == 7);
    CHECK(state.first_content_was_reasoning);
    CHECK(state.figures.prompt_tokens == 12U);
    CHECK(state.figures.completion_tokens == 34U);
    CHECK_FALSE(state.figures.total_ns);
    CHECK(state.figures.finish_reason == "length");
}

stream_error error_of(std::string_view body, const stream_options& options = {}) {
    openai_stream stream(options);
    stream.feed(body);
    stream.finish();
    REQUIRE(stream.state().error);
    return *stream.state().error;
}

} // namespace

TEST_CASE("an OpenAI body gives the same result wherever it is cut, with LF and with CRLF") {
    for_every_split<openai_stream>(sample, check_sample);
    for_every_split<openai_stream>(with_crlf(sample), check_sample);
}

TEST_CASE("a plain record and the same with an escape, a space or a field more are read alike") {
    for (const char* same :
         {R"({"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":)"
          R"({"role":"assistant","content":"ab"},"logprobs":null,"finish_reason":null}],"t_ns":7})",
          R"({"choices":[{"index":0,"delta":{"content":"\u0061b"},"finish_reason":null}],"t_ns":7})",
          R"({ "t_ns" : 7, "choices" : [ { "delta" : { "content" : "ab" } } ] })",
          R"({"choices":[{"index":0,"delta":{"content":"ab","refusal":null}}],"usage":null,"t_ns":7})",
          R"({"choices":[{"index":0,"delta":{"content":"ab"}},{"index":1,"delta":{"content":"z"}}],"t_ns":7})"}) {
        CAPTURE(same);
        openai_stream stream;
        const feed_result got = stream.feed("data: " + std::string(same) + "\n\n");
        CHECK(got.content_records == 1);
        CHECK(got.first_t_ns == 7);
        CHECK_FALSE(got.finished);
        CHECK(stream.state().text == "ab");
        CHECK_FALSE(stream.state().error);
    }
}

TEST_CASE("a body whose last event lacks its blank line or line end is complete") {
    for_every_split<openai_stream>(sample.substr(0, sample.size() - 1), check_sample);
    for_every_split<openai_stream>(sample.substr(0, sample.size() - 2), check_sample);
}

TEST_CASE("either name of reasoning content counts once") {
    openai_stream stream;
    const feed_result result = stream.feed(event(R"({"reasoning":"a","reasoning_content":"a"})") +
                                           event(R"({"reasoning":"b","reasoning_content":""})") +
                                           event(R"({"content":"c","reasoning":null})") + done);
    CHECK(result.content_records == 3);
    CHECK(result.reasoning_records == 2);
    CHECK(result.finished);
    CHECK(stream.state().reasoning == "ab");
    CHECK(stream.state().text == "c");
}

TEST_CASE("of the choices in one record the lowest index counts") {
    openai_stream stream;
    stream.feed(R"(data: {"choices":[{"index":1,"delta":{"content":"no"}},{"delta":{"content":"yes"},"index":0}]})"
                "\n\n" +
                done);
    CHECK_FALSE(stream.state().error);
    CHECK(stream.state().text == "yes");
    CHECK(stream.state().other_choice_records == 1);
}

TEST_CASE("error objects inside a stream are errors with the server's message") {
    for (const std::string record :
         {R"({"error":{"message":"slow down","type":"rate_limit","code":429}})", R"({"error":"slow down"})",
          R"({"object":"error","message":"slow down","code":400})"}) {
        CAPTURE(record);
        const std::string body = event(R"({"content":"a"})") + "data: " + record + "\n\n";
        for_every_split<openai_stream>(body, [](const openai_stream& stream, const auto& fed) {
            REQUIRE(stream.state().error);
            CHECK(stream.state().error->kind == stream_error_kind::server_error);
            CHECK(stream.state().error->record == 2);
            CHECK(stream.state().error->message.find("slow down") != std::string::npos);
            CHECK(fed.content_records == 1);
        });
    }
    CHECK(error_of("data: {\"error\":{\"code\":5}}\n\n").kind == stream_error_kind::server_error);
}

TEST_CASE("a body without [DONE] is an early end") {
    CHECK(error_of("").kind == stream_error_kind::early_end);
    CHECK(error_of(": only a comment\n\n").kind == stream_error_kind::early_end);
    const stream_error cut = error_of(event(R"({"content":"a"})"));
    CHECK(cut.kind == stream_error_kind::early_end);
    CHECK(cut.message.find("[DONE]") != std::string::npos);
    CHECK(error_of("data: {\"choices\":[{\"del").kind == stream_error_kind::garbage);
}

TEST_CASE("data that is not JSON is garbage with an excerpt") {
    const stream_error bad = error_of(event(R"({"content":"a"})") + "data: {\"choices\":[nonsense]}\n\n" + done);
    CHECK(bad.kind == stream_error_kind::garbage);
    CHECK(bad.record == 2);
    CHECK(bad.message.find("nonsense") != std::string::npos);
}

TEST_CASE("JSON that is not of this API is a protocol error") {
    CHECK(error_of("data: 5\n\n").kind == stream_error_kind::protocol);
    CHECK(error_of("data: {\"response\":\"a\",\"done\":false}\n\n").kind == stream_error_kind::protocol);
    CHECK(error_of(event("{\"content\":5}")).message.find("'content'") != std::string::npos);
    CHECK(error_of("data: {\"choices\":{}}\n\n").message.find("'choices'") != std::string::npos);
}

TEST_CASE("comments and blank lines after [DONE] are not an error") {
    openai_stream stream;
    stream.feed(done + ": bye\n\n\n");
    stream.finish();
    CHECK_FALSE(stream.state().error);
}

TEST_CASE("a line, or an event of many lines, over the limit is oversized") {
    stream_options options;
    options.max_record_bytes = 200;
    CHECK(error_of("data: " + std::string(300, 'x'), options).kind == stream_error_kind::oversized);
    std::string many = "data: {\n";
    for (int i = 0; i < 30; ++i) many += "data: 0123456789\n";
    openai_stream stream(options);
    for (const char& c : many) stream.feed({&c, 1});
    REQUIRE(stream.state().error);
    CHECK(stream.state().error->kind == stream_error_kind::oversized);
    CHECK(stream.state().error->record == 1);
}

TEST_CASE("a stream that is reset forgets half an event") {
    openai_stream stream;
    stream.feed("data: {\"choices\":\n");
    stream.reset();
    piecewise_feeder<openai_stream> feeder(stream);
    feeder.feed(sample);
    feeder.finish();
    check_sample(stream, feeder);
}

TEST_CASE("one type holds the stream of either API") {
    llm_stream ollama(llm_api::ollama);
    CHECK(ollama.feed("{\"response\":\"a\",\"done\":true}\n").finished);
    CHECK_FALSE(ollama.finish().failed);
    CHECK(ollama.state().text == "a");
    llm_stream openai(llm_api::openai);
    CHECK(openai.feed(event(R"({"content":"b"})") + done).finished);
    CHECK(openai.state().text == "b");
    openai.reset();
    CHECK(openai.finish().failed);
}
