#include "protocol/error_body.hpp"

#include "protocol/llm_stream.hpp"
#include "split_feed.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

using namespace chimera::host;

namespace {

struct reported {
    std::string json;
    std::string words;
};

// As servers send them, as a body of its own and as a record of a stream.
const std::vector<reported> errors{
    {R"({"error":"model 'x' not found"})", "model 'x' not found"},
    {R"({"error":{"message":"bad key","type":"auth","code":null}})", "bad key (type auth)"},
    {R"({"error":{"message":"slow down","type":"rate_limit","code":429}})", "slow down (code 429, type rate_limit)"},
    {R"({"error":{"code":1234,"type":"x","message":""}})", "code 1234, type x"},
    {R"({"error":{"code":5}})", "code 5"},
    {R"({"error":{"detail":"no room"}})", "no room"},
    {R"({"error":["a","b"]})", "a; b"},
    {R"({"error":{"unheard":{"of":true}}})", R"({"unheard":{"of":true}})"},
    {R"({"error":true,"message":"down"})", "down"},
    {R"({"errors":[{"message":"down"}]})", "down"},
    {R"({"status":500,"error":"Internal Server Error","message":"out of memory"})",
     "Internal Server Error: out of memory"},
    {R"({"choices":null,"error_type":"BadRequestError","error_code":400,"error_message":"too long"})",
     "too long (code 400, type BadRequestError)"},
    {R"({"choices":[],"error_msg":"too long","error_code":336003})", "too long (code 336003)"},
    {R"({"choices":[],"error_type":"Overloaded"})", "type Overloaded"},
    {R"({"object":"error","message":"too long","type":"BadRequest","code":400})",
     "too long (code 400, type BadRequest)"},
    {R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})",
     "Overloaded (type overloaded_error)"},
    {R"({"type":"error","code":"ERR","message":"failed"})", "failed (code ERR)"},
    {R"({"detail":"Not Found"})", "Not Found"},
    {R"({"detail":[{"loc":["body","prompt"],"msg":"field required"},{"loc":[],"msg":"x"}]})",
     "body.prompt: field required; x"},
    {R"({"choices":null,"base_resp":{"status_code":1004,"status_msg":"login fail"}})", "login fail (code 1004)"},
    {R"({"success":false,"msg":"quota"})", "quota"},
    {R"({"status":"error","message":"quota"})", "quota"},
    {R"({"code":"InvalidParameter","message":"n is 0"})", "n is 0 (code InvalidParameter)"},
};

template <class Stream>
void check_error(const std::string& body, const std::string& words) {
    CAPTURE(body);
    for_every_split<Stream>(body, [&](const Stream& stream, const auto&) {
        REQUIRE(stream.state().error);
        CHECK(stream.state().error->kind == stream_error_kind::server_error);
        CHECK_MESSAGE(stream.state().error->message.find(words) != std::string::npos, stream.state().error->message);
        CHECK_FALSE(stream.state().finished);
    });
}

} // namespace

TEST_CASE("the errors of each kind of server are read with their code and type, as a body and in a stream") {
    for (const auto& [json, words] : errors) {
        CAPTURE(json);
        CHECK(parse_error_body(json) == words);
        check_error<openai_stream>("data: " + json + "\n\ndata: [DONE]\n\n", words);
        check_error<openai_stream>(json + "\n", words);
        check_error<openai_stream>(json, words);
        check_error<ollama_stream>(json + "\n", words);
    }
}

TEST_CASE("fields for errors that say nothing are not errors") {
    for (const char* none :
         {"null", "false", "\"\"", "{}", "[]", "0", R"({"code":0,"message":""})", R"({"code":null})"}) {
        CAPTURE(none);
        openai_stream stream;
        stream.feed("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"error\":" + std::string(none) +
                    ",\"base_resp\":{\"status_code\":0},\"status\":\"ok\",\"success\":true,\"error_code\":0}\n\n");
        CHECK_FALSE(stream.state().error);
        CHECK(stream.state().text == "a");
        ollama_stream ollama;
        ollama.feed("{\"response\":\"a\",\"done\":false,\"error\":" + std::string(none) + "}\n");
        CHECK_FALSE(ollama.state().error);
        CHECK(ollama.state().text == "a");
    }
}

TEST_CASE("an error beside content is an error") {
    check_error<openai_stream>("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"error\":\"cut\"}\n\n", "cut");
    check_error<ollama_stream>("{\"response\":\"a\",\"done\":false,\"error\":\"cut\"}\n", "cut");
}

TEST_CASE("a body that is not JSON is shown as it is") {
    CHECK(parse_error_body("\r\n<html>\r\n<h1>502</h1>\n") == R"(<html>\r\n<h1>502</h1>)");
    CHECK(parse_error_body(" \n") == "empty body");
    CHECK(parse_error_body("") == "empty body");
    CHECK(parse_error_body("\xff\x01") == "\\xff\\x01");
    CHECK(parse_error_body("\"words\"") == "words");
    CHECK(parse_error_body("[5]") == "[5]");
    CHECK(parse_error_body("\xEF\xBB\xBF{\"error\":\"marked\"}") == "marked");
    CHECK(parse_error_body("event: error\ndata: {\"error\":\"framed\"}\n\n") == "framed");
    CHECK(parse_error_body("{\"message\":\"Service Unavailable\"}") == "Service Unavailable");
}

TEST_CASE("no depth of a document uses up the stack") {
    std::string open, close;
    for (int i = 0; i < 100'000; ++i) {
        open += "{\"error\":";
        close += "}";
    }
    CHECK(parse_error_body(open).size() < 400);
    CHECK(parse_error_body(open + "1" + close).size() < 400);
    CHECK(parse_error_body("{\"error\":{\"x\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}}").size() <
          400);
    openai_stream stream;
    stream.feed("data: " + open + "1" + close + "\n\n");
    CHECK(stream.state().error);
}
