// A part of a study has its own runs, runtimes and configurations, and nothing of the others.
#include "result/sealed_file.hpp"
#include "study/study.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace chimera::host;

namespace {

study grid() {
    study s;
    s.cells_planned = 20;
    for (const char* runtime : {"stealing", "pinned"}) {
        s.runtimes.push_back({runtime, {}, {}, {}, {}});
        for (const char* config : {"agents2", "agents64"}) {
            for (int number = 1; number <= 2; ++number) {
                study_run r;
                r.runtime = runtime;
                r.config = config;
                r.number = number;
                s.runs.push_back(r);
            }
        }
    }
    for (const char* config : {"agents2", "agents64"}) s.configs.push_back({config, {}});
    return s;
}

std::vector<std::string> names(const std::vector<planned_configuration>& of) {
    std::vector<std::string> out;
    for (const auto& c : of) out.push_back(c.name);
    return out;
}

} // namespace

TEST_CASE("one configuration of all runtimes") {
    const study part = part_of(grid(), "*/agents64");
    CHECK(part.runs.size() == 4);
    CHECK(part.runtimes.size() == 2);
    CHECK(names(part.configs) == std::vector<std::string>{"agents64"});
    CHECK(part.cells_planned == 4);
}

TEST_CASE("one runtime, and one run") {
    CHECK(part_of(grid(), "pinned/*").runtimes.size() == 1);
    const study one = part_of(grid(), "pinned/agents2/run_2");
    REQUIRE(one.runs.size() == 1);
    CHECK(one.runs[0].number == 2);
}

TEST_CASE("a pattern that fits nothing is an error that shows what there is") {
    CHECK_THROWS_WITH_AS(part_of(grid(), "pined/*"),
                         "--only 'pined/*': matches none of the runs, such as those of 'stealing/agents2'",
                         results_error);
}
