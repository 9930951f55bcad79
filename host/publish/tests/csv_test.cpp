#include "neutral_text.hpp"
#include "publish/publish.hpp"
#include "sample_report.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace chimera::host;
using namespace chimera::test;

namespace {

using table = std::vector<std::vector<std::string>>;

/// RFC 4180, read back.
table parsed(const std::string& csv) {
    table rows{{""}};
    bool quoted = false;
    for (std::size_t i = 0; i < csv.size(); ++i) {
        const char c = csv[i];
        if (quoted && c == '"' && csv[i + 1] == '"')
            rows.back().back() += csv[++i];
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && c == ',')
            rows.back().emplace_back();
        else if (!quoted && c == '\r') {
            REQUIRE(csv[i + 1] == '\n');
            ++i;
            rows.push_back({""});
        } else
            rows.back().back() += c;
    }
    rows.pop_back();
    return rows;
}

std::size_t column(const table& t, const std::string& name) {
    const auto found = std::ranges::find(t[0], name);
    REQUIRE_MESSAGE(found != t[0].end(), name);
    return static_cast<std::size_t>(found - t[0].begin());
}

} // namespace

TEST_CASE("a row for each run, a column for each parameter and each metric that was measured") {
    const auto report = sample_report({"a", "b"}, false);
    const table t = parsed(to_csv(report));
    REQUIRE(t.size() == 9);
    for (const auto& row : t) CHECK(row.size() == t[0].size());
    CHECK(t[1][column(t, "runtime")] == "a");
    CHECK(t[3][column(t, "config")] == "tuned, \"hard\"");
    CHECK(t[1][column(t, "parameter_num_gpu")] == "80");
    CHECK(t[1][column(t, "parameter_num_ctx")].empty());
    CHECK(t[1][column(t, "serialized")] == "no");
    const double wall = report.runs[0].value("wall_ms").value();
    CHECK(std::stod(t[1][column(t, "wall_ms")]) == wall);
    CHECK(std::ranges::find(t[0], "efficiency_pct") == t[0].end()); // not measured by any run
}

TEST_CASE("a failed run has a row with its message and empty figures") {
    const temporary_folder f;
    sample_sweep sweep(f, "sweep", {"a"}, {{"plain", nlohmann::ordered_json::object()}});
    sweep.add("a", "plain", 1, sample_pair{});
    sweep.add_cell("a", "plain", 2, "crashed", "signal 11,\nat once", "a/plain/run_2");
    const table t = parsed(to_csv(report_of(sweep.write())));
    REQUIRE(t.size() == 3);
    CHECK(t[2][column(t, "status")] == "crashed");
    CHECK(t[2][column(t, "message")] == "signal 11,\nat once");
    CHECK(t[2][column(t, "wall_ms")].empty());
}

TEST_CASE("no cell is computed, and no text acts on a terminal") {
    const temporary_folder f;
    sample_sweep sweep(f, "sweep", {"=a", "@b", "+c", "-1.5"}, {{"-d", {{"=e", "\t=f"}, {"g", -2.5}, {"h", "-2e3"}}}});
    sweep.add_cell("=a", "-d", 1, "failed", "=1+1,\x1b[2J\u202e\r\nend", "a/run_1");
    sweep.add_cell("@b", "-d", 1, "failed", "\uFF1D1+1", "b/run_1");
    sweep.add_cell("+c", "-d", 1, "failed", "-inf", "c/run_1");
    sweep.add_cell("-1.5", "-d", 1, "failed", "+2", "d/run_1");
    const std::string csv = to_csv(report_of(sweep.write()));
    const std::string why = fault_in_csv(csv);
    CHECK_MESSAGE(why.empty(), why);
    const table t = parsed(csv);
    REQUIRE(t.size() == 5);
    CHECK(t[1][0] == "'=a");
    CHECK(t[1][1] == "'-d");
    CHECK(t[1][column(t, "parameter_=e")] == "\\t=f");
    CHECK(t[1][column(t, "parameter_g")] == "-2.5");
    CHECK(t[1][column(t, "parameter_h")] == "-2e3");
    CHECK(t[1][column(t, "message")] == "'=1+1,\\x1b[2J\\u{202e}\\r\nend");
    CHECK(t[2][0] == "'@b");
    CHECK(t[2][column(t, "message")] == "'\uFF1D1+1");
    CHECK(t[3][0] == "'+c");
    CHECK(t[3][column(t, "message")] == "'-inf");
    CHECK(t[4][0] == "-1.5");
    CHECK(t[4][column(t, "message")] == "+2");
}
