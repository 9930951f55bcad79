// Replies whose figures mislead: late ends, empty replies, second choices, contradictions, clumps.
#include "server_case.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

using namespace chimera::test;
using nlohmann::ordered_json;

namespace {

constexpr const char* sse = "text/event-stream";
constexpr const char* ndjson = "application/x-ndjson";

/// All but the end of the body.
void unended_reply(reply& r) {
    r.begin(sse);
    send_tokens(r, text_event);
    r.chunk(stop_event() + usage_event(tokens_of_reply) + done_event);
}

void ollama_reply(reply& r, const ordered_json& figures, const char* reason = "stop") {
    r.begin(ndjson);
    send_tokens(r, text_line);
    r.chunk(last_line(figures, reason));
    r.end();
}

} // namespace

// --- the end of the answer is not the end of the exchange ---

TEST_CASE("a body that ends long after the answer costs drain_ms of the server's time, and no part of E2E") {
    const auto lingering = [](const asked& a, reply& r) {
        unended_reply(r);
        if (a.number > 0) r.pause(5000); // the agent among others waits, the agent alone does not
        r.end();
    };
    against("openai", lingering,
            [](const outcome& o) {
                check_reply(o);
                CHECK(o.mean("e2e_ms") < 1000);
                CHECK(o.mean("drain_ms") > 490);
                CHECK(o.mean("drain_ms") < 1400);
                CHECK(o.mean("inflation_work_pct") < 15);
                CHECK(o.mean("inflation_server_pct") > 30);
                CHECK(holds(said(o), "did not end within backend.drain_ms"));
            },
            {"--set", "backend.drain_ms=500"});
}

TEST_CASE("a body that never ends does not hold up an answer that is complete") {
    const auto endless = [](const asked&, reply& r) {
        unended_reply(r);
        for (int i = 0; i < 200 && !r.client_gone(); ++i) {
            r.chunk(": keep-alive\n\n");
            r.pause(50);
        }
        r.close();
    };
    against("openai", endless, [](const outcome& o) {
        check_reply(o);
        CHECK(o.took.count() < 5000);
        CHECK(holds(said(o), "did not end within backend.drain_ms"));
    });
}

TEST_CASE("a flood behind the answer is cut off") {
    const auto flooding = [](const asked&, reply& r) {
        unended_reply(r);
        const std::string comment = ":" + std::string(16'000, '-') + "\n\n";
        for (int i = 0; i < 1000 && !r.client_gone(); ++i) r.chunk(comment);
        r.close();
    };
    against("openai", flooding,
            [](const outcome& o) {
                check_reply(o);
                CHECK(holds(said(o), "64 KiB"));
            },
            {"--set", "backend.drain_ms=20000"});
}

TEST_CASE("a connection that closes behind the answer, without the last chunk, leaves it complete") {
    const auto cut = [](const asked&, reply& r) {
        unended_reply(r);
        r.close();
    };
    against("openai", cut, [](const outcome& o) {
        check_reply(o);
        CHECK(holds(said(o), "cut off after the answer"));
    });
}

TEST_CASE("without [DONE] the finish reason ends the answer, whatever becomes of the body") {
    std::string wanted;
    model_server::script script;
    SUBCASE("the body ends") {
        script = [](const asked&, reply& r) {
            r.begin(sse);
            send_tokens(r, text_event);
            r.chunk(stop_event() + usage_event(tokens_of_reply));
            r.end();
        };
    }
    SUBCASE("the connection closes") {
        script = [](const asked&, reply& r) {
            r.begin(sse);
            send_tokens(r, text_event);
            r.chunk(stop_event() + usage_event(tokens_of_reply));
            r.close();
        };
    }
    SUBCASE("nothing comes any more") {
        script = [](const asked&, reply& r) {
            r.begin(sse);
            send_tokens(r, text_event);
            r.chunk(stop_event() + usage_event(tokens_of_reply));
            r.pause(20'000);
            r.close();
        };
        wanted = "came after the finish reason";
    }
    against("openai", script, [&](const outcome& o) {
        check_reply(o);
        CHECK(o.mean("e2e_ms") < 1000);
        CHECK(holds(said(o), wanted));
        CHECK(holds(said(o), "[DONE]"));
    });
}

// --- a reply without content is not a success ---

TEST_CASE("a reply without anything visible fails, and says why the server ended it") {
    ordered_json figures{{"eval_count", 64}, {"eval_duration", 640'000'000}};
    std::string reason = "stop", counted = "64 tokens";
    SUBCASE("only the model was loaded") {
        reason = "load";
        figures = ordered_json::object();
        counted = "";
    }
    SUBCASE("cut at the limit") { reason = "length"; }
    SUBCASE("ended by itself") {}
    against(
        "ollama",
        [&](const asked&, reply& r) {
            r.begin(ndjson);
            send_tokens(
                r,
                [](int) {
                    return line({{"model", "m"}, {"response", ""}, {"done", false}});
                },
                10, 5);
            r.chunk(last_line(figures, reason.c_str()));
            r.end();
        },
        [&](const outcome& o) {
            CHECK(o.status == 4);
            CHECK(holds(said(o), "empty reply"));
            CHECK(holds(said(o), '"' + reason + '"'));
            CHECK(holds(said(o), counted));
            CHECK(o.json()["metrics"]["ttft_ms"]["n"] == 0);
            CHECK(o.json()["metrics"]["e2e_ms"]["n"] == 0);
        });
}

TEST_CASE("a finish reason that means failure makes the reply a failed one") {
    for (const ordered_json& reason : {ordered_json("content_filter"), ordered_json("abort"), ordered_json("error"),
                                       ordered_json{{"type", "abort"}, {"message", "no memory"}}}) {
        CAPTURE(reason);
        against(
            "openai",
            [&](const asked&, reply& r) {
                r.begin(sse);
                send_tokens(r, text_event, 10, 3);
                r.chunk(event(choice(ordered_json::object(), reason)) + usage_event(3) + done_event);
                r.end();
            },
            [&](const outcome& o) {
                CHECK(o.status == 4);
                CHECK(holds(said(o), "unfinished reply"));
                CHECK(holds(said(o), reason.is_string() ? reason.get<std::string>() : "abort"));
            });
    }
}

TEST_CASE("a reply of tool calls counts by its pieces; one of reasoning only counts and is said") {
    against(
        "openai",
        [](const asked&, reply& r) {
            r.begin(sse);
            r.chunk(event(choice({{"role", "assistant"}, {"content", nullptr}})));
            send_tokens(r, [](int i) {
                return event(choice({{"tool_calls", {{{"index", 0}, {"function", {{"arguments", word(i)}}}}}}}));
            });
            r.chunk(stop_event("tool_calls") + usage_event(tokens_of_reply) + done_event);
            r.end();
        },
        [](const outcome& o) {
            check_reply(o);
            CHECK(o.json()["metrics"]["itl_ms"]["n"] == tokens_of_reply - 1);
        });
    against(
        "openai",
        [](const asked&, reply& r) {
            r.begin(sse);
            send_tokens(r, [](int i) { return event(choice({{"reasoning_content", word(i)}})); });
            r.chunk(stop_event("length") + usage_event(tokens_of_reply, {{"reasoning_tokens", tokens_of_reply}}) +
                    done_event);
            r.end();
        },
        [](const outcome& o) {
            check_reply(o);
            CHECK(holds(said(o), "reasoning only"));
            CHECK(holds(said(o), "length"));
        });
}

TEST_CASE("an error in a 200 is a failed request with the server's words") {
    const std::string errors[] = {
        event({{"choices", nullptr}, {"error_type", "overloaded"}, {"error_message", "the queue is full"}}) +
            done_event,
        event({{"error", {{"message", "the queue is full"}, {"code", 1}}}}),
        event({{"detail", "the queue is full"}}),
        event({{"object", "error"}, {"message", "the queue is full"}}),
        "event: error\ndata: the queue is full\n\n",
        "error: {\"message\":\"the queue is full\"}\n\n" + done_event,
        "{\"error\":{\"message\":\"the queue is full\"}}\n",
        "data: the queue is full\n\n",
    };
    for (const std::string& error : errors) {
        CAPTURE(error);
        against(
            "openai",
            [&](const asked&, reply& r) {
                r.begin(sse);
                send_tokens(r, text_event, 10, 3);
                r.chunk(error);
                r.pause(3000); // it fails at once, and not at the end of the body
                r.end();
            },
            [](const outcome& o) {
                CHECK(o.status == 4);
                CHECK(holds(said(o), "the queue is full"));
                CHECK(o.took.count() < 2500);
            });
    }
}

TEST_CASE("a finish reason that nobody knows counts the reply, and is named") {
    against(
        "openai",
        [](const asked&, reply& r) {
            r.begin(sse);
            send_tokens(r, text_event);
            r.chunk(stop_event("moonshine") + usage_event(tokens_of_reply) + done_event);
            r.end();
        },
        [](const outcome& o) {
            check_reply(o);
            CHECK(holds(said(o), "moonshine"));
        });
}

// --- nothing is dropped without a word ---

TEST_CASE("the only choice counts whatever its index; a second one is counted and said") {
    against(
        "openai",
        [](const asked&, reply& r) {
            r.begin(sse);
            send_tokens(r, [](int i) {
                return event(
                    choice({{"content", word(i)}}, i == tokens_of_reply - 1 ? ordered_json("stop") : nullptr, i));
            });
            r.chunk(done_event);
            r.end();
        },
        [](const outcome& o) { check_reply(o); });
    against(
        "openai",
        [](const asked&, reply& r) {
            r.begin(sse);
            for (const int index : {0, 1})
                r.chunk(event(choice({{"role", "assistant"}, {"content", ""}}, nullptr, index)));
            send_tokens(r, [](int i) { return text_event(i) + event(choice({{"content", "other"}}, nullptr, 1)); });
            r.chunk(stop_event() + done_event);
            r.end();
        },
        [](const outcome& o) {
            check_reply(o);
            CHECK(holds(said(o), "choice"));
        });
    against(
        "openai",
        [](const asked&, reply& r) { // one after the other
            r.begin(sse);
            send_tokens(r, text_event);
            for (int i = 0; i < 5; ++i) r.chunk(event(choice({{"content", "other"}}, nullptr, 1)));
            r.chunk(stop_event() + done_event);
            r.end();
        },
        [](const outcome& o) {
            check_reply(o);
            CHECK(holds(said(o), "choice"));
        });
}

TEST_CASE("heartbeats are passed over, counted and said") {
    against(
        "openai",
        [](const asked&, reply& r) {
            r.begin(sse);
            send_tokens(r, [](int i) { return "event: ping\ndata: {\"type\":\"ping\"}\n\n" + text_event(i); });
            r.chunk(stop_event() + usage_event(tokens_of_reply) + done_event);
            r.end();
        },
        [](const outcome& o) {
            check_reply(o);
            CHECK(holds(said(o), "ping"));
        });
}

// --- the server's figures against the client's evidence ---

TEST_CASE("durations that the arrival contradicts are not used, and both are named") {
    ordered_json figures{{"eval_count", tokens_of_reply}};
    SUBCASE("milliseconds where nanoseconds belong") {
        figures["eval_duration"] = 200;
        figures["prompt_eval_duration"] = 50;
    }
    SUBCASE("longer than the whole request") { figures["eval_duration"] = 200'000'000'000; }
    against(
        "ollama", [&](const asked&, reply& r) { ollama_reply(r, figures); },
        [](const outcome& o) {
            check_reply(o);
            CHECK(o.json()["metrics"]["server_eval_ms"]["n"] == 0);
            CHECK(holds(said(o), "contradict"));
            CHECK(holds(said(o), "eval_duration"));
        });
}

TEST_CASE("a count that cannot be is replaced by the pieces that came") {
    for (const ordered_json& count : {ordered_json(0), ordered_json(-1), ordered_json(1)}) {
        CAPTURE(count);
        against(
            "ollama",
            [&](const asked&, reply& r) {
                ollama_reply(r, {{"eval_count", count}, {"eval_duration", 190'000'000}});
            },
            [](const outcome& o) {
                check_reply(o);
                CHECK(o.json()["tokens_from"] == "content records");
                CHECK(!o.json()["warnings"].empty());
            });
    }
}

TEST_CASE("reasoning that was counted and not sent is in no rate of visible tokens") {
    for (const ordered_json& details : {ordered_json{{"reasoning_tokens", 980}}, ordered_json(nullptr)}) {
        CAPTURE(details);
        against(
            "openai",
            [&](const asked&, reply& r) {
                r.begin(sse);
                r.chunk(event(choice({{"role", "assistant"}, {"content", ""}})));
                send_tokens(r, text_event, 400);
                r.chunk(stop_event() + usage_event(1000, details) + done_event);
                r.end();
            },
            [](const outcome& o) {
                CHECK(o.status == 0);
                CHECK(o.mean("tokens") == 1000);
                CHECK(o.mean("tokens_per_second") > 20);
                CHECK(o.mean("tokens_per_second") < 250);
                CHECK(o.mean("tpot_ms") > 2);
                CHECK(o.mean("generated_tokens_per_second") > 250);
                CHECK(!o.json()["warnings"].empty());
            });
    }
}

TEST_CASE("tokens that Ollama counted and did not send are in no rate of visible tokens either") {
    against(
        "ollama",
        [](const asked&, reply& r) {
            ollama_reply(r, {{"eval_count", 1000}, {"eval_duration", 240'000'000}});
        },
        [](const outcome& o) {
            CHECK(o.status == 0);
            CHECK(o.mean("tokens_per_second") < 250);
            CHECK(!o.json()["warnings"].empty());
        });
}

// --- rates of degenerate arrivals ---

TEST_CASE("a rate counts the tokens whose time is known, and there is none for a reply in one piece") {
    against(
        "openai",
        [](const asked&, reply& r) {
            r.begin(sse);
            r.chunk(event(choice({{"content", std::string(200, 'x')}})));
            r.pause(200);
            r.chunk(event(choice({{"content", std::string(200, 'x')}})) + stop_event() + usage_event(40) + done_event);
            r.end();
        },
        [](const outcome& o) {
            CHECK(o.status == 0);
            CHECK(o.mean("tokens_per_second") > 40); // 20 tokens in 200 ms
            CHECK(o.mean("tokens_per_second") < 160);
            CHECK(holds(said(o), "several tokens for each record"));
        });
    against(
        "openai",
        [](const asked&, reply& r) {
            r.begin(sse);
            std::string all;
            for (int i = 0; i < tokens_of_reply; ++i) all += text_event(i);
            r.chunk(all + stop_event() + usage_event(tokens_of_reply) + done_event);
            r.end();
        },
        [](const outcome& o) {
            CHECK(o.status == 0);
            CHECK(o.json()["metrics"]["tokens_per_second"]["n"] == 0);
            CHECK(!o.json()["self_check"]["arrival_limited"].empty());
        });
}

TEST_CASE("records that a proxy released in clumps are flagged as arrival-limited in every output") {
    const auto clumped = [](const asked&, reply& r) {
        r.begin(sse);
        r.pause(200);
        std::string first;
        for (int i = 0; i < 64; ++i) first += text_event(i);
        r.chunk(first);
        r.pause(20);
        for (int i = 64; i < 70; ++i) r.chunk(text_event(i));
        r.chunk(stop_event() + usage_event(70) + done_event);
        r.end();
    };
    against("openai", clumped, [](const outcome& o, const std::filesystem::path& results) {
        CHECK(o.status == 0);
        CHECK(o.json()["self_check"]["arrival_limited"].dump() == R"(["itl_ms","tpot_ms","tokens_per_second"])");
        CHECK(holds(said(o), "came together"));
        CHECK(o.mean("arrivals_together_pct") > 80);
        const auto folder = std::filesystem::directory_iterator(results)->path() / "run_1";
        std::ifstream metrics(folder / "metrics.json"), requests(folder / "requests.jsonl");
        CHECK(nlohmann::json::parse(metrics)["self_check"]["arrival_limited"].size() == 3);
        std::string request;
        while (std::getline(requests, request)) CHECK(nlohmann::json::parse(request)["arrival_limited"] == true);
    });
    against(
        "openai", [](const asked&, reply& r) { good_reply(r); },
        [](const outcome& o) {
            check_reply(o);
            CHECK(o.json()["self_check"]["arrival_limited"].empty());
        });
}
