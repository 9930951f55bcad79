// Published figures and the questions of a profile, as a user has them judged: import, report --claims, sweep.
#include "host_process.hpp"
#include "original_tree.hpp"

#include <doctest/doctest.h>

using namespace chimera::test;
namespace fs = std::filesystem;

namespace {

/// A tree of the reports' programs: two runtimes in one configuration, three runs each, imported.
fs::path imported(const temporary_folder& f) {
    const auto options = original_options(80, 512);
    for (const auto& [runtime, collector_s] : {std::pair{"runtime-smol", 8.0}, std::pair{"runtime-tokio", 9.0}})
        for (int run = 1; run <= 3; ++run) {
            auto metrics = original_metrics({.collector_s = collector_s + 0.1 * run}, options, options);
            metrics["run_number"] = run;
            const std::string number = std::to_string(run);
            f.write("tree/results/" + std::string(runtime) + "/homo/run_" + number + "/run_1/metrics.json",
                    metrics.dump());
        }
    const outcome o = run_host({"import", "tr115", (f / "tree").string(), "--output-dir", (f / "out").string()});
    CHECK_MESSAGE(o.status == 0, o.err);
    return f / "out";
}

// (8.2 + 10) / 20 and (9.2 + 10) / 20 on average.
const char* const claims = R"(
[[references]]
name = "before"
value = 98
metric = "estimated_efficiency_pct"
what = "the report before"
[[claims]]
id = "mean"
statement = "Mean"
metric = "estimated_efficiency_pct"
values = { smol = 91.0, tokio = 97.0, gone = 1.0 }
[[claims]]
statement = "tokio gains two points over the report before"
metric = "estimated_efficiency_pct"
a = "tokio"
reference = "before"
difference = 2.0
[[claims]]
statement = "smol | the *best*"
metric = "estimated_efficiency_pct"
order = "best"
of = "tokio"
[[hypotheses]]
id = "H1"
statement = "tokio is more efficient"
metric = "estimated_efficiency_pct"
a = "tokio"
b = "smol"
direction = "higher"
margin = 1
[[criteria]]
statement = "at least 95 %"
metric = "estimated_efficiency_pct"
at_least = 95
[cost]
monthly_bill = 1000
)";

/// Two agents that write a report each, in three runs. Tables may be appended.
const std::string two_short_reports = R"(
name = "short"
[executor]
plugin = "thread_pool"
[transport]
plugin = "socket"
[backend.simulator]
decode_tokens_per_s = 20000
reply_tokens_min = 3
reply_tokens_max = 5
load_ms = 0
[measure]
runs = 3
warmup = 0
)";

} // namespace

TEST_CASE("a report judges the claims of a file, and says how many hold in its first lines") {
    const temporary_folder f;
    const std::string results = imported(f).string(), file = f.write("claims.toml", claims).string();
    const outcome md = run_host({"report", results, "--claims", file});
    CHECK_MESSAGE(md.status == 0, md.err);
    CHECK(contains(md.out, "Published claims: 5 judged: holds 2, wrong 1, other sign 1, not derivable 1.\n"));
    CHECK(md.out.find("Published claims: 5") < md.out.find("## "));
    CHECK(contains(md.out, "| Mean: tokio | 97.0 % | 96.00 % | wrong |"));
    CHECK(contains(md.out, "-2.00 points | other sign | The size is right and the sign is not. |"));
    CHECK(contains(md.out, "| smol \\| the \\*best\\* |"));
    CHECK(contains(md.out, "| Mean: gone | 1.0 % | The study has no runtime \"gone\"; "));
    CHECK(contains(md.out, "| H1: tokio is more efficient | supported |"));
    CHECK(contains(md.out, "Met: 1 of 2 clears the bar"));
    CHECK(contains(md.out, "## Cost"));
    const auto report = run_host({"report", results, "--claims", file, "--format", "json"}).json();
    CHECK(report["claims"]["holds"] == 2);
    CHECK(report["claims"]["claims"][0]["verdict"] == "holds");
    CHECK(report["claims"]["claims"][0]["source"] == file);
    CHECK(report["hypotheses"][0]["verdict"] == "supported");
    CHECK(report["criteria"][0]["rows"].size() == 2);
    CHECK(report["references"][0]["rows"].size() == 2);
    CHECK(report["costs"][0]["formulas"][0]["provenance"] == "estimated");
    const auto plain = run_host({"report", results, "--format", "json"}).json();
    CHECK(plain["claims"]["claims"].empty());
}

TEST_CASE("the shipped claims are found by their name, and are judged in any study") {
    const temporary_folder f;
    const std::string results = imported(f).string();
    const outcome o = run_host({"report", results, "--claims", "tr115", "--claims", "tr112"});
    CHECK_MESSAGE(o.status == 0, o.err);
    CHECK(contains(o.out, "Published claims: 174 judged: "));
    CHECK(contains(o.out,
                   "| Python's best configuration, 101.08, is the end of its range | 101.08 tok/s | 103.800 tok/s"));
}

TEST_CASE("a file of claims with faults ends with 2, and each fault has its place") {
    const temporary_folder f;
    const std::string results = imported(f).string();
    const std::string file =
        f.write("bad.toml", "[[claims]]\nstatement = \"s\"\nvalue = 1\nof = \"a\"\nmetric = \"wal_ms\"\n"
                            "[cost]\nserver_per_hour = \"x\"\n")
            .string();
    const outcome o = run_host({"report", results, "--claims", file});
    check_refused(o, 2, file + ":5:10: claims.1.metric: \"wal_ms\" is no metric; did you mean \"wall_ms\"?");
    CHECK(contains(o.err, file + ":7:19: cost.server_per_hour: is a string; give a number"));
    check_refused(run_host({"report", results, "--claims", (f / "none.toml").string()}), 2, "none.toml");
}

TEST_CASE("a sweep keeps the questions of its profile, and its report answers them") {
    const temporary_folder f;
    const std::string profile = f.write("asked.toml", two_short_reports + two_runtimes + R"(
[[hypotheses]]
id = "H1"
statement = "fibers differ"
metric = "efficiency_pct"
a = "fiber"
b = "pool"
direction = "different"
[[criteria]]
statement = "fast"
metric = "wall_ms"
at_most = 60_000
)")
                                    .string();
    const outcome sweep = run_host({"sweep", "--profile", profile, "--output-dir", (f / "out").string()});
    CHECK_MESSAGE(sweep.status == 0, sweep.err);
    const auto kept = nlohmann::json::parse(content_of(f / "out/short/sweep.json"));
    CHECK(kept["questions"]["hypotheses"][0]["id"] == "H1");
    const outcome report = run_host({"report", (f / "out/short").string()});
    CHECK_MESSAGE(report.status == 0, report.err);
    CHECK(contains(report.out, "| H1: fibers differ | "));
    CHECK(contains(report.out, "Met: 2 of 2 clear the bar"));
    std::string bad = content_of(profile);
    bad.replace(bad.find("\"different\""), 11, "\"unlike\"");
    f.write("bad.toml", bad);
    check_refused(run_host({"sweep", "--profile", (f / "bad.toml").string(), "--output-dir", (f / "out").string()}), 2,
                  "hypotheses.H1.direction: \"unlike\" is not known; ");
}

TEST_CASE("a run keeps the questions of its profile, too") {
    const temporary_folder f;
    const std::string text = two_short_reports + R"(
[[criteria]]
statement = "fast"
metric = "wall_ms"
at_most = 60_000
)";
    const std::string profile = f.write("one.toml", text).string();
    const outcome run = run_host({"run", "--profile", profile, "--output-dir", (f / "out").string()});
    CHECK_MESSAGE(run.status == 0, run.err);
    const auto summary = run_host({"report", (f / "out/short/chimera_homo_gpu80_ctx512").string()});
    CHECK_MESSAGE(summary.status == 0, summary.err);
    CHECK(contains(summary.out, "Met: 1 of 1 clears the bar"));
    f.write("bad.toml", text + "at_lest = 1\n");
    check_refused(run_host({"run", "--profile", (f / "bad.toml").string(), "--dry-run"}), 2,
                  "did you mean \"at_least\"");
}
