// Runs chimera-host against a scripted model server, on both transports, and builds the records that such servers send.
#pragma once

#include "host_process.hpp"
#include "model_server.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace chimera::test {

inline constexpr int tokens_of_reply = 20, gap_ms = 10;

/// One agent, one call, alone and then together, against a server that follows `script`. `check` sees what came out,
/// for each transport; `more` are further arguments of chimera-host, `path` stands behind the server's URL.
template <class Check>
void against(const std::string& api, model_server::script script, Check&& check, std::vector<std::string> more = {},
             const std::string& path = {}) {
    for (const std::string transport : {"socket", "curl"}) {
        CAPTURE(transport);
        const temporary_folder f;
        f.write("case.toml",
                "[executor]\nplugin = \"thread_pool\"\noptions = { workers = 1 }\n[transport]\nplugin = \"" +
                    transport + "\"\n[backend]\napi = \"" + api +
                    "\"\n[workload]\nkind = \"calls\"\npermits = 0\nprompts = [\"Why?\"]\n"
                    "[[workload.agents]]\nid = \"a\"\nmodel = \"m\"\n"
                    "[measure]\nruns = 1\nwarmup = 0\ntime_limit_s = 30\n");
        const model_server server(script);
        std::vector<std::string> arguments{
            "--profile", (f / "case.toml").string(), "--json", "--ui", "none", "--output-dir", (f / "results").string(),
            "--url",     server.url() + path};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const outcome o = run_host(arguments);
        INFO(o.err << o.out);
        check(o, f.path() / "results" / "case");
    }
}

/// The same, where nothing but the outcome matters.
template <class Check>
requires std::invocable<Check, const outcome&>
void against(const std::string& api, model_server::script script, Check&& check, std::vector<std::string> more = {},
             const std::string& path = {}) {
    against(
        api, std::move(script), [&](const outcome& o, const std::filesystem::path&) { check(o); }, std::move(more),
        path);
}

/// Every warning and error of a summary, in one text.
inline std::string said(const outcome& o) {
    std::string all;
    const nlohmann::json j = o.json();
    for (const auto& w : j["warnings"]) all += w.get<std::string>() + '\n';
    for (const auto& e : j["errors"]) all += e["message"].get<std::string>() + '\n';
    return all;
}

inline bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// The reply was read as it was sent: tokens, and about 100 of them a second. The bounds leave room for a machine that
/// stands still for a while; what they protect against is off by factors.
inline void check_reply(const outcome& o, int tokens = tokens_of_reply) {
    CHECK(o.status == 0);
    CHECK(o.mean("tokens") == tokens);
    CHECK(o.mean("tokens_per_second") > 20);
    CHECK(o.mean("tokens_per_second") < 250);
}

// --- OpenAI ---

inline std::string event(const nlohmann::ordered_json& record) { return "data: " + record.dump() + "\n\n"; }

inline nlohmann::ordered_json choice(const nlohmann::ordered_json& delta,
                                     const nlohmann::ordered_json& reason = nullptr,
                                     const nlohmann::ordered_json& index = 0) {
    return {{"id", "c"},
            {"object", "chat.completion.chunk"},
            {"model", "m"},
            {"choices", {{{"index", index}, {"delta", delta}, {"finish_reason", reason}}}}};
}

inline std::string word(int i) { return " w" + std::to_string(i); }
inline std::string text_event(int i) { return event(choice({{"content", word(i)}})); }
inline std::string stop_event(const char* reason = "stop") {
    return event(choice(nlohmann::ordered_json::object(), reason));
}
inline std::string usage_event(int tokens, const nlohmann::ordered_json& details = nullptr) {
    nlohmann::ordered_json usage{{"prompt_tokens", 7}, {"completion_tokens", tokens}};
    if (!details.is_null()) usage["completion_tokens_details"] = details;
    return event({{"object", "chat.completion.chunk"}, {"choices", nlohmann::ordered_json::array()}, {"usage", usage}});
}
inline const std::string done_event = "data: [DONE]\n\n";

/// Sends make(i) for each token, in a chunk of its own, gap_ms apart.
template <class Make>
void send_tokens(reply& r, Make&& make, int first_ms = 50, int tokens = tokens_of_reply) {
    r.pause(first_ms);
    for (int i = 0; i < tokens; ++i) {
        if (i > 0) r.pause(gap_ms);
        r.chunk(make(i));
    }
}

/// A whole good reply of /v1/chat/completions.
inline void good_reply(reply& r) {
    r.begin("text/event-stream");
    send_tokens(r, text_event);
    r.chunk(stop_event() + usage_event(tokens_of_reply) + done_event);
    r.end();
}

// --- Ollama ---

inline std::string line(const nlohmann::ordered_json& record) { return record.dump() + "\n"; }
inline std::string text_line(int i) {
    return line({{"model", "m"}, {"created_at", "2026-01-01T00:00:00Z"}, {"response", word(i)}, {"done", false}});
}
/// The last record, with figures on top of what every server sends.
inline std::string last_line(const nlohmann::ordered_json& figures, const char* reason = "stop") {
    nlohmann::ordered_json record{{"model", "m"}, {"response", ""}, {"done", true}, {"done_reason", reason}};
    record.update(figures);
    return line(record);
}

} // namespace chimera::test
