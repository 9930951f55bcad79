#include <doctest/doctest.h>

#include "http_client.hpp"
#include "sim_process.hpp"

using namespace chimera::sim::test;
using nlohmann::json;

namespace {

const std::vector<std::string> quick{"--load-ms",          "20", "--decode-tokens-per-s", "1000",
                                     "--reply-tokens-min", "30", "--reply-tokens-max",    "30"};

std::string chat(const std::string& extra = "") {
    return R"({"model":"gemma3:latest","messages":[{"role":"system","content":"Be brief."},)"
           R"({"role":"user","content":"How fast?"}])" +
           extra + "}";
}

response ask(const sim_process& sim, const std::string& body) { return post_once(sim.port(), "/api/chat", body); }

} // namespace

TEST_CASE("a chat is records with a message each, one to a chunk, and a final record with figures") {
    sim_process sim(quick);
    const auto r = ask(sim, chat());
    REQUIRE(r.status == 200);
    REQUIRE(r.complete);
    CHECK(r.has_header("Content-Type: application/x-ndjson\r\n"));
    const auto records = r.records();
    REQUIRE(records.size() == 31);
    CHECK(r.chunks.size() == 31);
    std::string text;
    std::int64_t before = 0;
    for (std::size_t i = 0; i < 30; ++i) {
        const auto record = json::parse(records[i]);
        CHECK(record.at("model") == "gemma3:latest");
        CHECK(record.at("created_at").get<std::string>().size() == 30);
        CHECK(record.at("message").at("role") == "assistant");
        CHECK(record.at("done") == false);
        CHECK_FALSE(record.at("message").contains("thinking"));
        CHECK(record.at("t_ns") > before);
        before = record.at("t_ns");
        text += record.at("message").at("content").get<std::string>();
    }
    const auto final = json::parse(records.back());
    CHECK(final.at("message") == json{{"role", "assistant"}, {"content", ""}});
    CHECK(final.at("done") == true);
    CHECK(final.at("done_reason") == "stop");
    CHECK(final.at("eval_count") == 30);
    CHECK(final.at("prompt_eval_count") == 5);
    CHECK(final.at("load_duration") == 20'000'000);
    CHECK(final.at("eval_duration") >= 30'000'000);
    CHECK_FALSE(final.contains("response"));

    const auto whole = ask(sim, chat(R"(,"stream":false)"));
    CHECK(whole.has_header("Content-Type: application/json"));
    CHECK(whole.json().at("message") == json{{"role", "assistant"}, {"content", text}});
    CHECK(whole.json().at("done") == true);
    CHECK(whole.json().at("eval_count") == 30);
}

TEST_CASE("options hold for a chat as for a prompt") {
    sim_process sim(quick);
    const auto capped = json::parse(ask(sim, chat(R"(,"options":{"num_predict":4})")).records().back());
    CHECK(capped.at("done_reason") == "length");
    CHECK(capped.at("eval_count") == 4);
    const auto again = json::parse(ask(sim, chat(R"(,"options":{"num_ctx":512})")).records().back());
    CHECK(again.at("load_duration") == 20'000'000);
}

TEST_CASE("a model that can think does so in both endpoints, unless it is told not to") {
    auto thinking = quick;
    thinking.insert(thinking.end(), {"--reasoning-tokens", "6"});
    sim_process sim(thinking);
    const auto counts = [&](const char* path, const std::string& body) {
        std::pair<int, int> found;
        for (const auto& text : post_once(sim.port(), path, body).records()) {
            const auto record = json::parse(text);
            const auto& said = record.contains("message") ? record.at("message") : record;
            found.first += said.contains("thinking") ? 1 : 0;
            found.second += said.value("content", said.value("response", "")).empty() ? 0 : 1;
            CHECK((found.second == 0 || !said.contains("thinking")));
        }
        return found;
    };
    for (const std::string think : {"", R"(,"think":true)", R"(,"think":"high")"}) {
        CHECK(counts("/api/chat", chat(think)) == std::pair{6, 30});
        CHECK(counts("/api/generate", R"({"model":"m","prompt":"x")" + think + "}") == std::pair{6, 30});
    }
    CHECK(counts("/api/chat", chat(R"(,"think":false)")) == std::pair{0, 30});
    const auto whole = ask(sim, chat(R"(,"stream":false)")).json();
    CHECK_FALSE(whole.at("message").at("thinking").get<std::string>().empty());
    CHECK(whole.at("eval_count") == 36);
    CHECK(ask(sim, chat(R"(,"think":7)")).status == 400);
    sim_process plain(quick);
    const auto refused = ask(plain, chat(R"(,"think":true)"));
    CHECK(refused.status == 400);
    CHECK(refused.json().at("error") == R"("gemma3:latest" does not support thinking)");
}

TEST_CASE("a chat that says nothing loads or unloads, and /api/ps tells which model is loaded") {
    sim_process sim({"--load-ms", "0", "--model", "gemma3:latest"});
    http_client client(sim.port());
    const auto running = [&] { return client.get("/api/ps").json().at("models"); };
    CHECK(running().empty());
    const auto loaded = ask(sim, R"({"model":"gemma3","messages":[],"options":{"num_ctx":512}})").json();
    CHECK(loaded.at("done_reason") == "load");
    CHECK(loaded.at("message") == json{{"role", "assistant"}, {"content", ""}});
    REQUIRE(running().size() == 1);
    CHECK(running()[0].at("name") == "gemma3:latest");
    CHECK(running()[0].at("context_length") == 512);
    CHECK(running()[0].at("expires_at").get<std::string>().size() == 30);
    CHECK(ask(sim, R"({"model":"gemma3","messages":[],"keep_alive":0})").json().at("done_reason") == "unload");
    CHECK(running().empty());
}

TEST_CASE("/api/show knows the models that exist") {
    sim_process sim({"--model", "gemma3:latest"});
    const auto shown = post_once(sim.port(), "/api/show", R"({"model":"gemma3"})").json();
    CHECK(shown.at("details").at("format") == "gguf");
    CHECK(shown.at("capabilities") == json{"completion", "tools"});
    CHECK(shown.at("model_info").at("general.architecture") == "gemma3");
    CHECK(post_once(sim.port(), "/api/show", R"({"name":"gemma3:latest"})").status == 200);
    const auto unknown = post_once(sim.port(), "/api/show", R"({"model":"nothing"})");
    CHECK(unknown.status == 404);
    CHECK(unknown.json().at("error") == "model 'nothing' not found");
    CHECK(post_once(sim.port(), "/api/show", "{}").status == 400);
    CHECK(http_client(sim.port()).get("/api/show").status == 405);
}

TEST_CASE("bad chats are answered as Ollama answers them") {
    sim_process sim({"--model", "gemma3:latest"});
    const auto check = [&](const std::string& body, int status, const std::string& text) {
        const auto r = ask(sim, body);
        CAPTURE(body);
        CHECK(r.status == status);
        CHECK(r.json().at("error").get<std::string>().find(text) != std::string::npos);
    };
    check("", 400, "missing request body");
    check(R"({"messages":[]})", 400, "model is required");
    check(R"({"model":"nothing","messages":[]})", 404, "model 'nothing' not found");
    check(R"({"model":"gemma3","messages":"hi"})", 400, "'messages'");
    check(R"({"model":"gemma3","messages":["hi"]})", 400, "'messages'");
    check(R"({"model":"gemma3","messages":[{"role":"user","content":1}]})", 400, "'content'");
}
