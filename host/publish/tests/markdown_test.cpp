#include "publish/markdown.hpp"
#include "publish/markdown_table.hpp"
#include "sample_report.hpp"

#include <doctest/doctest.h>

using namespace chimera::host;
using namespace chimera::test;

namespace {

using json = nlohmann::ordered_json;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Every table's rows have as many cells as its heading.
void check_tables(const std::string& page) {
    std::size_t columns = 0;
    for (std::size_t begin = 0, end; (end = page.find('\n', begin)) != std::string::npos; begin = end + 1) {
        const std::string line = page.substr(begin, end - begin);
        if (!line.starts_with('|')) {
            columns = 0;
            continue;
        }
        std::size_t cells = 0;
        for (std::size_t i = 0; i < line.size(); ++i) cells += line[i] == '|' && (i == 0 || line[i - 1] != '\\');
        if (columns == 0) columns = cells;
        CHECK_MESSAGE(cells == columns, line);
    }
}

} // namespace

TEST_CASE("a page has every part of a report, and every part of the findings") {
    const json report = sample_report({"a", "b"});
    const std::string page = to_markdown(report);
    for (const char* heading :
         {"# sample: 2 runtimes", "## Question", "## Findings", "## Method", "## Results", "### Efficiency by runtime",
          "### Where agent-time was lost", "### Efficiency by configuration", "### Runtimes compared: efficiency_pct",
          "## Limits", "## How to repeat it", "## Definitions"})
        CHECK_MESSAGE(contains(page, heading), heading);
    for (const json& s : report["findings"]) CHECK(contains(page, s.get<std::string>()));
    CHECK(contains(page, "chimera-host sweep --profile profiles/sample.toml --seed 7"));
    check_tables(page);
}

TEST_CASE("figures are the document's, and say how they came about") {
    const json report = sample_report({"a"});
    const std::string page = to_markdown(report);
    CHECK(contains(page, "| a | 4 | " + figure(report["runtimes"][0]["mean_pct"], "%") + " |"));
    CHECK(contains(page, "estimated_efficiency_pct, % (estimated)"));
    CHECK(contains(page, "| efficiency_pct | % | measured | what efficiency_pct is |"));
    CHECK(contains(page, "| itl_ms_p50 | ms | not measured |"));
}

TEST_CASE("what was not measured is said in its place") {
    const std::string page = to_markdown(sample_report({"a"}, false));
    CHECK(contains(page, "efficiency_pct, % (not measured)"));
    CHECK(contains(page, "inflation (not measured)"));
    CHECK(!contains(page, "null"));
    CHECK(!contains(page, "nan"));
    check_tables(page);
}

TEST_CASE("runs that failed are listed, and bars in a message break no table") {
    const temporary_folder f;
    sample_sweep sweep(f, "sweep", {"a"}, {{"plain", json::object()}});
    sweep.add_cell("a", "plain", 1, "failed", "a | b\nc", "a/plain/run_1");
    const std::string page = to_markdown(report_of(sweep.write()));
    CHECK(contains(page, "| a | plain | 1 | failed | a \\| b c |"));
    check_tables(page);
}

TEST_CASE("a scaling study has its points and fits") {
    const temporary_folder f;
    std::vector<std::pair<std::string, json>> configs;
    for (const int n : {1, 2, 4, 8}) configs.emplace_back("n" + std::to_string(n), json{{"agents", n}});
    sample_sweep sweep(f, "sweep", {"a"}, configs);
    for (const auto& [name, parameters] : configs) {
        json metrics = sample_metrics(sample_values({}));
        metrics["values"]["throughput_tok_s"] = 100 * parameters["agents"].get<double>();
        sweep.add("a", name, 1, metrics);
    }
    const std::string page = to_markdown(report_of(sweep.write()));
    CHECK(contains(page, "### Scaling: a\n"));
    CHECK(contains(page, "Amdahl: serial_fraction 0, R² 1"));
    CHECK(contains(page, "Saturation was not reached."));
    check_tables(page);
}

TEST_CASE("numbers keep what matters") {
    CHECK(figure(nullptr) == "not measured");
    CHECK(figure(95.368, "%") == "95.37");
    CHECK(figure(0.0026671, "%") == "0.002667");
    CHECK(figure(12291.26) == "12291");
    CHECK(figure(8) == "8");
    CHECK(interval_figure(json{1.5, 2.5}, "%") == "1.50 to 2.50");
}
