#include "known_runs.hpp"
#include "measure/metrics.hpp"
#include "measure/reply_evidence.hpp"
#include "measure/self_check.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace chimera::test;
using namespace chimera::host;

namespace {

struct piece {
    double delivered; ///< ms
    std::uint32_t records = 1;
    double late = 0; ///< ms between its arrival and its delivery
};

/// A reply from 0 to 300 ms in these pieces, judged.
struct judged {
    explicit judged(const std::vector<piece>& pieces, const server_figures& figures = {}, std::uint64_t text_bytes = 0,
                    std::uint64_t reasoning_records = 0) {
        a = agent("a", 0, 0, 300, 50);
        request_record& r = a.requests.front();
        r.first_token = r.last_token = 0;
        for (const piece& p : pieces) {
            a.chunks.push_back({.delivered = at(p.delivered),
                                .readable_to_polled = 0,
                                .polled_to_delivered = static_cast<std::uint32_t>(p.late * 1e6),
                                .delivered_to_recorded = 0,
                                .content_records = p.records});
            ++r.chunks;
            r.content_records += p.records;
            if (r.first_token == 0) r.first_token = at(p.delivered);
            r.last_token = at(p.delivered);
        }
        r.server = figures;
        r.text_bytes = text_bytes;
        r.reasoning_records = reasoning_records;
        judge_reply(a, r);
    }
    const request_record& r() const { return a.requests.front(); }
    agent_record a;
};

std::vector<piece> evenly(int n, double gap) {
    std::vector<piece> out;
    for (int i = 0; i < n; ++i) out.push_back({50 + i * gap});
    return out;
}

server_figures counted(std::uint64_t tokens, std::optional<std::int64_t> eval_ns = std::nullopt) {
    server_figures f;
    f.completion_tokens = tokens;
    f.eval_ns = eval_ns;
    return f;
}

} // namespace

TEST_CASE("a reply whose figures and arrival agree brings no remark") {
    const judged j(evenly(20, 10), counted(20, 195'000'000), 100);
    CHECK(j.r().remarks.empty());
    CHECK(j.r().evidence.gaps == 19);
    CHECK(j.r().evidence.gaps_together == 0);
    CHECK(j.r().sent_tokens() == 20);
    CHECK(*j.r().server_rate() == doctest::Approx(20 / 0.195));
}

TEST_CASE("most records in one piece, or in pieces 50 us apart, are arrival-limited") {
    CHECK(judged({{100, 64}, {120}, {120.05}, {120.1}}).r().evidence.arrival_limited);
    CHECK(judged(evenly(20, 0.05)).r().evidence.arrival_limited);
    CHECK_FALSE(judged(evenly(20, 0.2)).r().evidence.arrival_limited);
    CHECK_FALSE(judged({{100, 4}}).r().evidence.arrival_limited); // three gaps say nothing
    CHECK_FALSE(judged({{50, 2}, {60, 1}, {70, 1}, {80, 1}, {90, 1}}).r().evidence.arrival_limited);
}

TEST_CASE("records that gathered because the client was late are not the server's doing") {
    std::vector<piece> pieces;
    for (int clump = 0; clump < 4; ++clump) // five at a time, for which a worker came 40 ms late
        for (int i = 0; i < 5; ++i) pieces.push_back({100 + clump * 50 + i * 0.01, 1, 40});
    CHECK_FALSE(judged(pieces).r().evidence.arrival_limited);
    for (piece& p : pieces) p.late = 2; // too short for five records of this pace
    CHECK(judged(pieces).r().evidence.arrival_limited);
    // All at once, with nothing to tell the pace from.
    CHECK(judged({{200, 20, 5}}).r().evidence.arrival_limited);
    CHECK_FALSE(judged({{200, 20, 150}}).r().evidence.arrival_limited);
}

TEST_CASE("a count below half the pieces is not taken") {
    const judged j(evenly(20, 10), counted(3, 190'000'000), 100);
    CHECK(j.r().evidence.count_contradicted);
    CHECK(j.r().tokens() == 20);
    CHECK_FALSE(j.r().server_rate());
    CHECK(j.r().remarks.size() == 1);
}

TEST_CASE("tokens that were counted and not sent are in no rate of visible tokens") {
    server_figures f = counted(1000);
    f.reasoning_tokens = 980;
    const judged hidden(evenly(20, 10), f, 100);
    CHECK(hidden.r().tokens() == 1000);
    CHECK(hidden.r().sent_tokens() == 20);
    const judged streamed(evenly(20, 10), f, 5000, 15); // reasoning came as well
    CHECK(streamed.r().sent_tokens() == 1000);
    const judged unsaid(evenly(20, 10), counted(1000), 100); // more tokens than bytes
    CHECK(unsaid.r().sent_tokens() == 20);
    CHECK(unsaid.r().remarks.size() == 1);
    f.reasoning_tokens = 999; // leaves fewer tokens than pieces
    CHECK(judged(evenly(20, 10), f, 100).r().sent_tokens() == 20);
}

TEST_CASE("durations in another unit, or longer than the request, are not used") {
    for (const std::int64_t eval_ns : {std::int64_t{200}, std::int64_t{200'000}, std::int64_t{200'000'000'000}}) {
        CAPTURE(eval_ns);
        const judged j(evenly(20, 10), counted(20, eval_ns), 100);
        CHECK(j.r().evidence.durations_contradicted);
        CHECK_FALSE(j.r().server_rate());
        CHECK(j.r().remarks.size() == 1);
    }
    server_figures f = counted(20, 190'000'000);
    f.load_ns = 2'000'000'000;
    CHECK(judged(evenly(20, 10), f, 100).r().evidence.durations_contradicted);
    // One record, as from a server that does not stream by tokens: only the rate itself can be absurd.
    CHECK(judged({{100, 1}}, counted(20, 200), 100).r().evidence.durations_contradicted);
    CHECK_FALSE(judged({{100, 1}}, counted(20, 40'000'000), 100).r().evidence.durations_contradicted);
}

TEST_CASE("a proxy that buffers does not make the server's durations wrong, and a slow path is only remarked") {
    CHECK_FALSE(judged({{250, 20}}, counted(20, 195'000'000), 100).r().evidence.durations_contradicted);
    const judged slow(evenly(20, 10), counted(20, 80'000'000), 100);
    CHECK_FALSE(slow.r().evidence.durations_contradicted);
    CHECK(slow.r().remarks.size() == 1);
}

TEST_CASE("the self-check names what arrivals cannot tell") {
    const auto check = [](const judged& j) {
        run_record run;
        run.number = 1;
        run.concurrent = execution(300, {j.a});
        return check_client(campaign_metrics({&run, 1}));
    };
    const auto clumped = check(judged({{100, 64}, {120, 6}}));
    REQUIRE(clumped);
    CHECK(clumped->arrival_limited == std::vector<std::string>{"itl_ms", "tpot_ms", "tokens_per_second"});
    CHECK(!clumped->arrival_evidence.empty());
    const auto with_rate = check(judged({{100, 64}, {120, 6}}, counted(70, 200'000'000), 500));
    CHECK(with_rate->arrival_limited == std::vector<std::string>{"itl_ms", "tpot_ms"});
    CHECK(check(judged(evenly(20, 10)))->arrival_limited.empty());
}
