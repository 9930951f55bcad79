// Studies held against each other.
#include "result/sealed_file.hpp"
#include "sample_sweep.hpp"
#include "study/study.hpp"
#include "study/study_comparison.hpp"

#include <doctest/doctest.h>

using namespace chimera::host;
using namespace chimera::test;

namespace {

using json = nlohmann::ordered_json;
using names = std::vector<std::string>;

/// Runs of each runtime in which the insight agent takes 100 ms and the collector this long.
study sweep_of(const temporary_folder& f, const std::string& place, const names& runtimes, const names& configs,
               double collector_ms, const std::string& name = "sample") {
    std::vector<std::pair<std::string, json>> with_parameters;
    for (const std::string& c : configs) with_parameters.emplace_back(c, json::object());
    sample_sweep sweep(f, place, runtimes, with_parameters);
    sweep.sweep()["name"] = name;
    for (const std::string& r : runtimes)
        for (const std::string& c : configs)
            for (int run = 1; run <= 5; ++run)
                sweep.add(r, c, run,
                          sample_pair{.collector_ms = collector_ms + run, .slower = 1 + collector_ms / 1000});
    return load_study(sweep.write());
}

names labels_of(const study_comparison& c) {
    names out;
    for (const compared_study& s : c.studies) out.push_back(s.label);
    return out;
}

const study_pair& pair_of(const study_comparison& c, const std::string& metric) {
    for (const study_pair& p : c.groups[0].comparisons)
        if (p.metric == metric) return p;
    FAIL("no " << metric);
    return c.groups[0].comparisons[0];
}

} // namespace

TEST_CASE("two sweeps of one name are told apart by their paths") {
    const temporary_folder f;
    const std::vector<study> both{sweep_of(f, "before", {"a"}, {"plain"}, 80),
                                  sweep_of(f, "after", {"a"}, {"plain"}, 80)};
    CHECK(labels_of(compare_studies(both, {})) == names{(f / "before").string(), (f / "after").string()});
    const std::vector<study> named{both[0], sweep_of(f, "other", {"a"}, {"plain"}, 80, "other")};
    CHECK(labels_of(compare_studies(named, {})) == names{"sample", "other"});
    const std::vector<study> twice{both[0], load_study(f / "before/../before")};
    CHECK_THROWS_WITH_AS(compare_studies(twice, {}), doctest::Contains("given twice"), results_error);
}

TEST_CASE("runtimes of the same name are compared over the configurations that both have") {
    const temporary_folder f;
    const std::vector<study> both{sweep_of(f, "one", {"a", "b"}, {"x", "y"}, 80, "one"),
                                  sweep_of(f, "two", {"b", "c", "a"}, {"y", "z"}, 80, "two")};
    const study_comparison c = compare_studies(both, {});
    REQUIRE(c.groups.size() == 2);
    CHECK(c.groups[0].runtime == "a");
    CHECK(c.groups[1].runtime == "b");
    CHECK(c.groups[0].comparisons[0].n_a == 5);
    REQUIRE(c.warnings.size() == 2);
    CHECK(c.warnings[0] == "left out, not in every study: runtimes c");
    CHECK(c.warnings[1] == "left out, not in every study: configurations x, z");
    const std::vector<study> strangers{both[0], sweep_of(f, "three", {"d", "e"}, {"x"}, 80, "three")};
    CHECK_THROWS_WITH_AS(compare_studies(strangers, {}), doctest::Contains("have no runtime in common"), results_error);
}

TEST_CASE("runtimes under other names are the same where that is said, configuration by configuration") {
    const temporary_folder f;
    const std::vector<study> both{sweep_of(f, "one", {"tokio", "smol"}, {"x", "y"}, 80, "one"),
                                  sweep_of(f, "two", {"pool", "fiber"}, {"x", "y"}, 90, "two")};
    const study_comparison c = compare_studies(both, {}, {{"tokio", "pool"}});
    REQUIRE(c.groups.size() == 1);
    CHECK(c.groups[0].runtime == "tokio=pool");
    CHECK(c.groups[0].comparisons[0].n_a == 10);
    REQUIRE(c.groups[0].evolution.size() == 2);
    const evolution_row& y = c.groups[0].evolution[1];
    CHECK(y.config == "y");
    REQUIRE(y.cells.size() == 2);
    CHECK(y.cells[1].n == 5);
    CHECK(*y.cells[1].mean > *y.cells[0].mean);
    CHECK_THROWS_WITH_AS(compare_studies(both, {}, {{"tokio"}}), doctest::Contains("names 1 runtimes for 2 results"),
                         results_error);
    CHECK_THROWS_WITH_AS(compare_studies(both, {}, {{"tokio", "poll"}}), doctest::Contains("did you mean \"pool\""),
                         results_error);
}

TEST_CASE("single runtimes are compared whatever they and their configurations are called") {
    const temporary_folder f;
    const std::vector<study> both{sweep_of(f, "one", {"a"}, {"x"}, 80, "one"),
                                  sweep_of(f, "two", {"b"}, {"y"}, 60, "two")};
    const study_comparison c = compare_studies(both, {});
    REQUIRE(c.groups.size() == 1);
    CHECK(!c.groups[0].runtime);
    CHECK(c.warnings == names{"the configurations differ: x, y; a difference may be theirs"});
}

TEST_CASE("single runtimes are not pooled over configurations that only one of them has") {
    const temporary_folder f;
    const std::vector<study> both{sweep_of(f, "one", {"a"}, {"x", "y"}, 80, "one"),
                                  sweep_of(f, "two", {"b"}, {"y", "z"}, 60, "two")};
    const study_comparison c = compare_studies(both, {"wall_ms"});
    CHECK(c.groups[0].comparisons[0].n_a == 5);
    CHECK(c.groups[0].runs[1].ok == 5);
    CHECK(c.warnings == names{"left out, not in every study: configurations x, z"});
    const std::vector<study> strangers{both[0], sweep_of(f, "three", {"a"}, {"z"}, 60, "three")};
    CHECK_THROWS_WITH_AS(compare_studies(strangers, {}), doctest::Contains("have no configuration in common"),
                         results_error);
}

TEST_CASE("runs that failed are counted, and what was left is not judged where it is too little") {
    const temporary_folder f;
    const study good = sweep_of(f, "one", {"a"}, {"x"}, 80, "one");
    study bad = sweep_of(f, "two", {"a"}, {"x"}, 80, "two");
    for (std::size_t i = 1; i < bad.runs.size(); ++i) bad.runs[i].status = "crashed";
    const std::vector<study> both{good, bad};
    const study_comparison c = compare_studies(both, {"wall_ms"});
    CHECK(c.groups[0].runs[0].failed_share() == 0);
    CHECK(c.groups[0].runs[1].failed_share() == doctest::Approx(0.8));
    REQUIRE(c.groups[0].not_judged.size() == 1);
    CHECK(c.groups[0].not_judged[0] == "wall_ms: too few runs to tell one and two apart (5 runs against 1)");
    const json j = to_json(c);
    CHECK(j["studies"][1]["runs"] == json{{"ok", 1}, {"failed", 4}, {"damaged", 0}});
    CHECK(j["groups"][0]["runs"][1] == json{{"ok", 1}, {"failed", 4}, {"damaged", 0}});
    bad.runs[0].status = "crashed";
    const std::vector<study> none{good, bad};
    CHECK_THROWS_WITH_AS(compare_studies(none, {}), doctest::Contains("two: no run of it succeeded (5 failed)"),
                         results_error);
}

TEST_CASE("worse is what the metric says is worse, and counts only beyond the limit") {
    const temporary_folder f;
    // Of the second, efficiency is lower (worse), TTFT is lower (better), imbalance is nobody's doing.
    const std::vector<study> both{sweep_of(f, "one", {"a"}, {"x"}, 90, "one"),
                                  sweep_of(f, "two", {"a"}, {"x"}, 60, "two")};
    const study_comparison c = compare_studies(both, {"efficiency_pct", "ttft_ms_p50", "imbalance_bound_pct"});
    const study_pair& efficiency = pair_of(c, "efficiency_pct");
    CHECK(efficiency.worse);
    const double change = (163 / 1.06 - 193 / 1.09) / (193 / 1.09) * 100;
    CHECK(*efficiency.change_pct == doctest::Approx(change));
    CHECK(regressed(efficiency, -change - 0.1));
    CHECK(!regressed(efficiency, -change + 0.1));
    CHECK(!pair_of(c, "ttft_ms_p50").worse);
    CHECK(!pair_of(c, "imbalance_bound_pct").worse);
    const std::vector<study> other_way{both[1], both[0]};
    CHECK(!pair_of(compare_studies(other_way, {"efficiency_pct"}), "efficiency_pct").worse);
}

TEST_CASE("a difference that cannot be detected is no regression") {
    const temporary_folder f;
    const std::vector<study> both{sweep_of(f, "one", {"a"}, {"x"}, 80, "one"),
                                  sweep_of(f, "two", {"a"}, {"x"}, 79.9, "two")};
    const study_pair p = pair_of(compare_studies(both, {"imbalance_pct"}), "imbalance_pct");
    CHECK(!p.worse);
    CHECK(p.verdict == statistics::verdict::no_detectable_difference);
}

TEST_CASE("a metric that was not measured is refused with the nearest that was") {
    const temporary_folder f;
    const std::vector<study> both{sweep_of(f, "one", {"a"}, {"x"}, 80, "one"),
                                  sweep_of(f, "two", {"a"}, {"x"}, 80, "two")};
    CHECK_THROWS_WITH_AS(compare_studies(both, {"eficiency_pct"}),
                         doctest::Contains("did you mean \"efficiency_pct\"?"), results_error);
}

TEST_CASE("three studies are compared pair by pair") {
    const temporary_folder f;
    std::vector<study> all;
    for (const char* name : {"one", "two", "three"}) all.push_back(sweep_of(f, name, {"a"}, {"x"}, 80, name));
    const study_comparison c = compare_studies(all, {"wall_ms"});
    REQUIRE(c.groups[0].comparisons.size() == 3);
    CHECK(c.groups[0].comparisons[2].a == "two");
    CHECK(c.groups[0].comparisons[2].b == "three");
    const json j = to_json(c);
    CHECK(j["studies"].size() == 3);
    CHECK(j["groups"][0]["runtime"].is_null());
    CHECK(j["groups"][0]["comparisons"][0]["change_pct"].get<double>() == doctest::Approx(0));
}
