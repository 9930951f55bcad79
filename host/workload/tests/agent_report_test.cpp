#include "workload/agent_report.hpp"

#include <doctest/doctest.h>

using namespace chimera::host;

namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("the agent's report shows calls, data, analysis and the model's report") {
    agent_report report{
        "collector", "DataCollector", "gemma3:latest", {}, {}, "# Title\ntext\n```\n# code\n```\n## Part\n", {}};
    report.calls = {{"analysis", 282U, 603.125, 99.3, 4883.6}, {"report", {}, {}, {}, {}}};
    report.data.csv = {42, 1000};
    report.data.warnings = {{"a.json", "bad", 2, 9}};
    report.result = parse_analysis("## Summary\nFast.\n## Findings\n- One\n## Metrics\n- a|b: 5\n");
    const std::string out = render_agent_report(report);
    CHECK(out.starts_with("# Report of DataCollector\n\nAgent `collector`, model `gemma3:latest`.\n"));
    CHECK(has(out, "| analysis | 282 | 603.12 | 99.30 | 4883.6 |\n| report | - | - | - | - |\n"));
    CHECK(has(out, "| CSV | 42 | 1000 |"));
    CHECK(has(out, "- a.json:2:9: bad\n"));
    CHECK(has(out, "### Summary\n\nFast.\n"));
    CHECK(has(out, "### Findings\n\n- One\n"));
    CHECK(has(out, "| a\\|b | 5 |\n"));
    CHECK(has(out, "### Recommendations\n\nThe reply named none.\n"));
    CHECK(has(out, "## Report\n\n### Title\ntext\n```\n# code\n```\n#### Part\n"));
    CHECK_FALSE(has(out, "first paragraph"));
}

TEST_CASE("what a reply did not have is said") {
    agent_report report;
    CHECK(has(render_agent_report(report), "## Report\n\nThe reply was empty.\n"));
    report.result = parse_analysis("Just text.");
    report.text = "```\ncut off";
    const std::string out = render_agent_report(report);
    CHECK(has(out, "*The reply had no sections"));
    CHECK(has(out, "Just text."));
    CHECK(out.ends_with("```\ncut off\n```\n"));
}
