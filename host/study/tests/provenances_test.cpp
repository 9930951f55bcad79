// Where the runs of a study come from, and where they or two studies come from something else.
#include "sample_sweep.hpp"
#include "study/analysis.hpp"
#include "study/study_comparison.hpp"

#include <doctest/doctest.h>

#include <functional>

using namespace chimera::host;
using namespace chimera::test;

namespace {

using names = std::vector<std::string>;
using origins = std::function<void(json& provenance, const std::string& runtime, int run)>;

/// Two runtimes, three runs each; `change` makes of the sample's provenance that of a run, null: none.
study sweep_of(const temporary_folder& f, const std::string& place, const origins& change = {}) {
    sample_sweep sweep(f, place, {"pool", "fiber"}, {{"plain", json::object()}});
    sweep.sweep()["name"] = place;
    for (const char* runtime : {"pool", "fiber"})
        for (int run = 1; run <= 3; ++run) {
            json metrics = sample_metrics(sample_values({.collector_ms = 80.0 + run}));
            metrics["provenance"] = sample_provenance(runtime);
            if (change) change(metrics["provenance"], runtime, run);
            sweep.add(runtime, "plain", run, metrics);
        }
    study s = load_study(sweep.write());
    read_requests(s);
    return s;
}

names warnings_of(const study& a, const study& b) {
    const std::vector<study> both{a, b};
    return compare_studies(both, {"wall_ms"}).warnings;
}

void forget(json& provenance, const std::string&, int) { provenance = nullptr; }

bool says(const names& sentences, const std::string& part) {
    return std::ranges::any_of(sentences, [&](const std::string& s) { return s.find(part) != std::string::npos; });
}

} // namespace

TEST_CASE("a report says once where its runs come from, and of a runtime's plugin whose it is") {
    const temporary_folder f;
    const study_report r = report_of(sweep_of(f, "sweep"), "test");
    REQUIRE(r.origin);
    CHECK(r.origin->first_begun == "2025-11-14T09:30:00Z");
    CHECK(r.origin->runs == 6);
    CHECK(r.origin->runs_without == 0);
    CHECK(r.origin->differences.empty());
    names lines;
    for (const provenance_line& line : r.origin->lines)
        lines.push_back(line.subject + ": " + line.text + (line.where.empty() ? "" : " | " + line.where));
    CHECK(lines == names{"machine: build7: AMD EPYC 7B13, 16 CPUs, governor performance, 62.7 GiB, Linux "
                         "6.1.0-18-amd64, glibc 2.36, KVM",
                         "program: chimera 0.1.0 (1f3c9a0b7d2e, GCC 12.2.0, Release)",
                         "plugin: pool 0.1.0 (aaaaaaaaaaaa) | runtime pool", "plugin: socket 0.1.0 (bbbbbbbbbbbb)",
                         "plugin: fiber 0.1.0 (aaaaaaaaaaaa) | runtime fiber",
                         "server: http://127.0.0.1:11434: Ollama 0.5.1, gemma3 (a2af6cc3eb7f, 4.3B, Q4_K_M)"});
}

TEST_CASE("cells of one sweep that come from different machines or builds are found, and named") {
    const temporary_folder f;
    const study_report r = report_of(sweep_of(f, "sweep",
                                              [](json& p, const std::string& runtime, int run) {
                                                  if (runtime == "fiber") p["build"]["commit"] = "0a0a0a0a0a0a+";
                                                  if (run == 3) p["machine"]["cpu_model"] = "Intel Xeon";
                                                  if (run == 3) p["begun"] = "2025-11-15T09:30:00Z";
                                                  if (run == 2) p["plugins"][1]["sha256"] = std::string(64, 'c');
                                              }),
                                     "test");
    CHECK(r.origin->differences ==
          names{"The machines of the runs differ, and a difference between figures may be theirs: CPU 'AMD EPYC 7B13' "
                "in 4 runs, 'Intel Xeon' in 2 runs (pool/plain/run_3, fiber/plain/run_3).",
                "The builds of chimera of the runs differ, and a difference between figures may be theirs: commit "
                "'1f3c9a0b7d2e' in 3 runs, '0a0a0a0a0a0a+' in 3 runs (runtime fiber).",
                "The plugins of the runs differ, and a difference between figures may be theirs: sha256 of socket "
                "'bbbbbbbbbbbb' in 4 runs, 'cccccccccccc' in 2 runs (pool/plain/run_2, fiber/plain/run_2)."});
    for (const std::string& difference : r.origin->differences) CHECK(says(r.findings, difference));
    CHECK(r.origin->machines() == 2);
    CHECK(r.origin->lines[1].where == "pool/plain/run_3, fiber/plain/run_3");
    CHECK(r.origin->last_begun == "2025-11-15T09:30:00Z");
    CHECK(!says(r.limits, "One machine"));
}

TEST_CASE("other names, dates, paths and executors do not count as differences") {
    const temporary_folder f;
    const study a = sweep_of(f, "a"), b = sweep_of(f, "b", [](json&p, const std::string&, int) {
                                          p["begun"] = "2026-01-01T00:00:00Z";
                                          p["machine"]["host_name"] = "other";
                                          p["machine"]["memory_bytes"] = 1;
                                          p["plugins"][0]["id"] = "uring";
                                          p["plugins"][0]["sha256"] = std::string(64, 'd');
                                          p["plugins"][1]["file"] = "/opt/socket.so";
                                          p["servers"][0]["url"] = "http://127.0.0.1:5";
                                      });
    CHECK(warnings_of(a, b).empty());
}

TEST_CASE("two studies that differ in where they come from are compared with a warning for each") {
    const temporary_folder f;
    const study a = sweep_of(f, "a"), b = sweep_of(f, "b", [](json&p, const std::string&, int) {
                                          p["machine"]["cpu_model"] = "Intel Xeon";
                                          p["machine"]["kernel"] = "6.12.0";
                                          p["machine"]["governor"] = "powersave";
                                          p["machine"]["container"] = "docker";
                                          p["build"]["commit"] = "0a0a0a0a0a0a";
                                          p["build"]["build_type"] = "Debug";
                                          p["plugins"][1]["sha256"] = std::string(64, 'c');
                                          p["servers"][0]["version"] = "0.6.0";
                                          p["servers"][0]["models"][0]["digest"] = "sha256:" + std::string(64, 'd');
                                      });
    CHECK(warnings_of(a, b) ==
          names{"the machines of a and b differ: CPU 'AMD EPYC 7B13' against 'Intel Xeon'; governor 'performance' "
                "against 'powersave'; kernel '6.1.0-18-amd64' against '6.12.0'; container 'none' against 'docker'",
                "the builds of chimera of a and b differ: commit '1f3c9a0b7d2e' against '0a0a0a0a0a0a'; build type "
                "'Release' against 'Debug'",
                "the plugins of a and b differ: sha256 of socket 'bbbbbbbbbbbb' against 'cccccccccccc'",
                "the servers of a and b differ: version of Ollama '0.5.1' against '0.6.0'",
                "the models of a and b differ: digest of gemma3 'a2af6cc3eb7f' against 'dddddddddddd'"});
}

TEST_CASE("a fact that only one side has does not count as a difference; a side without facts is named") {
    const temporary_folder f;
    const study whole = sweep_of(f, "whole"), quiet = sweep_of(f, "quiet", [](json&p, const std::string&, int) {
                                                  p["machine"]["governor"] = nullptr;
                                                  p["build"]["commit"] = nullptr;
                                                  p["servers"][0]["version"] = nullptr;
                                              });
    CHECK(warnings_of(whole, quiet).empty());
    const study old = sweep_of(f, "old", forget), older = sweep_of(f, "older", forget);
    CHECK(warnings_of(whole, old) ==
          names{"old does not say where it comes from (imported, or of an older chimera-host): machine, build, plugins "
                "and servers may differ from those of whole"});
    CHECK(warnings_of(old, older).empty());
    CHECK(!report_of(old, "test").origin);
    const study partly = sweep_of(f, "partly", [](json& p, const std::string&, int run) {
        if (run == 1) p = nullptr;
    });
    CHECK(report_of(partly, "test").origin->runs_without == 2);
}

TEST_CASE("servers of one study are told apart by their URLs") {
    const temporary_folder f;
    const study s = sweep_of(f, "sweep", [](json& p, const std::string&, int) {
        json other = p["servers"][0];
        other["url"] = "http://h:2";
        other["version"] = "0.6.0";
        p["servers"].push_back(other);
    });
    CHECK(provenance_of(s)->differences.empty());
    const study one = sweep_of(f, "one");
    CHECK(warnings_of(one, s) ==
          names{"the servers of one and sweep differ: version of Ollama '0.5.1' against '0.5.1' and '0.6.0'"});
}
