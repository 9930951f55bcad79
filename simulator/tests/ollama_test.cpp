#include <cmath>

#include <doctest/doctest.h>

#include "http_client.hpp"
#include "sim_process.hpp"

using namespace chimera::sim::test;
using nlohmann::json;

namespace {

const std::string prompt = R"({"model":"gemma3:latest","prompt":"How fast is it? ","options":{"seed":3}})";

std::string generate_body(const std::string& extra) {
    return R"({"model":"gemma3:latest","prompt":"How fast is it? ")" + extra + "}";
}

/// Text of all records of a stream.
std::string text_of(const response& r) {
    std::string text;
    for (const auto& record : r.records()) {
        text += json::parse(record).at("response").get<std::string>();
    }
    return text;
}

const std::vector<std::string> quick{"--load-ms",          "20", "--decode-tokens-per-s", "1000",
                                     "--reply-tokens-min", "30", "--reply-tokens-max",    "30"};

std::string chat(const std::string& extra = "") {
    return R"({"model":"gemma3:latest","messages":[{"role":"system","content":"Be brief."},)"
           R"({"role":"user","content":"How fast?"}])" +
           extra + "}";
}

response ask(const sim_process& sim, const std::string& body) { return post_once(sim.port(), "/api/chat", body); }

} // namespace

TEST_CASE("a stream is records as Ollama sends them, one to a chunk, and a final record") {
    sim_process sim({"--decode-tokens-per-s", "1000", "--reply-tokens-min", "40", "--reply-tokens-max", "40"});
    const auto r = post_once(sim.port(), "/api/generate", prompt);
    REQUIRE(r.status == 200);
    REQUIRE(r.complete);
    CHECK(r.has_header("Content-Type: application/x-ndjson\r\n"));
    CHECK(r.has_header("Transfer-Encoding: chunked\r\n"));
    const auto records = r.records();
    REQUIRE(records.size() == 41);
    CHECK(r.chunks.size() == 41);
    std::int64_t before = 0;
    for (std::size_t i = 0; i < 40; ++i) {
        const auto record = json::parse(records[i]);
        CHECK(record.at("model") == "gemma3:latest");
        CHECK(record.at("done") == false);
        CHECK(record.at("created_at").get<std::string>().size() == 30);
        CHECK_FALSE(record.at("response").get<std::string>().empty());
        CHECK(record.at("t_ns").get<std::int64_t>() > before);
        before = record.at("t_ns");
    }
    const auto final = json::parse(records.back());
    CHECK(final.at("done") == true);
    CHECK(final.at("done_reason") == "stop");
    CHECK(final.at("response") == "");
    CHECK(final.at("eval_count") == 40);
    CHECK(final.at("prompt_eval_count") == 4);
    CHECK_FALSE(final.contains("context"));
}

TEST_CASE("the durations of the final record are true and add up to what the client sees") {
    sim_process sim({"--load-ms", "80", "--prefill-tokens-per-s", "100", "--ctx-prefill-cost", "0",
                     "--decode-tokens-per-s", "200", "--reply-tokens-min", "60", "--reply-tokens-max", "60"});
    for (const bool first : {true, false}) {
        CAPTURE(first);
        const auto records = post_once(sim.port(), "/api/generate", prompt).records();
        REQUIRE(records.size() == 61);
        const auto final = json::parse(records.back());
        const auto ns = [&](const char* name) { return final.at(name).get<std::int64_t>(); };
        CHECK(ns("load_duration") == (first ? 80'000'000 : 0));
        CHECK(ns("prompt_eval_duration") == 40'000'000);
        CHECK(ns("eval_duration") >= 300'000'000);
        const auto sum = ns("load_duration") + ns("prompt_eval_duration") + ns("eval_duration");
        CHECK(ns("total_duration") >= sum);
        CHECK(ns("total_duration") < sum + 100'000'000);
        const auto tokens_took = json::parse(records[59]).at("t_ns").get<std::int64_t>() -
                                 json::parse(records[0]).at("t_ns").get<std::int64_t>();
        CHECK(tokens_took < ns("eval_duration"));
    }
}

TEST_CASE("without streaming the same reply comes as one body, with the same durations") {
    sim_process sim({"--decode-tokens-per-s", "1000", "--load-ms", "0", "--context"});
    const auto streamed = post_once(sim.port(), "/api/generate", prompt);
    const auto whole = post_once(sim.port(), "/api/generate", generate_body(R"(,"options":{"seed":3},"stream":false)"));
    REQUIRE(whole.status == 200);
    CHECK(whole.has_header("Content-Type: application/json"));
    CHECK(whole.json().at("response") == text_of(streamed));
    CHECK(whole.json().at("done") == true);
    const auto count = whole.json().at("eval_count").get<std::size_t>();
    CHECK(count == streamed.records().size() - 1);
    CHECK(whole.json().at("eval_duration").get<double>() >= static_cast<double>(count) * 1e6);
    CHECK(whole.json().at("context").size() == count + 4);
}

TEST_CASE("length and text depend on seeds and prompt alone") {
    const std::vector<std::string> options{"--decode-tokens-per-s", "0",   "--load-ms",          "0",
                                           "--reply-tokens-min",    "100", "--reply-tokens-max", "2000"};
    auto other_options = options;
    other_options.insert(other_options.end(), {"--seed", "9"});
    sim_process one(options);
    sim_process same(options);
    sim_process other(other_options);
    const auto seeded = [](int seed) { return generate_body(R"(,"options":{"seed":)" + std::to_string(seed) + "}"); };
    const auto text = text_of(post_once(one.port(), "/api/generate", seeded(1)));
    CHECK(text_of(post_once(one.port(), "/api/generate", seeded(1))) == text);
    CHECK(text_of(post_once(same.port(), "/api/generate", seeded(1))) == text);
    CHECK(text_of(post_once(one.port(), "/api/generate", seeded(2))) != text);
    CHECK(text_of(post_once(other.port(), "/api/generate", seeded(1))) != text);
    CHECK(text_of(post_once(one.port(), "/api/generate", R"({"model":"m","prompt":"another","options":{"seed":1}})")) !=
          text);
}

TEST_CASE("num_predict caps the reply, num_ctx cuts the prompt, a reply range goes by the prompt") {
    sim_process sim({"--decode-tokens-per-s", "0", "--load-ms", "0", "--reply-tokens-min", "50", "--reply-tokens-max",
                     "60", "--reply-range", "collector=7:7"});
    const auto final = [&](const std::string& body) {
        return json::parse(post_once(sim.port(), "/api/generate", body).records().back());
    };
    const auto capped = final(generate_body(R"(,"options":{"num_predict":5})"));
    CHECK(capped.at("eval_count") == 5);
    CHECK(capped.at("done_reason") == "length");
    const auto uncapped = final(generate_body(R"(,"options":{"num_predict":-1})"));
    CHECK(uncapped.at("eval_count") >= 50);
    CHECK(uncapped.at("done_reason") == "stop");
    CHECK(final(R"({"model":"m","prompt":"you are the collector"})").at("eval_count") == 7);
    const auto cut = final(R"({"model":"m","prompt":")" + std::string(4000, 'x') + R"(","options":{"num_ctx":128}})");
    CHECK(cut.at("prompt_eval_count") == 128);
}

TEST_CASE("another num_gpu or num_ctx loads again, and an empty prompt loads or unloads") {
    sim_process sim({"--decode-tokens-per-s", "0", "--load-ms", "30"});
    const auto load_of = [&](const std::string& server_options) {
        const auto body = generate_body(R"(,"options":{"num_predict":2,)" + server_options + "}");
        const auto records = post_once(sim.port(), "/api/generate", body).records();
        return json::parse(records.back()).at("load_duration").get<std::int64_t>();
    };
    const auto reason_of = [&](const std::string& body) {
        return post_once(sim.port(), "/api/generate", body).json().at("done_reason").get<std::string>();
    };
    CHECK(load_of(R"("num_ctx":512)") == 30'000'000);
    CHECK(load_of(R"("num_ctx":512)") == 0);
    CHECK(load_of(R"("num_ctx":1024)") == 30'000'000);
    CHECK(load_of(R"("num_ctx":1024,"num_gpu":80)") == 30'000'000);
    CHECK(load_of(R"("num_ctx":512)") == 30'000'000);
    CHECK(reason_of(R"({"model":"gemma3:latest","options":{"num_ctx":256}})") == "load");
    CHECK(load_of(R"("num_ctx":256)") == 0);
    CHECK(reason_of(R"({"model":"gemma3:latest","keep_alive":0,"options":{"num_ctx":256}})") == "unload");
    CHECK(load_of(R"("num_ctx":256)") == 30'000'000);
    http_client client(sim.port());
    const auto unload = post_text("/api/generate", R"({"model":"gemma3:latest","keep_alive":0})");
    client.send(unload + unload + unload);
    for (int i = 0; i < 3; ++i) {
        CHECK(client.read_response().json().at("done_reason") == "unload");
    }
}

TEST_CASE("bad requests are answered as Ollama answers them") {
    sim_process sim({"--model", "gemma3:latest"});
    const auto check = [&](const std::string& body, int status, const std::string& text) {
        const auto r = post_once(sim.port(), "/api/generate", body);
        CAPTURE(body);
        CHECK(r.status == status);
        CHECK(r.json().at("error").get<std::string>().find(text) != std::string::npos);
    };
    check("", 400, "missing request body");
    check("{", 400, "invalid JSON");
    check("[]", 400, "expected an object");
    check(R"({"prompt":"x"})", 400, "model is required");
    check(R"({"model":"nothing","prompt":"x"})", 404, "model 'nothing' not found");
    check(R"({"model":3,"prompt":"x"})", 400, "'model'");
    check(R"({"model":"gemma3","prompt":"x","options":{"num_predict":"many"}})", 400, "'num_predict'");
    check(R"({"model":"gemma3","prompt":"x","options":{"num_ctx":0}})", 400, "'num_ctx'");
    check(R"({"model":"gemma3","prompt":"x","options":{"temperature":"hot"}})", 400, "'temperature'");
    CHECK(post_once(sim.port(), "/api/nothing", "{}").status == 404);
    const auto method = http_client(sim.port()).get("/api/generate");
    CHECK(method.status == 405);
    CHECK(method.has_header("Allow: POST\r\n"));
}

TEST_CASE("the pages that clients ask before they begin are there") {
    sim_process sim({"--model", "a:1", "--model", "b:2"});
    http_client client(sim.port());
    CHECK(client.get("/").body == "Ollama is running");
    const auto version = client.get("/api/version").json();
    CHECK(version.contains("version"));
    CHECK(version.contains("chimera_sim"));
    const auto tags = client.get("/api/tags").json().at("models");
    REQUIRE(tags.size() == 2);
    CHECK(tags[1].at("name") == "b:2");
    CHECK(client.get("/v1/models").json().at("data")[0].at("id") == "a:1");
    client.send("HEAD / HTTP/1.1\r\nHost: sim\r\n\r\n");
    const auto head = client.read_response(true);
    CHECK(head.status == 200);
    CHECK(head.has_header("Content-Length: 17\r\n"));
    CHECK(client.get("/chimera/stats").json().at("connections_open") == 1);
}

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
