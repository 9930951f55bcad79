// Structs as JSON, both ways: absent stays absent, and every fault has its place.
#include "result/campaign_result.hpp"
#include "result/run_result.hpp"
#include "result/sealed_file.hpp"

#include <doctest/doctest.h>

using namespace chimera::host;

namespace {

std::string fault(const json& j) {
    try {
        from_json<request_result>(j, "requests.jsonl:3");
    } catch (const results_error& e) {
        return e.what();
    }
    return "";
}

const json least{{"execution", "together"}, {"agent", "a"}, {"call", "c"}};

json with(const char* key, json value) {
    json out = least;
    out[key] = std::move(value);
    return out;
}

} // namespace

TEST_CASE("a figure that was not measured is null, and comes back as nothing") {
    const auto request = from_json<request_result>(least, "here");
    CHECK(!request.done_ns);
    CHECK(!request.ok());
    const json written = to_json(request);
    CHECK(written["done_ns"].is_null());
    CHECK(written["hidden_tokens"] == 0);
    CHECK(!written.contains("last_behind_others_ns")); // left out
    CHECK(to_json(from_json<request_result>(written, "here")) == written);
}

TEST_CASE("a line is what the tree's text is") {
    auto request = from_json<request_result>(
        with("pieces", json::array({json{-5, 1u, 2u, 3u, 4u, 5u}, json{7, 0u, 0u, 0u, 999'999u, 0u}})), "here");
    request.error = "quote \" and \xff byte";
    request.remarks = {"a", "\u00e4"};
    request.server.emplace().finish_reason = "stop";
    request.done_ns = std::numeric_limits<std::int64_t>::min();
    std::string line;
    append_json(line, request);
    CHECK(line == to_json(request).dump(-1, ' ', false, json::error_handler_t::replace));
}

TEST_CASE("a document has what the tree has, with a line for each member, and one for each element of a list") {
    run_result run;
    run.profile = "quote \" and \xff byte";
    run.client.emplace().client_limited = {"ttft_ms", "e2e_ms"};
    run.remarks = {{"what", "detail", 1, 2}, {}};
    run.add({metric::ttft, statistic::p50}, 1.5);
    run.add({metric::wall, statistic::value}, 100);
    run.baseline.resize(2);
    run.concurrent.busiest_thread.emplace().thread = "w-0";
    run.concurrent.agents.resize(2);
    run.concurrent.agents[1].path_ms.emplace().work = 0.1;
    run.concurrent.agents[1].long_polls = {{1, 2, "body"}, {3, 4, "ingest"}};
    run.requests_file = file_record{"requests.jsonl", "0123abcd", 7};
    campaign_result campaign;
    campaign.run_crc32 = {{"run_1", "0123abcd"}};
    campaign.metrics = {{"ttft_ms", {}}, {"alone", {}}}; // a list whose order counts
    const std::string text = sealed_document(run);
    for (const auto& [written, tree] : {std::pair{text, sealed_document(to_json(run))},
                                        {sealed_document(campaign), sealed_document(to_json(campaign))}}) {
        CHECK(check_seal(written, seal_form::document).fault == "");
        json one = json::parse(written), other = json::parse(tree);
        for (json* j : {&one, &other}) j->erase("crc32");
        CHECK(one == other);
    }
    CHECK(text.find("{\n  \"schema_version\": 3,\n") == 0);
    CHECK(text.find("\n    \"client_limited\": [\n      \"ttft_ms\",\n      \"e2e_ms\"\n    ],\n") !=
          std::string::npos);
    CHECK(text.find("\n    {\"what\":\"what\",\"detail\":\"detail\",\"replies\":1,\"of\":2},\n") != std::string::npos);
    CHECK(text.find("\"long_polls\":[{\"begin_ns\":1,") != std::string::npos); // an agent is one line
}

TEST_CASE("what cannot be read names its place, and what it should be") {
    CHECK(fault(json::array()) == "requests.jsonl:3: should be an object, is array");
    CHECK(fault({{"execution", "together"}}) == "requests.jsonl:3: key \"agent\" is missing");
    CHECK(fault(with("done_ns", "soon")) ==
          "requests.jsonl:3: done_ns: should be a whole number of 64 bits, is string");
    CHECK(fault(with("done_ns", 18'446'744'073'709'551'615u)).find("64 bits") != std::string::npos);
    CHECK(fault(with("hidden_tokens", -1)).find("hidden_tokens: should be a whole number, 0 or more") !=
          std::string::npos);
    CHECK(fault(with("retries", 1e300)).find("retries: should be") != std::string::npos);
    CHECK(fault(with("tokens", 1e200)).find("tokens: is 1e+200; expected at most 1e+100") != std::string::npos);
    CHECK(fault(with("pieces", json::array({json{1, 2}}))) ==
          "requests.jsonl:3: pieces[0]: should be a list of six whole numbers");
    CHECK(fault(with("pieces", json::array({json{1, 2u, 3u, 4u, 5'000'000u, 6u}})))
              .find("at most 1000000 come at once") != std::string::npos);
    CHECK(fault(with("pieces", json::array({json{1, 5'000'000'000u, 3u, 4u, 5u, 6u}}))).find("more than 32 bits") !=
          std::string::npos);
    CHECK(fault(with("remarks", {1})).find("remarks[0]: should be a text, is 1") != std::string::npos);
}

TEST_CASE("a word that is not known is named, with the nearest") {
    try {
        from_json<serialization_verdict>({{"verdict", "paralel"}}, "metrics.json");
        FAIL("was read");
    } catch (const results_error& e) {
        CHECK(std::string(e.what()) == "metrics.json: verdict: \"paralel\" is not known; did you mean \"parallel\"?");
    }
}

TEST_CASE("every text within a struct is reached, keys too") {
    run_result run;
    run.profile = "p";
    run.values["v"] = 1;
    run.serialization = serialization_verdict{concurrency::parallel, serialization_cause::none, {}, "e"};
    run.concurrent.agents.emplace_back().id = "a";
    run.concurrent.agents[0].warnings = {"w"};
    std::string seen;
    for_each_text(run, [&seen](const std::string& text) {
        seen += text + " ";
        return text + "!";
    });
    CHECK(seen == "chimera p e v a  w "); // the agent's error is empty
    CHECK(run.values.contains("v!"));
    CHECK(run.concurrent.agents[0].warnings[0] == "w!");
}

TEST_CASE("each metric has one row, and its figures have its name") {
    CHECK(name_of(metric::efficiency) == "efficiency_pct");
    CHECK(name_of({metric::ttft, statistic::p50}) == "ttft_ms_p50");
    for (const figure f : all_figures()) {
        const auto found = figure_named(name_of(f));
        REQUIRE(found);
        CHECK(found->of == f.of);
        CHECK(found->how == f.how);
        CHECK(!row_of(f.of).definition.empty());
    }
    CHECK(!figure_named("ttft_ms"));
    CHECK(better_of("throughput_tok_s") == better::higher);
    CHECK(better_of("nobody_knows") == better::neither);
}
