#include <doctest/doctest.h>

#include "http_client.hpp"
#include "sim_process.hpp"

using namespace chimera::sim::test;
using nlohmann::json;

namespace {

const std::vector<std::string> quick{"--load-ms",          "0",  "--decode-tokens-per-s", "1000",
                                     "--reply-tokens-min", "20", "--reply-tokens-max",    "20"};

json chat(const json& more = json::object()) {
    json body{{"model", "m"}, {"messages", json::array({{{"role", "user"}, {"content", "weather?"}}})}};
    const json schema{{"type", "object"},
                      {"properties", {{"city", {{"type", "string"}}}, {"days", {{"type", "integer"}}}}}};
    body["tools"] = json::array({{{"type", "function"}, {"function", {{"name", "weather"}, {"parameters", schema}}}},
                                 {{"type", "function"}, {"function", {{"name", "time"}}}}});
    body.update(more);
    return body;
}

response ask(const sim_process& sim, const char* path, const json& body, std::string_view headers = {}) {
    return post_once(sim.port(), path, body.dump(), headers);
}

constexpr const char* openai = "/v1/chat/completions";
constexpr const char* ollama = "/api/chat";

} // namespace

TEST_CASE("an OpenAI call comes in pieces, one token each, and in one piece when not streamed") {
    sim_process sim(quick);
    const auto r = ask(sim, openai, chat({{"stream", true}, {"stream_options", {{"include_usage", true}}}}));
    REQUIRE(r.complete);
    const auto records = r.records();
    REQUIRE(records.size() > 6);
    const auto delta = [&](std::size_t i) { return json::parse(records[i]).at("choices").at(0).at("delta"); };
    CHECK(delta(0) == json{{"role", "assistant"}, {"content", nullptr}});
    const auto head = delta(1).at("tool_calls").at(0);
    CHECK(head.at("index") == 0);
    CHECK(head.at("type") == "function");
    CHECK(head.at("id").get<std::string>().starts_with("call_"));
    CHECK(head.at("function") == json{{"name", "weather"}, {"arguments", ""}});
    std::string arguments;
    const auto pieces = records.size() - 1 - 3; // role; reason, usage, DONE
    for (std::size_t i = 2; i <= pieces; ++i) {
        const auto call = delta(i).at("tool_calls").at(0);
        CHECK(call.at("index") == 0);
        CHECK_FALSE(call.contains("id"));
        arguments += call.at("function").at("arguments").get<std::string>();
        CHECK(json::parse(records[i]).at("t_ns") > json::parse(records[i - 1]).at("t_ns"));
    }
    CHECK(json::parse(arguments).at("days").is_number_integer());
    const auto end = json::parse(records[pieces + 1]);
    CHECK(end.at("choices").at(0).at("finish_reason") == "tool_calls");
    CHECK(json::parse(records[pieces + 2]).at("usage").at("completion_tokens") == pieces);

    const auto whole = ask(sim, openai, chat()).json();
    const auto message = whole.at("choices").at(0).at("message");
    CHECK(message.at("content").is_null());
    CHECK(message.at("tool_calls").size() == 1);
    CHECK(message.at("tool_calls").at(0).at("function").at("arguments") == arguments);
    CHECK(whole.at("choices").at(0).at("finish_reason") == "tool_calls");
    CHECK(whole.at("usage").at("completion_tokens") == pieces);

    const auto cut = ask(sim, openai, chat({{"max_tokens", 4}})).json().at("choices").at(0);
    CHECK(cut.at("finish_reason") == "length");
    CHECK(arguments.starts_with(
        cut.at("message").at("tool_calls").at(0).at("function").at("arguments").get<std::string>()));
}

TEST_CASE("an Ollama call comes in one record when its last token is due, and is counted in tokens") {
    sim_process sim(quick);
    const auto records = ask(sim, ollama, chat()).records();
    REQUIRE(records.size() == 2);
    const auto call = json::parse(records[0]);
    CHECK(call.at("done") == false);
    CHECK(call.at("message").at("content") == "");
    const auto function = call.at("message").at("tool_calls").at(0).at("function");
    CHECK(function.at("name") == "weather");
    CHECK(function.at("arguments").at("days").is_number_integer());
    const auto final = json::parse(records[1]);
    CHECK(final.at("done_reason") == "stop");
    CHECK_FALSE(final.at("message").contains("tool_calls"));
    const auto tokens = final.at("eval_count").get<std::int64_t>();
    CHECK(tokens > 5);
    CHECK(final.at("eval_duration").get<std::int64_t>() >= tokens * 1'000'000);

    const auto whole = ask(sim, ollama, chat({{"stream", false}})).json();
    CHECK(whole.at("message").at("tool_calls") == call.at("message").at("tool_calls"));
    CHECK(whole.at("eval_count") == tokens);
    CHECK(whole.at("done_reason") == "stop");

    const auto cut = ask(sim, ollama, chat({{"options", {{"num_predict", 3}}}})).records();
    REQUIRE(cut.size() == 1); // no call is whole
    CHECK(json::parse(cut[0]).at("done_reason") == "length");
    CHECK(json::parse(cut[0]).at("eval_count") == 3);
    CHECK_FALSE(ask(sim, ollama, chat({{"stream", false}, {"options", {{"num_predict", 3}}}}))
                    .json()
                    .at("message")
                    .contains("tool_calls"));
}

TEST_CASE("reasoning comes before a call, in both protocols") {
    auto thinking = quick;
    thinking.insert(thinking.end(), {"--reasoning-tokens", "4"});
    sim_process sim(thinking);
    const auto records = ask(sim, ollama, chat()).records();
    REQUIRE(records.size() == 4 + 2);
    CHECK_FALSE(json::parse(records[3]).at("message").at("thinking").get<std::string>().empty());
    CHECK(json::parse(records[4]).at("message").contains("tool_calls"));
    const auto message = ask(sim, openai, chat()).json().at("choices").at(0).at("message");
    CHECK(message.contains("reasoning_content"));
    CHECK(message.contains("tool_calls"));
}

TEST_CASE("the last message and tool_choice decide whether a tool is called") {
    sim_process sim(quick);
    const auto called = [&](const char* path, json more) -> std::string {
        more["stream"] = false;
        const auto r = ask(sim, path, chat(more));
        if (r.status != 200) {
            return std::to_string(r.status);
        }
        const auto body = r.json();
        const auto& message = path == ollama ? body.at("message") : body.at("choices").at(0).at("message");
        return message.contains("tool_calls")
                   ? message.at("tool_calls").at(0).at("function").at("name").get<std::string>()
                   : "";
    };
    const json with_result{{"messages",
                            {{{"role", "user"}, {"content", "weather?"}},
                             {{"role", "assistant"}, {"content", nullptr}},
                             {{"role", "tool"}, {"content", "rain"}}}}};
    const json named{{"tool_choice", {{"type", "function"}, {"function", {{"name", "time"}}}}}};
    for (const auto* path : {openai, ollama}) {
        CAPTURE(path);
        CHECK(called(path, json::object()) == "weather");
        CHECK(called(path, with_result).empty());
        CHECK(called(path, {{"tools", json::array()}}).empty());
    }
    CHECK(called(openai, {{"tool_choice", "auto"}}) == "weather");
    CHECK(called(openai, {{"tool_choice", "none"}}).empty());
    CHECK(called(openai, named) == "time");
    auto insists = with_result;
    insists["tool_choice"] = "required";
    CHECK(called(openai, insists) == "weather");
    CHECK(called(openai, {{"tool_choice", "perhaps"}}) == "400");
    CHECK(called(openai, {{"tool_choice", {{"type", "function"}, {"function", {{"name", "other"}}}}}}) == "400");
    CHECK(called(openai, {{"tools", nullptr}, {"tool_choice", "required"}}) == "400");
    CHECK(called(openai, {{"tools", {1}}}) == "400");
    CHECK(called(ollama, {{"tools", {{{"type", "function"}}}}}) == "400");
}

TEST_CASE("faults spoil a call as they spoil a text") {
    sim_process sim(quick);
    const auto records =
        ask(sim, openai, chat({{"stream", true}}), "X-Chimera-Fault: error_record,after=3\r\n").records();
    REQUIRE(records.size() == 1 + 3 + 1);
    CHECK(json::parse(records[3]).at("choices").at(0).at("delta").contains("tool_calls"));
    CHECK(json::parse(records[4]).contains("error"));
    CHECK(ask(sim, ollama, chat(), "X-Chimera-Fault: reset,after=1\r\n").reset);
    const auto short_call =
        ask(sim, ollama, chat(), "X-Chimera-Fault: finish_reason,reason=error,after=2\r\n").records();
    REQUIRE(short_call.size() == 1);
    CHECK(json::parse(short_call[0]).at("done_reason") == "error");
    CHECK(json::parse(short_call[0]).at("eval_count") == 2);
}
