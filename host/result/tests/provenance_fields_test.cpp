// Where a result comes from, in its files: both ways, and absent from older ones.
#include "result/campaign_result.hpp"
#include "sample_sweep.hpp"

#include <doctest/doctest.h>

using namespace chimera::host;
using namespace chimera::test;

TEST_CASE("provenance is read as it was written; what was not told is null") {
    campaign_provenance p;
    p.begun = "2025-11-14T09:30:00Z";
    p.machine.cpu_model = "AMD EPYC 7B13";
    p.machine.usable_cpus = 16;
    p.machine.memory_bytes = 1;
    p.build = {"0.1.0", std::nullopt, "GCC 12.2.0", "Release"};
    p.plugins = {{"fiber", "0.1.0", "/lib/fiber.so", std::nullopt}};
    p.servers = {{"simulator", "chimera-sim", "0.1.0", {{"m", "abc", std::nullopt, "Q8_0"}}}};
    const json written = to_json(p);
    CHECK(written["machine"]["cpu_model"] == "AMD EPYC 7B13");
    CHECK(written["machine"]["governor"].is_null());
    CHECK(written["build"]["commit"].is_null());
    CHECK(written["plugins"][0]["file"] == "/lib/fiber.so");
    CHECK(from_json<campaign_provenance>(written, "here") == p);
    CHECK(to_json(from_json<campaign_provenance>(sample_provenance(), "here")) == sample_provenance());
}

TEST_CASE("a run and a campaign have it where it was recorded, and older files are read without it") {
    json old = sample_metrics(sample_values({}));
    CHECK(!from_json<run_result>(old, "metrics.json").origin);
    CHECK(!to_json(from_json<run_result>(old, "metrics.json")).contains("provenance"));
    old["provenance"] = sample_provenance();
    CHECK(to_json(from_json<run_result>(old, "metrics.json"))["provenance"] == sample_provenance());
    CHECK(!to_json(campaign_result{}).contains("provenance"));
    campaign_result campaign;
    campaign.origin = from_json<campaign_provenance>(sample_provenance(), "here");
    CHECK(from_json<campaign_result>(to_json(campaign), "summary.json").origin == campaign.origin);
}

TEST_CASE("an execution has its cost where it was measured") {
    execution_result x;
    CHECK(!to_json(x).contains("cost"));
    execution_cost& cost = x.cost.emplace();
    cost.begun = "2025-11-14T09:30:05Z";
    cost.cpu_user_s = 1.5;
    cost.peak_is_of_process = true;
    const json written = to_json(x);
    CHECK(written["cost"]["begun"] == "2025-11-14T09:30:05Z");
    CHECK(written["cost"]["cpu_system_s"].is_null());
    CHECK(written["cost"]["peak_is_of_process"] == true);
    CHECK(from_json<execution_result>(written, "here").cost == x.cost);
}

TEST_CASE("a fault in it has its place") {
    json metrics = sample_metrics(sample_values({}));
    metrics["provenance"] = sample_provenance();
    metrics["provenance"]["plugins"][1].erase("id");
    CHECK_THROWS_WITH_AS(from_json<run_result>(metrics, "metrics.json"),
                         "metrics.json: provenance: plugins[1]: key \"id\" is missing", results_error);
}
