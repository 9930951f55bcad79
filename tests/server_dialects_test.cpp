// Servers that write the protocol in their own way, errors that must show their cause, and the keys of [backend] that
// adapt a request to a server.
#include "server_case.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>

#include <zlib.h>

using namespace chimera::test;
using nlohmann::ordered_json;

namespace {

constexpr const char* sse = "text/event-stream";

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
        text.replace(at, from.size(), to);
    return text;
}

/// A good reply. Every piece went through `change` before it was sent.
template <class Change>
model_server::script written(Change change, std::string before = {}) {
    return [change, before](const asked&, reply& r) {
        r.begin(sse);
        if (!before.empty()) r.chunk(before);
        send_tokens(r, [&](int i) { return change(text_event(i)); });
        r.chunk(change(stop_event() + usage_event(tokens_of_reply) + done_event));
        r.end();
    };
}

void fails_with(const std::string& api, model_server::script script, std::vector<std::string> texts,
                std::vector<std::string> more = {}, const std::string& path = {}) {
    against(
        api, std::move(script),
        [&](const outcome& o) {
            CHECK(o.status == 4);
            for (const std::string& text : texts) {
                CAPTURE(text);
                CHECK(holds(said(o), text));
            }
        },
        std::move(more), path);
}

/// What `bytes` are with a window of so many bits: 15 zlib, 31 gzip.
class compressor {
  public:
    explicit compressor(int window) {
        deflateInit2(&z_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY);
    }
    ~compressor() { deflateEnd(&z_); }
    compressor(const compressor&) = delete;
    compressor& operator=(const compressor&) = delete;
    std::string add(std::string bytes, bool last = false) {
        std::array<char, 65536> out{};
        z_.next_in = reinterpret_cast<Bytef*>(bytes.data());
        z_.avail_in = static_cast<uInt>(bytes.size());
        z_.next_out = reinterpret_cast<Bytef*>(out.data());
        z_.avail_out = out.size();
        deflate(&z_, last ? Z_FINISH : Z_SYNC_FLUSH);
        return {out.data(), out.size() - z_.avail_out};
    }

  private:
    z_stream z_{};
};

} // namespace

// --- no stricter than the standard or the vendors' own clients ---

TEST_CASE("every way to write lines of server-sent events is read") {
    const auto as_it_is = [](std::string s) { return s; };
    against("openai", written([](std::string s) { return replaced(std::move(s), "\n", "\r"); }),
            [](const outcome& o) { check_reply(o); });
    against("openai", written([](std::string s) { return replaced(std::move(s), "\n", "\r\n"); }),
            [](const outcome& o) { check_reply(o); });
    against("openai", written([](std::string s) { return replaced(std::move(s), "\n\n", "\n"); }),
            [](const outcome& o) { check_reply(o); });
    against("openai", written([](std::string s) { return replaced(std::move(s), "data: ", "data:"); }),
            [](const outcome& o) { check_reply(o); });
    against("openai", written([](std::string s) { return replaced(std::move(s), "[DONE]", " [DONE] "); }),
            [](const outcome& o) { check_reply(o); });
    against("openai", written([](std::string s) {
                return replaced(std::move(s), "data: [DONE]\n\n", "data: [DONE]\n\ndata: [DONE]\n\n");
            }),
            [](const outcome& o) { check_reply(o); });
    against("openai",
            written([](std::string s) { return "id: 7\nevent: message\nretry: 10\nx-own: 1\n: comment\n" + s; }),
            [](const outcome& o) { check_reply(o); });
    against("openai",
            written([](std::string s) { return replaced(std::move(s), ",\"choices\"", "\ndata: ,\"choices\""); }),
            [](const outcome& o) { check_reply(o); });
    against("openai", written(as_it_is, "\xEF\xBB\xBF"), [](const outcome& o) { check_reply(o); });
    against("openai", written([](std::string s) { return replaced(std::move(s), "data: {", "{"); }),
            [](const outcome& o) {
                check_reply(o);
                CHECK(holds(said(o), "data:"));
            });
}

TEST_CASE("content as parts, null for absent, half a surrogate pair, and figures of other types are read") {
    const auto with_content = [](const std::function<ordered_json(int)>& content) {
        return [content](const asked&, reply& r) {
            r.begin(sse);
            send_tokens(r, [&](int i) { return event(choice({{"content", content(i)}, {"tool_calls", nullptr}})); });
            r.chunk(stop_event() + done_event);
            r.end();
        };
    };
    against("openai", with_content([](int i) {
                return ordered_json{{{"type", "text"}, {"text", word(i)}}};
            }),
            [](const outcome& o) { check_reply(o); });
    against(
        "ollama",
        [](const asked&, reply& r) {
            r.begin("application/x-ndjson");
            send_tokens(r, [](int i) {
                return std::string(R"({"response":")") + (i % 2 == 0 ? R"(\ud83d)" : R"(\ude00)") +
                       "\",\"done\":false}\n";
            });
            r.chunk(last_line({{"eval_count", 20.0}, {"eval_duration", nullptr}}));
            r.end();
        },
        [](const outcome& o) {
            check_reply(o);
            CHECK(holds(said(o), "surrogate"));
        });
}

TEST_CASE("any status of success is one") {
    for (const char* status : {"201 Created", "202 Accepted", "200"}) {
        CAPTURE(status);
        against(
            "openai",
            [&](const asked&, reply& r) {
                r.begin(sse, {}, status);
                send_tokens(r, text_event);
                r.chunk(stop_event() + usage_event(tokens_of_reply) + done_event);
                r.end();
            },
            [](const outcome& o) { check_reply(o); });
    }
    fails_with("openai", [](const asked&, reply& r) { r.send("HTTP/1.1 204 No Content\r\n\r\n"); }, {"empty reply"});
}

TEST_CASE("a body that came compressed without being asked for is decoded, or refused by name") {
    for (const auto& [name, window] : {std::pair{"gzip", 31}, {"deflate", 15}, {"deflate", -15}}) {
        CAPTURE(name);
        CAPTURE(window);
        against(
            "openai",
            [&](const asked&, reply& r) {
                compressor z(window);
                r.begin(sse, {std::string("Content-Encoding: ") + name});
                send_tokens(r, [&](int i) { return z.add(text_event(i)); });
                r.chunk(z.add(stop_event() + usage_event(tokens_of_reply) + done_event, true));
                r.end();
            },
            [](const outcome& o) {
                check_reply(o);
                CHECK(holds(said(o), "compressed"));
            });
    }
    fails_with("openai",
               [](const asked&, reply& r) {
                   r.begin(sse, {"Content-Encoding: br"});
                   r.chunk("\x0b\x02\x80");
                   r.end();
               },
               {"br"});
    // What follows the answer is not decoded any more, and an error's status comes before its encoding.
    against(
        "openai",
        [&](const asked&, reply& r) {
            compressor z(31);
            r.begin(sse, {"Content-Encoding: gzip"});
            send_tokens(r, [&](int i) { return z.add(text_event(i)); });
            r.chunk(z.add(stop_event() + usage_event(tokens_of_reply) + done_event));
            r.chunk("this is not gzip");
            r.end();
        },
        [](const outcome& o) { check_reply(o); });
    fails_with(
        "openai",
        [](const asked&, reply& r) { r.whole("500 Oops", "\x0b\x02\x80", "text/plain", {"Content-Encoding: br"}); },
        {"500", "br"});
}

// --- errors show the cause ---

TEST_CASE("a whole JSON body in place of a stream is an error with the server's words") {
    const std::string bodies[] = {
        R"({"error":{"message":"insufficient balance","type":"billing"}})",
        "{\n  \"base_resp\": {\n    \"status_code\": 1008,\n    \"status_msg\": \"insufficient balance\"\n  }\n}",
        "{\n  \"detail\": [\n    {\"loc\": [\"body\"], \"msg\": \"insufficient balance\"}\n  ]\n}\n",
    };
    for (const std::string& body : bodies)
        for (const std::string api : {"openai", "ollama"})
            fails_with(api, [&](const asked&, reply& r) { r.whole("200 OK", body); }, {"insufficient balance"});
    fails_with("openai",
               [](const asked&, reply& r) {
                   r.whole("200 OK",
                           R"({"object":"chat.completion","choices":[{"index":0,"message":{"content":"a b"}}]})");
               },
               {"stream"});
    fails_with("openai",
               [](const asked&, reply& r) { r.whole("200 OK", "<html>\n<h1>Login</h1>\n</html>", "text/html"); },
               {"Login"});
}

TEST_CASE("a page in place of a stream is told although its end never comes") {
    fails_with("openai",
               [](const asked&, reply& r) {
                   r.begin("text/html");
                   r.chunk("<html>\n<h1>Log in, please</h1>\n");
                   r.pause(20'000);
                   r.close();
               },
               {"Log in, please"});
}

TEST_CASE("statuses say what a person needs: words, code, type, invisible bytes, when to come back") {
    fails_with("openai",
               [](const asked&, reply& r) {
                   r.whole("503 Service Unavailable", R"({"error":{"code":"1305","type":"engine_overloaded"}})",
                           "application/json", {"Retry-After: 7"});
               },
               {"503", "1305", "engine_overloaded", "Retry-After: 7"});
    fails_with("openai", [](const asked&, reply& r) { r.whole("500 Oops", "\xEF\xBB\xBF\xE2\x80\x8B", "text/plain"); },
               {"500", "200b"});
    fails_with("openai", [](const asked&, reply& r) { r.whole("404 Not Found", "nothing here"); },
               {"404", "backend.path"});
    fails_with(
        "openai", [](const asked&, reply& r) { r.whole("404 Not Found", "nothing here"); },
        {"/v1/v1/chat/completions", "repeats a step"}, {"--set", "backend.path=/v1/chat/completions"}, "/v1");
}

TEST_CASE("a redirect says where to, and is followed on demand within its origin") {
    const auto moved = [](const asked& a, reply& r) {
        if (!holds(a.line, " /compat/v1/chat/completions "))
            r.whole("307 Temporary Redirect", "", "text/plain", {"Location: /compat/v1/chat/completions"});
        else
            good_reply(r);
    };
    fails_with("openai", moved, {"307", "/compat/v1/chat/completions", "backend.follow_redirects"});
    against("openai", moved,
            [](const outcome& o) {
                check_reply(o);
                CHECK(holds(said(o), "redirected"));
            },
            {"--set", "backend.follow_redirects=true"});
    for (const std::string location : {"http://127.0.0.2:1/v1", "//example.org/v1"})
        fails_with("openai",
                   [&](const asked&, reply& r) {
                       r.whole("308 Permanent Redirect", "", "text/plain", {"Location: " + location});
                   },
                   {location, "not followed"}, {"--set", "backend.follow_redirects=true"});
    fails_with(
        "openai",
        [](const asked&, reply& r) { r.whole("307 Temporary Redirect", "", "text/plain", {"Location: /again"}); },
        {"307", "/again", "not followed, after 5 redirects"}, {"--set", "backend.follow_redirects=true"});
}

// --- a way out ---

TEST_CASE("an API key is sent under the name that the server wants") {
    ::setenv("CHIMERA_API_KEY", "k-123", 1);
    const auto azure = [](const asked& a, reply& r) {
        holds(a.headers, "api-key: k-123\r\n") && !holds(a.headers, "Authorization")
            ? good_reply(r)
            : static_cast<void>(r.whole("401 Unauthorized", a.headers));
    };
    against("openai", azure, [](const outcome& o) { check_reply(o); }, {"--set", "backend.key_header=api-key"});
    ::unsetenv("CHIMERA_API_KEY");
}

TEST_CASE("a base URL with and without /v1 reaches the same path") {
    const auto strict = [](const asked& a, reply& r) {
        a.line == "POST /v1/chat/completions HTTP/1.1" ? good_reply(r)
                                                       : static_cast<void>(r.whole("404 Not Found", a.line));
    };
    for (const std::string path : {"", "/", "/v1", "/v1/"})
        against(
            "openai", strict, [](const outcome& o) { check_reply(o); }, {}, path);
}

TEST_CASE("path, headers and body of a request are the profile's to change") {
    const auto picky = [](const asked& a, reply& r) {
        const auto body = a.json();
        const bool good = holds(a.line, "POST /deep/v9/chat?api=1 HTTP") && holds(a.headers, "X-Team: blue\r\n") &&
                          !holds(a.headers, "Accept:") && !body.contains("seed") && !body.contains("stream_options") &&
                          body["think"] == false && body["extra"]["deep"]["k"] == 3 && body["stream"] == true;
        good ? good_reply(r) : static_cast<void>(r.whole("422 Unprocessable Entity", a.line + a.headers + a.body));
    };
    against(
        "openai", picky, [](const outcome& o) { check_reply(o); },
        {"--set", "backend.path=/v9/chat?api=1", "--set", "backend.headers.X-Team=blue", "--set",
         "backend.headers.Accept=", "--set", "backend.body.seed=", "--set", "backend.body.stream_options=", "--set",
         "backend.body.think=false", "--set", "backend.body.extra.deep.k=3"},
        "/deep");
}

TEST_CASE("a field that the server refuses is named, with the key that leaves it out") {
    const auto strict = [](const asked& a, reply& r) {
        for (const char* key : {"stream_options", "seed"})
            if (a.json().contains(key)) {
                r.whole("422 Unprocessable Entity", ordered_json{{"detail",
                                                                  {{{"type", "extra_forbidden"},
                                                                    {"loc", {"body", key}},
                                                                    {"msg", "Extra inputs are not permitted"}}}}}
                                                        .dump());
                return;
            }
        r.begin(sse);
        send_tokens(r, text_event);
        r.chunk(stop_event() + done_event);
        r.end();
    };
    fails_with("openai", strict, {"422", "backend.body = { stream_options = \"\" }"});
    against("openai", strict, [](const outcome& o) { check_reply(o); },
            {"--set", "backend.body.seed=", "--set", "backend.body.stream_options="});
}

TEST_CASE("/api/chat and /v1/completions are protocols of their own") {
    against(
        "ollama_chat",
        [](const asked& a, reply& r) {
            if (!holds(a.line, " /api/chat ") || a.json()["messages"][0]["content"] != "Why?") {
                r.whole("400 Bad Request", a.line + a.body);
                return;
            }
            r.begin("application/x-ndjson");
            send_tokens(r, [](int i) {
                return line(
                    {{"model", "m"}, {"message", {{"role", "assistant"}, {"content", word(i)}}}, {"done", false}});
            });
            r.chunk(line({{"message", {{"role", "assistant"}, {"content", ""}}},
                          {"done", true},
                          {"done_reason", "stop"},
                          {"eval_count", tokens_of_reply},
                          {"eval_duration", 200'000'000}}));
            r.end();
        },
        [](const outcome& o) { check_reply(o); });
    against(
        "openai_completions",
        [](const asked& a, reply& r) {
            if (!holds(a.line, " /v1/completions ") || a.json()["prompt"] != "Why?") {
                r.whole("400 Bad Request", a.line + a.body);
                return;
            }
            r.begin(sse);
            send_tokens(r, [](int i) {
                return event({{"object", "text_completion"},
                              {"choices", {{{"index", 0}, {"text", word(i)}, {"finish_reason", nullptr}}}}});
            });
            r.chunk(event({{"choices", {{{"index", 0}, {"text", ""}, {"finish_reason", "stop"}}}}}) +
                    usage_event(tokens_of_reply) + done_event);
            r.end();
        },
        [](const outcome& o) { check_reply(o); });
}

TEST_CASE("a request that was sent twice says so") {
    against(
        "openai",
        [](const asked& a, reply& r) {
            // The connection that served a call is closed upon the next, before a byte of the answer.
            if (a.number % 3 == 1)
                r.close();
            else
                good_reply(r);
        },
        [](const outcome& o) {
            CHECK(o.status == 0);
            CHECK(holds(said(o), "sent again"));
        },
        {"--set", "workload.calls_per_agent=2"});
}
