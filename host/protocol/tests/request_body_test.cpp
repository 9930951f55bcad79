#include "protocol/request_body.hpp"

#include "protocol/error_body.hpp"
#include "protocol/excerpt.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <string>

using namespace chimera::host;
using nlohmann::json;

namespace {

generate_request full_request() {
    using namespace std::string_literals;
    return {"gemma3:latest",
            "Say \"hi\"\n東京",
            "Be brief.",
            {{"num_gpu", std::int64_t{80}},
             {"num_ctx", std::int64_t{512}},
             {"temperature", 1.0},
             {"top_p", 0.9},
             {"top_k", std::int64_t{40}},
             {"repeat_penalty", 1.1},
             {"num_predict", std::int64_t{256}},
             {"seed", std::int64_t{42}}}};
}

} // namespace

TEST_CASE("an Ollama request carries every option in order and with its type") {
    const request_body body = build_request(llm_api::ollama, full_request());
    CHECK(body.path == "/api/generate");
    CHECK(body.ignored_options.empty());
    CHECK(body.json == R"({"model":"gemma3:latest","prompt":"Say \"hi\"\n東京","system":"Be brief.","stream":true,)"
                       R"("options":{"num_gpu":80,"num_ctx":512,"temperature":1.0,"top_p":0.9,"top_k":40,)"
                       R"("repeat_penalty":1.1,"num_predict":256,"seed":42}})");
}

TEST_CASE("without options and system prompt the server's defaults are left alone") {
    CHECK(build_request(llm_api::ollama, {"m", "p", {}, {}}).json == R"({"model":"m","prompt":"p","stream":true})");
    CHECK(
        build_request(llm_api::openai, {"m", "p", {}, {}}).json ==
        R"({"model":"m","messages":[{"role":"user","content":"p"}],"stream":true,"stream_options":{"include_usage":true}})");
}

TEST_CASE("an OpenAI request maps what has a field there and reports the rest") {
    const request_body body = build_request(llm_api::openai, full_request());
    CHECK(body.path == "/v1/chat/completions");
    const json sent = json::parse(body.json);
    CHECK(sent["messages"][0] == json({{"role", "system"}, {"content", "Be brief."}}));
    CHECK(sent["messages"][1]["content"] == "Say \"hi\"\n東京");
    CHECK(sent["temperature"] == 1.0);
    CHECK(sent["top_p"] == 0.9);
    CHECK(sent["seed"] == 42);
    CHECK(sent["max_tokens"] == 256);
    CHECK(sent["stream_options"]["include_usage"] == true);
    CHECK(sent.size() == 8);
    CHECK(body.ignored_options == std::vector<std::string>{"num_gpu", "num_ctx", "top_k", "repeat_penalty"});
}

TEST_CASE("a negative num_predict means no limit and sends none") {
    const request_body body = build_request(llm_api::openai, {"m", "p", {}, {{"num_predict", std::int64_t{-1}}}});
    CHECK_FALSE(json::parse(body.json).contains("max_tokens"));
    CHECK(body.ignored_options.empty());
}

TEST_CASE("a prompt that is not UTF-8 is still sent as valid JSON") {
    const request_body body = build_request(llm_api::ollama, {"m", "a\xff z", {}, {}});
    CHECK(json::parse(body.json)["prompt"] == "a\uFFFD z");
}

TEST_CASE("error bodies of each kind of server give their message") {
    CHECK(parse_error_body(R"({"error":"model 'x' not found"})") == "model 'x' not found");
    CHECK(parse_error_body(R"({"error":{"message":"bad key","type":"auth"}})") == "bad key");
    CHECK(parse_error_body(R"({"object":"error","message":"too long"})") == "too long");
    CHECK(parse_error_body(R"({"detail":"Not Found"})") == "Not Found");
    CHECK(parse_error_body(R"({"error":{"code":5}})") == R"({"error":{"code":5}})");
    CHECK(parse_error_body("\r\n<html>\r\n<h1>502</h1>\n") == R"(<html>\r\n<h1>502</h1>)");
    CHECK(parse_error_body(" \n") == "empty body");
    CHECK(parse_error_body("") == "empty body");
    CHECK(parse_error_body("\xff\x01") == "\\xff\\x01");
    std::string nested;
    for (int i = 0; i < 100000; ++i) nested += "{\"error\":";
    CHECK(parse_error_body(nested).size() < 400);
}

TEST_CASE("an excerpt is bounded and never cut within a character") {
    CHECK(excerpt("short") == "short");
    CHECK(excerpt("東京", 6) == "東京");
    CHECK(excerpt("東京", 5) == "東...");
    CHECK(excerpt("ab\x80", 4) == "ab...");
    CHECK(excerpt(std::string(1000, 'x')).size() == 123);
}
