#include "workload/prompt_template.hpp"

#include "temporary_folder.hpp"

#include <array>
#include <doctest/doctest.h>

using namespace chimera::host;
using chimera::test::temporary_folder;

namespace {

constexpr std::array<std::string_view, 2> names{"name", "other_1"};

std::string error_of(std::string_view text) {
    try {
        prompt_template("p.md", text, names);
    } catch (const template_error& error) {
        return error.what();
    }
    return "no error";
}

} // namespace

TEST_CASE("placeholders are replaced once, with blanks around the name, and braces in values stay") {
    const prompt_template text("p.md", "{{name}} and {{ other_1 }}{{name}} }} { \\{{name}}\n", names);
    CHECK(text.render({{"name", "{{other_1}}"}, {"other_1", "2"}, {"unused", "3"}}) ==
          "{{other_1}} and 2{{other_1}} }} { {{name}}\n");
    CHECK(prompt_template("p.md", "", names).render({}).empty());
}

TEST_CASE("a bad placeholder is named with file, line and column") {
    CHECK(error_of("a\nbc {{nam}}") == "p.md:2:4: unknown placeholder 'nam' (known: name, other_1)");
    CHECK(error_of("{{}}").starts_with("p.md:1:1: unknown placeholder ''"));
    CHECK(error_of("x {{name\n}}").starts_with("p.md:1:3: '{{' without '}}'"));
    CHECK(error_of("\n\n{{").starts_with("p.md:3:1: '{{' without '}}'"));
}

TEST_CASE("a placeholder without a value is an error, not an empty text") {
    const prompt_template text("p.md", "x\n {{name}}", names);
    CHECK_THROWS_WITH_AS(text.render({{"other_1", ""}}), "p.md:2:2: no value for placeholder 'name'", template_error);
}

TEST_CASE("a template comes from a file where one is named") {
    const temporary_folder folder;
    const auto file = folder.write("mine.md", "For {{agent_label}}: {{data_summary}}");
    CHECK(make_analysis_prompt(analysis_template(file, "collector"), "A", "m", {}).starts_with("For A: Files: 0"));
    CHECK_THROWS_WITH_AS(report_template(file), doctest::Contains("mine.md:1:22: unknown placeholder 'data_summary'"),
                         template_error);
    CHECK_THROWS_WITH_AS(report_template(folder.path() / "no.md"), doctest::Contains("No such file"), template_error);
    CHECK_THROWS_WITH_AS(report_template(folder.path()), doctest::Contains("Is a directory"), template_error);
    const auto empty = folder.write("empty.md", "");
    CHECK(make_report_prompt(report_template(empty), "A", "m", {}).empty());
}

TEST_CASE("each of the agents of the reports has a prompt of its own, others share one") {
    const auto prompt = [](std::string_view id) {
        return make_analysis_prompt(analysis_template({}, id), "X", "m", {});
    };
    CHECK(prompt("collector") != prompt("insight"));
    CHECK(prompt("collector") != prompt("agent3"));
    CHECK(prompt("agent3") == prompt("agent4"));
}

TEST_CASE("the report prompt carries all of the analysis") {
    analysis result;
    result.summary = "It is fast.";
    result.findings = {"first finding", "second finding"};
    result.metrics = {{"ttft", "603 ms"}, {"bare", ""}};
    const std::string prompt = make_report_prompt(report_template({}), "InsightAgent", "gemma3:latest", result);
    for (const char* part : {"InsightAgent", "gemma3:latest", "It is fast.", "- first finding\n- second finding",
                             "- ttft: 603 ms\n- bare\n", "### Recommendations\n(none)"}) {
        CAPTURE(part);
        CHECK(prompt.find(part) != std::string::npos);
    }
}

TEST_CASE("a long template leaves the data summary its least size") {
    const temporary_folder folder;
    const auto file = folder.write("long.md", std::string(5000, 'x') + "{{data_summary}}");
    data_summary data;
    for (int i = 0; i < 500; ++i) data.metrics["metric_" + std::to_string(i)].add(i);
    const std::string prompt = make_analysis_prompt(analysis_template(file, ""), "A", "m", data);
    CHECK(prompt.size() > 5000 + 700);
    CHECK(prompt.size() <= 5000 + least_data_summary_bytes);
}
