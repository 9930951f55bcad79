// report, compare and import, as a user runs them: output, messages and exit statuses.
#include "host_process.hpp"
#include "original_tree.hpp"
#include "sample_sweep.hpp"

#include <doctest/doctest.h>

using namespace chimera::test;
namespace fs = std::filesystem;

namespace {

/// A sweep of two runtimes, five runs each; the collector takes this long, the insight agent 100 ms.
fs::path sweep_of(const temporary_folder& f, const char* place, double collector_ms) {
    sample_sweep sweep(f, place, {"pool", "fiber"}, {{"plain", {{"num_gpu", 80}}}});
    for (const char* runtime : {"pool", "fiber"})
        for (int run = 1; run <= 5; ++run)
            sweep.add(runtime, "plain", run, sample_pair{.collector_ms = collector_ms + run});
    return sweep.write();
}

/// The page that the HTML report is put into; not built where there is no npm.
fs::path report_page() { return host_program().parent_path() / "../share/chimera/report.html"; }

} // namespace

TEST_CASE("a report comes in every form, to standard output or to a file") {
    const temporary_folder f;
    const std::string results = sweep_of(f, "sweep", 80).string();
    const outcome md = run_host({"report", results});
    CHECK_MESSAGE(md.status == 0, md.err);
    CHECK(contains(md.out, "# sample: 2 runtimes, 1 configuration, 10 runs"));
    const auto report = run_host({"report", results, "--format", "json"}).json();
    CHECK(report["schema_version"] == 2);
    CHECK(report["runtimes"][1]["name"] == "fiber");
    CHECK(contains(report["generated_by"], "chimera-host"));
    CHECK(contains(run_host({"report", results, "--format", "csv"}).out, "runtime,config,parameter_num_gpu,run,"));
    CHECK(run_host({"report", results, "--format", "vllm"}).json().size() == 2);
    const outcome filed = run_host({"report", results, "--output", (f / "report.md").string()});
    CHECK(filed.status == 0);
    CHECK(filed.out.empty());
    CHECK(content_of(f / "report.md") == md.out);
}

TEST_CASE("results that cannot be read end with 2 and the file's name; a file that cannot be written with 3") {
    const temporary_folder f;
    const fs::path results = sweep_of(f, "sweep", 80);
    check_refused(run_host({"report", (f / "none").string()}), 2, "there is no such file or folder");
    check_refused(run_host({"report", f.path().string()}), 2, "there are some in " + results.string());
    check_refused(run_host({"report"}), 2, "results");
    check_refused(run_host({"report", results.string(), "--format", "pdf"}), 2, "pdf");
    check_refused(run_host({"--json", "report", results.string()}), 2,
                  "--json is an option of a run; give it after 'report'");
    check_refused(run_host({"report", results.string(), "--output", "/proc/nowhere/report.md"}), 3, "/proc/nowhere");
    f.write("sweep/sweep.json", "{\"schema_version\": 1, \"na");
    check_refused(run_host({"report", results.string()}), 2, "sweep.json:1: cut short");
    check_refused(run_host({"compare", results.string(), sweep_of(f, "other", 80).string()}), 2,
                  "sweep.json:1: cut short");
}

TEST_CASE("a report of results that are not whole is about the rest, says so in every form, and ends with 2") {
    const temporary_folder f;
    const fs::path results = sweep_of(f, "sweep", 80);
    f.write("sweep/pool/plain/run_3/metrics.json", "{\"schema_version\": 2, \"val");
    fs::remove(results / "fiber/plain/run_2/metrics.json");
    const std::string cut = "pool/plain/run_3/metrics.json:1: cut short",
                      gone = "fiber/plain/run_2/metrics.json: is missing";
    for (const char* format : {"md", "html", "csv", "json", "vllm"}) {
        CAPTURE(format);
        if (format == std::string("html") && !fs::exists(report_page())) continue;
        const outcome o = run_host({"report", results.string(), "--format", format});
        CHECK(o.status == 2);
        for (const std::string& what : {cut, gone}) {
            CHECK_MESSAGE(contains(o.err, what), o.err);
            CHECK(contains(o.out, what));
        }
    }
    const outcome filed = run_host({"report", results.string(), "--output", (f / "report.md").string()});
    CHECK(filed.status == 2);
    CHECK(contains(content_of(f / "report.md"), "The results are not whole: 2 of 10 runs are damaged or lost"));
    const auto report = nlohmann::json::parse(run_host({"report", results.string(), "--format", "json"}).out);
    CHECK(report["cells"]["ok"] == 8);
    CHECK(report["cells"]["failed"] == 0);
    CHECK(report["cells"]["damaged"] == 2);
    CHECK(report["damage"].size() == 2);
    CHECK(report["runtimes"][0]["n"] == 4);
    // A damaged run is not a failed run: compare finds no regression, and names the runs that it left out.
    const std::string other = sweep_of(f, "other", 80).string(), better = sweep_of(f, "better", 95).string();
    const outcome same = run_host({"compare", other, results.string(), "--fail-on-regression", "5%"});
    CHECK(same.status == 2);
    CHECK(contains(same.err, cut));
    CHECK(contains(same.out, "8 runs ok, 0 failed, 2 damaged or lost"));
    CHECK(run_host({"compare", better, results.string(), "--fail-on-regression", "5%"}).status == 1);
    // Damage outside of --only does not matter.
    CHECK(run_host({"report", results.string(), "--only", "pool/plain/run_[12]"}).status == 0);
    CHECK(run_host({"report", results.string(), "--only", "pool/*"}).status == 2);
}

TEST_CASE("two sweeps of one name are compared under their paths") {
    const temporary_folder f;
    const std::string before = sweep_of(f, "before", 80).string(), after = sweep_of(f, "after", 80).string();
    const outcome o = run_host({"compare", before, after});
    CHECK_MESSAGE(o.status == 0, o.err);
    CHECK(contains(o.out, "baseline " + before));
    CHECK(contains(o.out, "runtime fiber"));
    CHECK(contains(o.out, "no detectable difference between " + before + " and " + after));
    check_refused(run_host({"compare", before, before + "/."}), 2, "given twice");
    check_refused(run_host({"compare", before}), 2, "results");
}

TEST_CASE("a regression beyond the limit ends with 1, one within it or the other way round with 0") {
    const temporary_folder f;
    const std::string good = sweep_of(f, "good", 90).string(), bad = sweep_of(f, "bad", 60).string();
    // (100 + 93) / 200 against (100 + 63) / 200: 15.5 % lower.
    const std::vector<std::string> compare{"compare", good, bad, "--metric", "efficiency_pct", "--fail-on-regression"};
    const auto with = [&](const char* limit) {
        auto all = compare;
        all.emplace_back(limit);
        return run_host(all);
    };
    const outcome failed = with("15%");
    CHECK(failed.status == 1);
    CHECK(contains(failed.err, "efficiency_pct: " + bad + " is worse than " + good + " by 15.54 %, more than 15 %"));
    CHECK(with("16").status == 0);
    CHECK(run_host({"compare", good, bad}).status == 0);
    CHECK(run_host({"compare", bad, good, "--metric", "efficiency_pct", "--fail-on-regression", "5%"}).status == 0);
    for (const char* none : {"much", "nan", "inf", "-1", "5 % 5", "%"})
        check_refused(with(none), 2, "--fail-on-regression");
    CHECK(with("15 %").status == 1);
    CHECK(with("16 %").status == 0);
    const auto j =
        run_host({"compare", good, bad, "--metric", "efficiency_pct", "--fail-on-regression", "5%", "--json"}).json();
    CHECK(j["regressions"].size() == 2); // of each runtime
    CHECK(j["groups"][0]["comparisons"][0]["verdict"] == "a_higher");
}

TEST_CASE("a comparison of results that come from elsewhere warns, and is made all the same") {
    const temporary_folder f;
    const auto sweep_on = [&](const char* place, const char* cpu) {
        sample_sweep sweep(f, place, {"pool"}, {{"plain", {{"num_gpu", 80}}}});
        sweep.sweep()["name"] = place;
        for (int run = 1; run <= 3; ++run) {
            auto metrics = sample_metrics(sample_values({.collector_ms = 90.0 + run}));
            metrics["provenance"] = sample_provenance("thread_pool", cpu);
            sweep.add("pool", "plain", run, metrics);
        }
        return sweep.write().string();
    };
    const std::string one = sweep_on("one", "AMD EPYC 7B13"), same = sweep_on("same", "AMD EPYC 7B13"),
                      other = sweep_on("other", "Intel Xeon");
    const outcome differ = run_host({"compare", one, other, "--fail-on-regression", "5%"});
    CHECK(differ.status == 0);
    CHECK_MESSAGE(contains(differ.err, "warning the machines of one and other differ: CPU 'AMD EPYC 7B13' against "
                                       "'Intel Xeon'\n"),
                  differ.err);
    CHECK(run_host({"compare", one, other, "--json"}).json()["warnings"].size() == 1);
    CHECK(run_host({"compare", one, same}).err.empty());
}

TEST_CASE("a higher share of failed runs is a regression, whatever the others show") {
    const temporary_folder f;
    const std::string good = sweep_of(f, "good", 90).string();
    sample_sweep sweep(f, "bad", {"pool", "fiber"}, {{"plain", {{"num_gpu", 80}}}});
    for (const char* runtime : {"pool", "fiber"})
        for (int run = 1; run <= 5; ++run)
            if (run == 1 || runtime == std::string("pool"))
                sweep.add(runtime, "plain", run, sample_pair{.collector_ms = 90.0 + run});
            else
                sweep.add_cell(runtime, "plain", run, "crashed", "signal 11", "");
    const std::string bad = sweep.write().string();
    const outcome o = run_host({"compare", good, bad, "--metric", "wall_ms", "--fail-on-regression", "5%"});
    CHECK(o.status == 1);
    CHECK(contains(o.out, bad + ", 6 runs ok, 4 failed"));
    CHECK(contains(o.err, "fiber, more runs of " + bad + " failed than of " + good +
                              " (1 run ok, 4 failed; 5 runs ok, 0 failed)"));
    CHECK(!contains(o.err, "pool, "));
    CHECK(contains(o.err, "not judged: fiber, wall_ms: too few runs to tell"));
    CHECK(run_host({"compare", good, bad}).status == 0);
    CHECK(run_host({"compare", bad, good, "--metric", "wall_ms", "--fail-on-regression", "5%"}).status == 0);
}

TEST_CASE("an empty path is refused") {
    const temporary_folder f;
    const std::string results = sweep_of(f, "sweep", 80).string(), profile = profile_path("smol1kb").string();
    check_refused(run_host({"run", "--profile", profile, "--dry-run", "--trace", ""}), 2, "--trace");
    check_refused(run_host({"run", "--profile", profile, "--dry-run", "--output-dir", ""}), 2, "--output-dir");
    check_refused(run_host({"report", results, "--output", ""}), 2, "--output");
}

TEST_CASE("original results are imported, reported and compared") {
    const temporary_folder f;
    const auto options = original_options(80, 512);
    for (const auto& [runtime, wall_s] : {std::pair{"runtime-tokio-default", 10.0}, {"runtime-async-std", 15.0}})
        for (int run = 1; run <= 3; ++run)
            f.write(fs::path("tree/results") / runtime / "homo" / ("run_" + std::to_string(run)) / "run_1/metrics.json",
                    original_metrics({.wall_s = wall_s}, options, options).dump(2));
    const outcome o = run_host({"import", "tr115", (f / "tree").string(), "--output-dir", (f / "out").string()});
    CHECK_MESSAGE(o.status == 0, o.err);
    CHECK(contains(o.out, "runs 6, runtimes 2, configurations 1"));
    const auto report = run_host({"report", (f / "out").string(), "--format", "json"}).json();
    CHECK(report["runtimes"][0]["mean_pct"].get<double>() == doctest::Approx(75));
    CHECK(report["runtimes"][0]["imbalance_bound_mean_pct"].get<double>() == doctest::Approx(75));
    CHECK(report["runtimes"][1]["mean_pct"].get<double>() == doctest::Approx(50));
    CHECK(report["runtimes"][1]["serialized_runs"] == 3);
    // Imported results have checksums too.
    const fs::path file = f / "out/tokio-default/homo/run_2/requests.jsonl";
    std::string requests = content_of(file);
    requests.back() = ' ';
    f.write("out/tokio-default/homo/run_2/requests.jsonl", requests);
    const outcome damaged = run_host({"report", (f / "out").string()});
    CHECK(damaged.status == 2);
    CHECK(contains(damaged.err, "tokio-default/homo/run_2/requests.jsonl"));
    check_refused(run_host({"import", "tr115", (f / "tree").string(), "--output-dir", (f / "out").string()}), 2,
                  "holds a sweep already");
    check_refused(run_host({"import", "tr115", (f / "tree").string(), "--output-dir", (f / "tree").string()}), 2,
                  "may not lie in each other");
    check_refused(run_host({"import", "tr115", f.path().string() + "/none", "--output-dir", (f / "out2").string()}), 2,
                  "there is no such folder");
    check_refused(run_host({"import", "tr115", (f / "tree").string()}), 2, "--output-dir");
    check_refused(run_host({"import"}), 2, "subcommand");
}

TEST_CASE("a campaign of ours is compared with another") {
    const temporary_folder f;
    for (const char* folder : {"one", "two"}) {
        f.write(fs::path(folder) / "summary.json", nlohmann::ordered_json{{"schema_version", 2},
                                                                          {"profile", folder},
                                                                          {"config", "plain"},
                                                                          {"executor", "fiber"},
                                                                          {"transport", "socket"},
                                                                          {"foreign", nullptr},
                                                                          {"runs_planned", 3},
                                                                          {"warnings", nlohmann::ordered_json::array()},
                                                                          {"run_folders", {"run_1", "run_2", "run_3"}}}
                                                       .dump());
        for (int run = 1; run <= 3; ++run)
            f.write(fs::path(folder) / ("run_" + std::to_string(run)) / "metrics.json",
                    sample_metrics(sample_values({.collector_ms = 80.0 + run})).dump());
    }
    const outcome o = run_host({"compare", (f / "one").string(), (f / "two/summary.json").string()});
    CHECK_MESSAGE(o.status == 0, o.err);
    CHECK(contains(o.out, "no detectable difference between one and two"));
}
