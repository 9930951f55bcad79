#include <chrono>
#include <thread>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "http_client.hpp"
#include "sim_process.hpp"

using namespace chimera::sim::test;
using nlohmann::json;

namespace {

const std::vector<std::string> quick{"--load-ms",          "0",  "--decode-tokens-per-s", "2000",
                                     "--reply-tokens-min", "20", "--reply-tokens-max",    "20"};
const std::string generate = R"({"model":"m","prompt":"x"})";
const std::string whole = R"({"model":"m","prompt":"x","stream":false})";
const std::string chat = R"({"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]})";

std::vector<std::string> quick_with(const std::string& fault) {
    auto all = quick;
    all.insert(all.end(), {"--fault", fault});
    return all;
}

std::string header(const std::string& fault) { return fmt::format("X-Chimera-Fault: {}\r\n", fault); }

response faulty(const sim_process& sim, const std::string& fault, const std::string& body = generate) {
    return post_once(sim.port(), body == chat ? "/v1/chat/completions" : "/api/generate", body, header(fault));
}

std::int64_t ms_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start).count();
}

} // namespace

TEST_CASE("reset breaks the connection after the given records") {
    sim_process sim(quick);
    const auto r = faulty(sim, "reset,after=4");
    CHECK(r.status == 200);
    CHECK(r.records().size() == 4);
    CHECK(r.reset);
    CHECK_FALSE(r.complete);
    const auto at_once = faulty(sim, "reset,after=0");
    CHECK(at_once.status == 0);
    CHECK(at_once.reset);
}

TEST_CASE("stall sends nothing more, for ever or for its time") {
    sim_process sim(quick);
    http_client client(sim.port(), 300);
    const auto r = client.post("/api/generate", generate, header("stall,after=2"));
    CHECK(r.timed_out);
    CHECK(r.records().size() == 2);
    const auto start = std::chrono::steady_clock::now();
    const auto late = faulty(sim, "stall,after=2,ms=150");
    CHECK(ms_since(start) >= 150);
    CHECK(late.complete);
    CHECK(late.records().size() == 21);
}

TEST_CASE("garbage puts a record that is not JSON among the others") {
    sim_process sim(quick);
    const auto r = faulty(sim, "garbage,after=5");
    REQUIRE(r.complete);
    const auto records = r.records();
    REQUIRE(records.size() == 22);
    CHECK(json::accept(records[4]));
    CHECK_FALSE(json::accept(records[5]));
    CHECK(json::accept(records[6]));
}

TEST_CASE("oversized puts a record of eight mebibytes among the others") {
    sim_process sim(quick);
    const auto r = faulty(sim, "oversized,after=1");
    REQUIRE(r.complete);
    const auto records = r.records();
    REQUIRE(records.size() == 22);
    CHECK(records[1].size() > (8U << 20U));
    CHECK(json::parse(records[1]).at("response").get<std::string>().size() == 8U << 20U);
}

TEST_CASE("error_record ends a stream of status 200 with an error") {
    sim_process sim(quick);
    const auto r = faulty(sim, "error_record,after=2");
    CHECK(r.status == 200);
    REQUIRE(r.complete);
    REQUIRE(r.records().size() == 3);
    CHECK(json::parse(r.records()[2]).at("error").is_string());
    const auto sse = faulty(sim, "error_record,after=0", chat);
    REQUIRE(sse.records().size() == 1);
    CHECK(json::parse(sse.records()[0]).at("error").at("message").is_string());
}

TEST_CASE("statuses come with an error body, and with Retry-After where it helps") {
    sim_process sim(quick);
    for (const auto* kind : {"429", "500", "503"}) {
        CAPTURE(kind);
        const auto r = faulty(sim, fmt::format("status_{}", kind));
        CHECK(r.status == std::stoi(kind));
        CHECK(r.json().at("error").is_string());
        CHECK(r.has_header("Retry-After: 1\r\n") == (std::string(kind) != "500"));
        CHECK(faulty(sim, kind, chat).json().at("error").at("message").is_string());
    }
    CHECK(faulty(sim, "status_429,ms=2500").has_header("Retry-After: 3\r\n"));
}

TEST_CASE("slow_drip sends one byte at a time") {
    sim_process sim(quick);
    http_client client(sim.port());
    const auto start = std::chrono::steady_clock::now();
    const auto r = client.post("/api/generate", R"({"model":"m","prompt":"x","options":{"num_predict":4}})",
                               header("slow_drip,after=2"));
    REQUIRE(r.complete);
    CHECK(r.records().size() == 5);
    CHECK(ms_since(start) >= 400); // two records of about 110 bytes and the final one
    for (const auto& record : r.records()) {
        CHECK(json::accept(record));
    }
}

TEST_CASE("truncated_chunk ends the connection in mid-chunk") {
    sim_process sim(quick);
    const auto r = faulty(sim, "truncated_chunk,after=3");
    CHECK_FALSE(r.complete);
    CHECK_FALSE(r.reset);
    CHECK(r.chunks.size() == 3);
    CHECK(r.records().size() == 4);
    CHECK_FALSE(json::accept(r.records()[3]));
}

TEST_CASE("early_close ends the body in order, but without a final record") {
    sim_process sim(quick);
    http_client client(sim.port());
    const auto r = client.post("/api/generate", generate, header("early_close,after=3"));
    REQUIRE(r.complete);
    REQUIRE(r.records().size() == 3);
    CHECK(json::parse(r.records()[2]).at("done") == false);
    CHECK(client.post("/api/generate", generate).records().size() == 21);
}

TEST_CASE("bad_chunk sends a chunk head that is none") {
    sim_process sim(quick);
    const auto r = faulty(sim, "bad_chunk,after=3");
    CHECK(r.bad_framing);
    CHECK(r.chunks.size() == 3);
}

TEST_CASE("a reply of one body is spoilt as a whole") {
    sim_process sim(quick);
    CHECK_FALSE(json::accept(faulty(sim, "garbage", whole).body));
    CHECK(faulty(sim, "error_record", whole).json().contains("error"));
    CHECK(faulty(sim, "oversized", whole).body.size() > (8U << 20U));
    const auto empty = faulty(sim, "early_close", whole);
    CHECK(empty.complete);
    CHECK(empty.body.empty());
    CHECK_FALSE(faulty(sim, "truncated_chunk", whole).complete);
    CHECK(faulty(sim, "bad_chunk", whole).bad_framing);
    CHECK(faulty(sim, "reset", whole).reset);
    CHECK(http_client(sim.port(), 200).post("/api/generate", whole, header("stall")).timed_out);
    const auto late = faulty(sim, "stall,ms=100", whole);
    CHECK(late.json().at("done") == true);
    CHECK(faulty(sim, "slow_drip", R"({"model":"m","prompt":"x","stream":false,"options":{"num_predict":1}})")
              .json()
              .at("eval_count") == 1);
}

TEST_CASE("refuse closes the listening socket, for ever or for its time") {
    sim_process sim(quick_with("refuse"));
    CHECK_FALSE(http_client(sim.port()).connected());
    sim_process back(quick_with("refuse,ms=150"));
    CHECK_FALSE(http_client(back.port()).connected());
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
    CHECK(post_once(back.port(), "/api/generate", generate).complete);
    sim_process later(quick_with("refuse,after=2"));
    CHECK(post_once(later.port(), "/api/generate", generate).complete);
    CHECK(post_once(later.port(), "/api/generate", generate).complete);
    CHECK_FALSE(http_client(later.port()).connected());
}

TEST_CASE("a fault of the command line strikes as many requests as it was given") {
    sim_process sim(quick_with("status_503,requests=2"));
    CHECK(post_once(sim.port(), "/api/generate", generate).status == 503);
    CHECK(post_once(sim.port(), "/v1/chat/completions", chat).status == 503);
    CHECK(http_client(sim.port()).get("/api/version").status == 200);
    CHECK(post_once(sim.port(), "/api/generate", generate).complete);
    CHECK(read_stats(sim.port()).at("faults") == 2);
}

TEST_CASE("a fault that nobody knows is a bad request that names the known ones") {
    sim_process sim(quick);
    const auto r = faulty(sim, "explode");
    CHECK(r.status == 400);
    CHECK(r.json().at("error").get<std::string>().find("truncated_chunk") != std::string::npos);
    CHECK(faulty(sim, "refuse").status == 400);
}

TEST_CASE("faults work on replies that are not paced and on grouped records") {
    auto unpaced = quick;
    unpaced[3].assign(1, '0');
    sim_process sim(unpaced);
    CHECK(faulty(sim, "reset,after=4").records().size() == 4);
    CHECK(faulty(sim, "garbage,after=4").records().size() == 22);
    auto grouped = quick;
    grouped.insert(grouped.end(), {"--records-per-send", "8"});
    sim_process groups(grouped);
    CHECK(faulty(groups, "reset,after=11").records().size() == 11);
    CHECK(faulty(groups, "early_close,after=11").records().size() == 11);
}
