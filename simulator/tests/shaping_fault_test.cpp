// Faults that change a reply as a whole, as odd servers and proxies do.
#include <chrono>
#include <ctime>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "http_client.hpp"
#include "sim_process.hpp"

using namespace chimera::sim::test;
using nlohmann::json;

namespace {

constexpr std::size_t tokens = 20;
const std::vector<std::string> quick{"--load-ms",          "0",  "--decode-tokens-per-s", "500",
                                     "--reply-tokens-min", "20", "--reply-tokens-max",    "20"};
const std::string messages = R"("model":"m","messages":[{"role":"user","content":"x"}])";

struct endpoint {
    const char* path;
    std::string stream;
    std::string whole;
    std::size_t around; ///< records that carry no token
};
const std::vector<endpoint> endpoints{
    {"/api/generate", R"({"model":"m","prompt":"x"})", R"({"model":"m","prompt":"x","stream":false})", 1},
    {"/api/chat", "{" + messages + "}", "{" + messages + R"(,"stream":false})", 1},
    {"/v1/completions", R"({"model":"m","prompt":"x","stream":true,"stream_options":{"include_usage":true}})",
     R"({"model":"m","prompt":"x"})", 3},
    {"/v1/chat/completions", "{" + messages + R"(,"stream":true,"stream_options":{"include_usage":true}})",
     "{" + messages + "}", 4}};

std::string header(const std::string& fault) { return fmt::format("X-Chimera-Fault: {}\r\n", fault); }

std::int64_t ms_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start).count();
}

/// The clock of `t_ns`.
std::int64_t monotonic_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

std::int64_t stamp_of(const json& record) { return record.at("t_ns"); }

/// The text that a record or a whole body carries.
std::string text_of(const json& record) {
    if (record.contains("response")) {
        return record.at("response");
    }
    if (record.contains("message")) {
        return record.at("message").at("content");
    }
    if (record.at("choices").empty()) {
        return "";
    }
    const auto& choice = record.at("choices").at(0);
    return choice.contains("text")      ? choice.at("text").get<std::string>()
           : choice.contains("message") ? choice.at("message").at("content").get<std::string>()
                                        : choice.at("delta").value("content", "");
}

/// Tokens that the reply says it has.
std::size_t counted(const json& record) {
    return record.contains("eval_count") ? record.at("eval_count").get<std::size_t>()
                                         : record.at("usage").at("completion_tokens").get<std::size_t>();
}

std::string reason_of(const json& record) {
    return record.contains("done_reason") ? record.at("done_reason") : record.at("choices").at(0).at("finish_reason");
}

/// The record of a stream that has the counts, and the one that has the reason.
json count_record(const endpoint& e, const std::vector<std::string>& records) {
    return json::parse(records.at(records.size() - (e.around > 1 ? 2 : 1)));
}
json reason_record(const endpoint& e, const std::vector<std::string>& records) {
    return json::parse(records.at(records.size() - (e.around > 1 ? 3 : 1)));
}

} // namespace

TEST_CASE("linger ends the body later than the reply, after its time") {
    sim_process sim(quick);
    for (const auto& e : endpoints) {
        CAPTURE(e.path);
        http_client client(sim.port());
        client.send(post_text(e.path, e.stream, header("linger,ms=200")));
        CHECK(client.read_until(e.around > 1 ? "[DONE]" : "\"done\":true"));
        CHECK(read_stats(sim.port()).at("active") == 0); // the slot is free
        const auto r = client.read_response();
        CHECK(r.complete);
        CHECK(monotonic_ns() >= stamp_of(count_record(e, r.records())) + 200'000'000);
        CHECK(client.post(e.path, e.stream).records().size() == tokens + e.around); // the connection lives on
        const auto start = std::chrono::steady_clock::now();
        const auto whole = client.post(e.path, e.whole, header("linger,ms=200"));
        CHECK(whole.complete);
        CHECK(whole.has_header("Transfer-Encoding: chunked\r\n"));
        CHECK(counted(whole.json()) == tokens);
        CHECK(ms_since(start) >= 200);
    }
}

TEST_CASE("linger without a time sends comments until the client has enough") {
    sim_process sim(quick);
    for (const auto& e : endpoints) {
        CAPTURE(e.path);
        const auto cancelled = read_stats(sim.port()).at("replies_cancelled").get<int>();
        http_client client(sim.port());
        client.send(post_text(e.path, e.stream, header("linger")));
        CHECK(client.read_until(e.around > 1 ? "\r\n: keep-alive\n\n\r\n" : "\r\n\n\r\n"));
        client.close();
        for (int i = 0; i < 500 && read_stats(sim.port()).at("replies_cancelled") == cancelled; ++i) {
        }
        CHECK(read_stats(sim.port()).at("replies_cancelled") == cancelled + 1);
    }
    http_client without_chunks(sim.port());
    without_chunks.send("POST /api/chat HTTP/1.0\r\n" + header("linger,ms=50") +
                        fmt::format("Content-Length: {}\r\n\r\n{}", endpoints[1].stream.size(), endpoints[1].stream));
    const auto r = without_chunks.read_response();
    CHECK(r.complete);
    CHECK(r.records().size() == tokens + 1);
    CHECK(sim.terminate() == 0);
}

TEST_CASE("clump keeps records back and lets them go together") {
    std::vector<std::string> slow = quick;
    slow[3] = "50"; // tokens/s: a pause of the simulator is short against 360 ms
    sim_process sim(slow);
    for (const auto& e : endpoints) {
        CAPTURE(e.path);
        http_client client(sim.port());
        client.send(post_text(e.path, e.stream, header("clump")));
        CHECK(client.read_until("HTTP/1.1 200"));
        const auto began = monotonic_ns();
        const auto all = client.read_response();
        REQUIRE(all.complete);
        const auto records = all.records();
        REQUIRE(records.size() == tokens + e.around);
        const auto stamp = [&](std::size_t i) { return stamp_of(json::parse(records[i])); };
        CHECK(stamp(tokens - 1) - stamp(1) > 100'000'000); // stamps tell when records were made
        CHECK(began >= stamp_of(count_record(e, records)));
        CHECK(client.post(e.path, e.stream, header("clump,ms=10")).records().size() == tokens + e.around);
        CHECK(client.post(e.path, e.whole, header("clump")).complete);
    }
    http_client first(sim.port());
    first.send(post_text("/api/chat", endpoints[1].stream, header("clump,after=2")));
    CHECK(first.read_until("\"done\":false"));
    CHECK(first.read_response().records().size() == tokens + 1);
}

TEST_CASE("no_text counts tokens whose text is empty") {
    sim_process sim(quick);
    for (const auto& e : endpoints) {
        CAPTURE(e.path);
        const auto records = post_once(sim.port(), e.path, e.stream, header("no_text")).records();
        REQUIRE(records.size() == tokens + e.around);
        for (const auto& record : records) {
            CHECK((record == "[DONE]" || text_of(json::parse(record)).empty()));
        }
        CHECK(counted(count_record(e, records)) == tokens);
        const auto whole = post_once(sim.port(), e.path, e.whole, header("no_text")).json();
        CHECK(text_of(whole).empty());
        CHECK(counted(whole) == tokens);
    }
}

TEST_CASE("finish_reason gives any reason, with all tokens or after some") {
    sim_process sim(quick);
    for (const auto& e : endpoints) {
        CAPTURE(e.path);
        const auto all =
            post_once(sim.port(), e.path, e.stream, header("finish_reason,reason=content_filter")).records();
        CHECK(all.size() == tokens + e.around);
        CHECK(reason_of(reason_record(e, all)) == "content_filter");
        const auto some =
            post_once(sim.port(), e.path, e.stream, header("finish_reason,reason=abort,after=3")).records();
        CHECK(reason_of(reason_record(e, some)) == "abort");
        CHECK(counted(count_record(e, some)) == 3);
        const auto none =
            post_once(sim.port(), e.path, e.stream, header("finish_reason,reason=load,after=0")).records();
        CHECK(reason_of(reason_record(e, none)) == "load");
        for (const auto& record : none) {
            CHECK((record == "[DONE]" || text_of(json::parse(record)).empty()));
        }
        const auto whole = post_once(sim.port(), e.path, e.whole, header("finish_reason,reason=error,after=0")).json();
        CHECK(reason_of(whole) == "error");
        CHECK(text_of(whole).empty());
        CHECK(counted(whole) == 0);
    }
    const auto missing = post_once(sim.port(), "/api/chat", endpoints[1].stream, header("finish_reason"));
    CHECK(missing.status == 400);
    CHECK(missing.json().at("error").get<std::string>().find("reason=") != std::string::npos);
    CHECK(post_once(sim.port(), "/api/chat", endpoints[1].stream, header("finish_reason,reason=a\"b")).status == 400);
}

TEST_CASE("status_201 is a reply like any other with another status") {
    sim_process sim(quick);
    for (const auto& e : endpoints) {
        CAPTURE(e.path);
        for (const auto* name : {"status_201", "201"}) {
            const auto r = post_once(sim.port(), e.path, e.stream, header(name));
            CHECK(r.status == 201);
            CHECK(r.has_header("HTTP/1.1 201 Created\r\n"));
            CHECK(r.records().size() == tokens + e.around);
        }
        const auto whole = post_once(sim.port(), e.path, e.whole, header("status_201"));
        CHECK(whole.status == 201);
        CHECK(counted(whole.json()) == tokens);
    }
}

TEST_CASE("bad_durations gives Ollama's durations in milliseconds") {
    sim_process sim(quick);
    for (const auto* path : {"/api/generate", "/api/chat"}) {
        const auto& e = endpoints[std::string(path) == "/api/chat" ? 1 : 0];
        for (const auto& body : {e.stream, e.whole}) {
            const auto last = json::parse(post_once(sim.port(), path, body, header("bad_durations")).records().back());
            CHECK(last.at("eval_count") == tokens);
            CHECK(last.at("eval_duration") >= 40);
            CHECK(last.at("eval_duration") < 10'000);
            CHECK(last.at("total_duration") >= last.at("eval_duration"));
        }
    }
}

TEST_CASE("hidden_reasoning is counted and waited for, and not sent") {
    auto thinking = quick;
    thinking.insert(thinking.end(), {"--reasoning-tokens", "5"});
    for (const auto& options : {quick, thinking}) {
        sim_process sim(options);
        for (const auto& e : endpoints) {
            CAPTURE(e.path);
            const auto start = std::chrono::steady_clock::now();
            const auto records =
                post_once(sim.port(), e.path, e.stream, header("hidden_reasoning,tokens=100")).records();
            CHECK(ms_since(start) >= 240); // 120 tokens, 2 ms each
            REQUIRE(records.size() == tokens + e.around);
            CHECK(counted(count_record(e, records)) == tokens + 100);
            const auto whole = post_once(sim.port(), e.path, e.whole, header("hidden_reasoning,tokens=100")).json();
            CHECK(counted(whole) == tokens + 100);
            CHECK(whole.dump().find("thinking") == std::string::npos);
            CHECK(whole.dump().find("reasoning_content") == std::string::npos);
            CHECK_FALSE(text_of(whole).empty());
        }
    }
    // A limit that the thoughts use up leaves nothing to see.
    sim_process sim(quick);
    const auto used_up = post_once(sim.port(), "/v1/chat/completions",
                                   "{" + messages + R"(,"max_tokens":10,"stream":true})", header("hidden_reasoning"))
                             .records();
    REQUIRE(used_up.size() == 3);
    CHECK(reason_of(json::parse(used_up[1])) == "length");
    CHECK(read_stats(sim.port()).at("tokens_sent") == 0);
    CHECK(post_once(sim.port(), "/api/chat", endpoints[1].stream, header("hidden_reasoning,tokens=0")).status == 400);
}

TEST_CASE("faults of this kind work on replies that are not paced, and on grouped records") {
    auto unpaced = quick;
    unpaced[3] = "0";
    auto grouped = quick;
    grouped.insert(grouped.end(), {"--records-per-send", "8"});
    for (const auto& options : {unpaced, grouped}) {
        sim_process sim(options);
        for (const auto& e : endpoints) {
            CAPTURE(e.path);
            for (const auto* fault : {"linger,ms=20", "clump", "clump,after=5,ms=3", "no_text", "hidden_reasoning"}) {
                CAPTURE(fault);
                const auto r = post_once(sim.port(), e.path, e.stream, header(fault));
                CHECK(r.complete);
                CHECK(r.records().size() == tokens + e.around);
            }
        }
        CHECK(read_stats(sim.port()).at("faults") == 5 * endpoints.size());
        CHECK(read_stats(sim.port()).at("replies_cancelled") == 0);
    }
}

TEST_CASE("the command line takes faults of this kind as the header does") {
    auto all = quick;
    all.insert(all.end(),
               {"--fault", "finish_reason,reason=load,after=0,requests=1", "--fault", "status_201,requests=1"});
    sim_process sim(all);
    CHECK(json::parse(post_once(sim.port(), "/api/chat", endpoints[1].stream).records().back()).at("done_reason") ==
          "load");
    CHECK(post_once(sim.port(), "/api/chat", endpoints[1].stream).status == 201);
    CHECK(post_once(sim.port(), "/api/chat", endpoints[1].stream).status == 200);
    CHECK(sim.terminate() == 0);
}
