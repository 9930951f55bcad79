#include <doctest/doctest.h>

#include "http_client.hpp"
#include "sim_process.hpp"

using namespace chimera::sim::test;
using nlohmann::json;

namespace {

std::string chat_body(const std::string& extra) {
    return R"({"model":"m","messages":[{"role":"system","content":"Be brief."},)"
           R"({"role":"user","content":[{"type":"text","text":"How fast?"}]}])" +
           extra + "}";
}

const std::vector<std::string> fast{"--decode-tokens-per-s", "0",  "--load-ms",          "0",
                                    "--reply-tokens-min",    "30", "--reply-tokens-max", "30"};

std::vector<std::string> fast_and(const std::vector<std::string>& more) {
    auto all = fast;
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

response ask(const sim_process& sim, const std::string& extra, std::string_view headers = {}) {
    return post_once(sim.port(), "/v1/completions", R"({"model":"m","prompt":"How fast?")" + extra + "}", headers);
}

} // namespace

TEST_CASE("a chat stream has a role, content, a reason, usage where asked for, and DONE") {
    sim_process sim(fast);
    const auto r = post_once(sim.port(), "/v1/chat/completions",
                             chat_body(R"(,"stream":true,"stream_options":{"include_usage":true})"));
    REQUIRE(r.status == 200);
    REQUIRE(r.complete);
    CHECK(r.has_header("Content-Type: text/event-stream\r\n"));
    const auto records = r.records();
    REQUIRE(records.size() == 1 + 30 + 3);
    CHECK(r.chunks.size() == records.size());
    const auto role = json::parse(records[0]);
    CHECK(role.at("object") == "chat.completion.chunk");
    CHECK(role.at("choices")[0].at("delta").at("role") == "assistant");
    for (std::size_t i = 1; i <= 30; ++i) {
        const auto record = json::parse(records[i]);
        CHECK(record.at("id") == role.at("id"));
        CHECK_FALSE(record.at("choices")[0].at("delta").at("content").get<std::string>().empty());
        CHECK(record.at("choices")[0].at("finish_reason").is_null());
        CHECK(record.at("usage").is_null());
        CHECK(record.at("t_ns").get<std::int64_t>() > 0);
    }
    CHECK(json::parse(records[31]).at("choices")[0].at("finish_reason") == "stop");
    const auto usage = json::parse(records[32]);
    CHECK(usage.at("choices").empty());
    CHECK(usage.at("usage").at("completion_tokens") == 30);
    CHECK(usage.at("usage").at("prompt_tokens") == 5);
    CHECK(usage.at("usage").at("total_tokens") == 35);
    CHECK(records[33] == "[DONE]");
}

TEST_CASE("usage is not sent unasked") {
    sim_process sim(fast);
    const auto r = post_once(sim.port(), "/v1/chat/completions", chat_body(R"(,"stream":true)"));
    CHECK(r.records().size() == 1 + 30 + 2);
    CHECK(r.body.find("usage") == std::string::npos);
}

TEST_CASE("a chat without streaming is one body with the same text") {
    sim_process sim(fast);
    const auto whole = post_once(sim.port(), "/v1/chat/completions", chat_body(R"(,"seed":5)"));
    REQUIRE(whole.status == 200);
    std::string text;
    for (const auto& record :
         post_once(sim.port(), "/v1/chat/completions", chat_body(R"(,"seed":5,"stream":true)")).records()) {
        if (record != "[DONE]") {
            text += json::parse(record).at("choices")[0].at("delta").value("content", "");
        }
    }
    const auto choice = whole.json().at("choices")[0];
    CHECK(choice.at("message").at("content") == text);
    CHECK(choice.at("finish_reason") == "stop");
    CHECK(whole.json().at("usage").at("completion_tokens") == 30);
}

TEST_CASE("reasoning comes first, is counted, and falls under the limit") {
    sim_process sim(fast_and({"--reasoning-tokens", "10"}));
    const auto deltas = [&](const std::string& extra) {
        std::pair<int, int> counts;
        for (const auto& record :
             post_once(sim.port(), "/v1/chat/completions", chat_body(R"(,"stream":true)" + extra)).records()) {
            if (record == "[DONE]") {
                continue;
            }
            const auto delta = json::parse(record).at("choices")[0].at("delta");
            if (delta.contains("reasoning_content")) {
                ++counts.first;
                CHECK(counts.second == 0);
            } else if (!delta.value("content", "").empty()) {
                ++counts.second;
            }
        }
        return counts;
    };
    CHECK(deltas("") == std::pair{10, 30});
    CHECK(deltas(R"(,"max_tokens":12)") == std::pair{10, 2});
    CHECK(deltas(R"(,"max_completion_tokens":4)") == std::pair{4, 0});
    const auto whole = post_once(sim.port(), "/v1/chat/completions", chat_body(R"(,"max_tokens":12)")).json();
    CHECK(whole.at("usage").at("completion_tokens_details").at("reasoning_tokens") == 10);
    CHECK(whole.at("choices")[0].at("finish_reason") == "length");
    CHECK_FALSE(whole.at("choices")[0].at("message").at("reasoning_content").get<std::string>().empty());
}

TEST_CASE("bad chats are answered with OpenAI's error object") {
    sim_process sim({"--model", "m"});
    const auto check = [&](const std::string& body, int status, const std::string& text) {
        const auto r = post_once(sim.port(), "/v1/chat/completions", body);
        CAPTURE(body);
        CHECK(r.status == status);
        CHECK(r.json().at("error").at("message").get<std::string>().find(text) != std::string::npos);
        CHECK(r.json().at("error").at("type") == "invalid_request_error");
    };
    check("nonsense", 400, "invalid JSON");
    check(R"({"model":"m"})", 400, "'messages'");
    check(R"({"model":"m","messages":[]})", 400, "'messages'");
    check(R"({"model":"m","messages":["hi"]})", 400, "'messages'");
    check(R"({"model":"m","messages":[{"content":"hi"}]})", 400, "role");
    check(R"({"model":"m","messages":[{"role":"user","content":4}]})", 400, "'content'");
    check(chat_body(R"(,"max_tokens":0)"), 400, "'max_tokens'");
    check(chat_body(R"(,"n":2)"), 400, "'n'");
    check(R"({"model":"other","messages":[{"role":"user","content":"hi"}]})", 404, "not found");
}

TEST_CASE("a text completion is chunks of text, a reason, usage where asked for, and DONE") {
    sim_process sim(fast);
    const auto r = ask(sim, R"(,"stream":true,"stream_options":{"include_usage":true})");
    REQUIRE(r.status == 200);
    REQUIRE(r.complete);
    CHECK(r.has_header("Content-Type: text/event-stream\r\n"));
    const auto records = r.records();
    REQUIRE(records.size() == 30 + 3);
    CHECK(r.chunks.size() == records.size());
    std::string text;
    for (std::size_t i = 0; i < 30; ++i) {
        const auto record = json::parse(records[i]);
        CHECK(record.at("object") == "text_completion");
        CHECK(record.at("id").get<std::string>().starts_with("cmpl-"));
        CHECK(record.at("choices").at(0).at("finish_reason").is_null());
        CHECK(record.at("usage").is_null());
        CHECK(record.at("t_ns").get<std::int64_t>() > 0);
        text += record.at("choices").at(0).at("text").get<std::string>();
    }
    const auto last = json::parse(records[30]).at("choices").at(0);
    CHECK(last.at("text") == "");
    CHECK(last.at("finish_reason") == "stop");
    const auto usage = json::parse(records[31]);
    CHECK(usage.at("choices").empty());
    CHECK(usage.at("usage").at("completion_tokens") == 30);
    CHECK(usage.at("usage").at("prompt_tokens") == 3);
    CHECK(records[32] == "[DONE]");

    const auto whole = ask(sim, "").json();
    CHECK(whole.at("object") == "text_completion");
    CHECK(whole.at("choices").at(0).at("text") == text);
    CHECK(whole.at("choices").at(0).at("finish_reason") == "stop");
    CHECK(whole.at("usage").at("completion_tokens") == 30);
    CHECK(ask(sim, R"(,"max_tokens":4)").json().at("choices").at(0).at("finish_reason") == "length");
    CHECK(ask(sim, R"(,"stream":true)").body.find("usage") == std::string::npos);
}

TEST_CASE("a text completion has no reasoning") {
    auto thinking = fast;
    thinking.insert(thinking.end(), {"--reasoning-tokens", "10"});
    sim_process sim(thinking);
    const auto usage = ask(sim, "").json().at("usage");
    CHECK(usage.at("completion_tokens") == 30);
    CHECK(usage.at("completion_tokens_details").at("reasoning_tokens") == 0);
}

TEST_CASE("the prompt is one string, alone or in an array") {
    sim_process sim(fast);
    const auto post = [&](const std::string& prompt) {
        return post_once(sim.port(), "/v1/completions", R"({"model":"m","prompt":)" + prompt + "}");
    };
    CHECK(post(R"(["How fast?"])").json().at("choices") == post(R"("How fast?")").json().at("choices"));
    for (const auto* prompt : {"null", "[]", "7", R"(["a","b"])", "[1,2]", "[3]", "{}"}) {
        CAPTURE(prompt);
        const auto r = post(prompt);
        CHECK(r.status == 400);
        CHECK(r.json().at("error").at("message").get<std::string>().find("'prompt'") != std::string::npos);
    }
    CHECK(ask(sim, R"(,"n":2)").status == 400);
    CHECK(ask(sim, R"(,"echo":true)").status == 400);
}

TEST_CASE("faults spoil text completions as they spoil chats") {
    sim_process sim(fast);
    const auto records = ask(sim, R"(,"stream":true)", "X-Chimera-Fault: error_record,after=2\r\n").records();
    REQUIRE(records.size() == 3);
    CHECK(json::parse(records[2]).at("error").at("message").is_string());
    const auto limited = ask(sim, "", "X-Chimera-Fault: status_429\r\n");
    CHECK(limited.status == 429);
    CHECK(limited.has_header("Retry-After: 1\r\n"));
    CHECK(limited.json().at("error").at("code") == "rate_limit_exceeded");
    CHECK(limited.json().at("error").at("type") == "requests");
}

TEST_CASE("models are listed and found by their name, which a path may have encoded") {
    sim_process sim({"--model", "org/a b:1", "--model", "gemma3:latest"});
    http_client client(sim.port());
    CHECK(client.get("/v1/models").json().at("data").size() == 2);
    CHECK(client.get("/v1/models/gemma3").json().at("id") == "gemma3:latest");
    CHECK(client.get("/v1/models/gemma3%3Alatest").json().at("object") == "model");
    CHECK(client.get("/v1/models/org%2Fa%20b:1").json().at("id") == "org/a b:1");
    const auto unknown = client.get("/v1/models/other%");
    CHECK(unknown.status == 404);
    CHECK(unknown.json().at("error").at("code") == "model_not_found");
    CHECK(client.get("/v1/models/").status == 400);
    sim_process any(fast);
    CHECK(http_client(any.port()).get("/v1/models/%ff").status == 200);
}

TEST_CASE("paths under /v1 that are not served are answered with OpenAI's error object") {
    sim_process sim(fast);
    const auto r = post_once(sim.port(), "/v1/embeddings", "{}");
    CHECK(r.status == 404);
    CHECK(r.json().at("error").at("code") == "unknown_url");
    CHECK(http_client(sim.port()).get("/v1/completions").json().at("error").at("message").is_string());
    CHECK(http_client(sim.port()).get("/api/nothing").json().at("error").is_string());
}
