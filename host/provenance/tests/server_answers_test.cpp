// Answers as the servers send them, and garbage.
#include "process/secrets.hpp"
#include "provenance/server_answers.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace chimera::host;

namespace {

/// Asks until there are no more questions. `asked`: every path, in order.
server_identity told_by(llm_api api, const std::map<std::string, std::string, std::less<>>& server,
                        const std::vector<std::string>& models = {"m"}, std::vector<std::string>* asked = nullptr) {
    server_answers answers(api, "http://h", models);
    while (const auto path = answers.next()) {
        if (asked) asked->emplace_back(*path);
        if (const auto found = server.find(*path); found != server.end()) answers.take(found->second);
    }
    return answers.identity();
}

const std::string ollama_tags = R"({"models":[
    {"name":"other:7b","model":"other:7b","digest":"ffff","details":{"parameter_size":"7B","quantization_level":"Q8_0"}},
    {"name":"gemma3:latest","model":"gemma3:latest","digest":"a2af6cc3eb7f","size":3338801804,
     "details":{"format":"gguf","family":"gemma3","parameter_size":"4.3B","quantization_level":"Q4_K_M"}}]})";

} // namespace

TEST_CASE("Ollama tells its version, and of each model digest, size and quantization") {
    std::vector<std::string> asked;
    const server_identity s =
        told_by(llm_api::ollama, {{"/api/version", R"({"version":"0.12.6"})"}, {"/api/tags", ollama_tags}},
                {"gemma3", "missing"}, &asked);
    CHECK(asked == std::vector<std::string>{"/api/version", "/api/tags"});
    CHECK(s.url == "http://h");
    CHECK(s.software == "Ollama");
    CHECK(s.version == "0.12.6");
    REQUIRE(s.models.size() == 2);
    CHECK(s.models[0] == model_identity{"gemma3", "a2af6cc3eb7f", "4.3B", "Q4_K_M"});
    CHECK(s.models[1] == model_identity{"missing", {}, {}, {}});
}

TEST_CASE("a list of models says which are there; without a list nobody knows") {
    server_answers ollama(llm_api::ollama, "http://h", {"gemma3"});
    while (const auto path = ollama.next())
        if (*path == "/api/tags") ollama.take(ollama_tags);
    CHECK(ollama.offered() == std::vector<std::string>{"other:7b", "gemma3:latest"});
    CHECK(ollama.has("gemma3") == true);
    CHECK(ollama.has("gemma3:latest") == true);
    CHECK(ollama.has("other") == false);
    const server_answers silent(llm_api::ollama, "http://h", {"gemma3"});
    CHECK_FALSE(silent.has("gemma3"));
}

TEST_CASE("Ollama is recognized behind its OpenAI paths too") {
    std::vector<std::string> asked;
    const server_identity s =
        told_by(llm_api::openai, {{"/api/version", R"({"version":"0.12.6"})"}, {"/api/tags", ollama_tags}},
                {"gemma3:latest"}, &asked);
    CHECK(asked == std::vector<std::string>{"/api/version", "/api/tags"});
    CHECK(s.models[0].digest == "a2af6cc3eb7f");
}

TEST_CASE("vLLM is recognized by the owner of its models") {
    const server_identity s = told_by(
        llm_api::openai, {{"/v1/models", R"({"object":"list","data":[{"id":"m","owned_by":"vllm","root":"m"}]})"},
                          {"/version", R"({"version":"0.6.3.post1"})"}});
    CHECK(s.software == "vLLM");
    CHECK(s.version == "0.6.3.post1");
    CHECK(s.models[0] == model_identity{"m", {}, {}, {}});
}

TEST_CASE("llama.cpp serves one model under any name") {
    const server_identity s =
        told_by(llm_api::openai,
                {{"/v1/models",
                  R"({"data":[{"id":"/models/gemma.gguf","owned_by":"llamacpp","meta":{"n_params":4299915632}}]})"},
                 {"/props", R"({"build_info":"b4567-1f3c9a0b","total_slots":4})"}});
    CHECK(s.software == "llama.cpp");
    CHECK(s.version == "b4567-1f3c9a0b");
    CHECK(s.models[0].parameter_size == "4.3B");
}

TEST_CASE("a simulator says that it is one") {
    const server_identity s =
        told_by(llm_api::ollama, {{"/api/version", R"({"version":"0.12.6","chimera_sim":"0.1.0"})"}});
    CHECK(s.software == "chimera-sim");
    CHECK(s.version == "0.1.0");
}

TEST_CASE("a server that tells nothing is asked everything, and nothing is known of it") {
    std::vector<std::string> asked;
    const server_identity s = told_by(llm_api::openai, {}, {"m"}, &asked);
    CHECK(asked == std::vector<std::string>{"/api/version", "/v1/models", "/version"});
    CHECK(s == server_identity{"http://h", {}, {}, {{"m", {}, {}, {}}}});
}

TEST_CASE("garbage is ignored") {
    std::string deep;
    for (int i = 0; i < 100'000; ++i) deep += '[';
    for (const std::string& garbage :
         {std::string(), std::string("<html>"), std::string("[]"), std::string("null"), std::string("{"),
          std::string(R"({"version":{"version":1},"models":7,"data":{"id":"m"},"build_info":[]})"),
          std::string(
              R"({"version":"","models":[7,null,{"name":[]}],"data":[[],{"id":"m","meta":[1],"details":"x"}]})"),
          std::string("{\"version\":\"\xff\xfe\""), deep}) {
        CAPTURE(garbage.substr(0, 60));
        for (const llm_api api : {llm_api::ollama, llm_api::openai}) {
            const server_identity s = told_by(api, {{"/api/version", garbage},
                                                    {"/api/tags", garbage},
                                                    {"/v1/models", garbage},
                                                    {"/version", garbage},
                                                    {"/props", garbage}});
            CHECK(s == server_identity{"http://h", {}, {}, {{"m", {}, {}, {}}}});
        }
    }
}

TEST_CASE("a text of a server is one short line, and a key that it sends back is hidden") {
    hold_secret("sk-1234567890abcdef");
    const server_identity s =
        told_by(llm_api::ollama,
                {{"/api/version", R"({"version":"1\n2 sk-1234567890abcdef )" + std::string(500, 'x') + "\"}"}});
    const std::string version = s.version.value_or("");
    CHECK(version.starts_with("1\\n2 *** x"));
    CHECK(version.size() < 250);
    CHECK(version.find('\n') == std::string::npos);
}
