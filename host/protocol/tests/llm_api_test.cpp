#include "protocol/llm_api.hpp"

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

TEST_CASE("a chat for Ollama has messages and the options as they are; a completion for OpenAI has a prompt") {
    const json chat = json::parse(build_request(llm_api::ollama_chat, full_request()).json);
    CHECK(build_request(llm_api::ollama_chat, full_request()).path == "/api/chat");
    CHECK(chat["messages"] == json::array({{{"role", "system"}, {"content", "Be brief."}},
                                           {{"role", "user"}, {"content", "Say \"hi\"\n東京"}}}));
    CHECK(chat["options"]["num_ctx"] == 512);
    CHECK_FALSE(chat.contains("prompt"));
    const request_body completion = build_request(llm_api::openai_completions, full_request());
    CHECK(completion.path == "/v1/completions");
    const json sent = json::parse(completion.json);
    CHECK(sent["prompt"] == "Be brief.\n\nSay \"hi\"\n東京");
    CHECK(sent["max_tokens"] == 256);
    CHECK(sent["stream_options"]["include_usage"] == true);
    CHECK_FALSE(sent.contains("messages"));
    CHECK(completion.ignored_options.size() == 4);
}

TEST_CASE("edits set, nest and remove fields of the body, in their order") {
    generate_request request{"m", "p", {}, {{"seed", std::int64_t{1}}}};
    request.edits = {{"stream_options.include_usage", ""},
                     {"seed", ""},
                     {"stop", R"(["\n"])"},
                     {"extra_body.top_k", "5"},
                     {"missing.deep.x", ""},
                     {"model", "\"other\""}};
    const json sent = json::parse(build_request(llm_api::openai, request).json);
    CHECK(sent["stream_options"] == json::object());
    CHECK_FALSE(sent.contains("seed"));
    CHECK(sent["stop"] == json::array({"\n"}));
    CHECK(sent["extra_body"]["top_k"] == 5);
    CHECK_FALSE(sent.contains("missing"));
    CHECK(sent["model"] == "other");
    request.edits = {{"options.num_ctx", "4096"}};
    CHECK(json::parse(build_request(llm_api::ollama, request).json)["options"] ==
          json({{"seed", 1}, {"num_ctx", 4096}}));
    request.edits = {{"a.b", "{"}};
    CHECK_THROWS_WITH(build_request(llm_api::ollama, request), doctest::Contains("'a.b'"));
}

TEST_CASE("the fields that an error text names are found as words") {
    const std::string sent = build_request(llm_api::openai, full_request()).json;
    CHECK(fields_named_in("Extra inputs are not permitted: body.stream_options, seeded", sent) ==
          std::vector<std::string>{"stream_options"});
    CHECK(fields_named_in("'seed' and top_p; model, stream", sent) == std::vector<std::string>{"top_p", "seed"});
    CHECK(fields_named_in("out of memory", sent).empty());
    CHECK(fields_named_in("seed", "not JSON").empty());
}

TEST_CASE("an excerpt is bounded and never cut within a character") {
    CHECK(excerpt("short") == "short");
    CHECK(excerpt("東京", 6) == "東京");
    CHECK(excerpt("東京", 5) == "東...");
    CHECK(excerpt("ab\x80", 4) == "ab...");
    CHECK(excerpt(std::string(1000, 'x')).size() == 123);
}

TEST_CASE("an excerpt shows characters that cannot be seen") {
    CHECK(excerpt("\uFEFFa\u200Bb\u00A0c\u2028d\u202Ee\u2066f") ==
          "\\u{feff}a\\u{200b}b\\u{a0}c\\u{2028}d\\u{202e}e\\u{2066}f");
    CHECK(excerpt("\u0085é€😀") == "\\xc2\\x85é€😀");
}

TEST_CASE("printable text keeps its line ends and nothing else that acts on a terminal") {
    CHECK(printable("a\nb\r\x1b]0;t\x07\t\x7f") == "a\nb\\r\\x1b]0;t\\x07\\t\\x7f");
    CHECK(printable("caf\u00e9 \xff\u009b 東京") == "caf\u00e9 \\xff\\xc2\\x9b 東京");
    CHECK(printable("\U000E0041\u3164\u2067\ufff9") == "\\u{e0041}\\u{3164}\\u{2067}\\u{fff9}");
    CHECK(printable(std::string_view("\0", 1)) == "\\x00");
    CHECK(printable("") == "");
    CHECK(on_one_line("a\nb") == "a\\nb");
    CHECK(on_one_line(std::string(1000, 'x')).size() == 1000);
    const std::string twice = printable(printable("\x1b\u202e\xc3\n"));
    CHECK(twice == "\\x1b\\u{202e}\\xc3\n");
}

TEST_CASE("a word for a shell is one word, and acts on no terminal") {
    CHECK(shell_word("a/b-1.toml") == "a/b-1.toml");
    CHECK(shell_word("") == "''");
    CHECK(shell_word("a b; rm -rf ~") == "'a b; rm -rf ~'");
    CHECK(shell_word("it's $(x) `y` \\") == "'it'\\''s $(x) `y` \\'");
    CHECK(shell_word("a\x1b'\\\n\u202e") == "$'a\\x1b\\'\\\\\\x0a\\xe2\\x80\\xae'");
}
