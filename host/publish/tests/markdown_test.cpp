#include "neutral_text.hpp"
#include "publish/markdown_parts.hpp"
#include "publish/publish.hpp"
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
    const study_report report = sample_report({"a", "b"});
    const std::string page = to_markdown(report);
    for (const char* heading : {"# sample: 2 runtimes", "## Question", "## Findings", "## Method", "## Results",
                                "### Efficiency by runtime", "### Where agent-time was lost",
                                "### Efficiency by configuration", "### Runtimes compared: parallel efficiency",
                                "## Answer", "## Ground truth", "## Limits", "## How to repeat it", "## Definitions"})
        CHECK_MESSAGE(contains(page, heading), heading);
    for (const std::string& s : report.findings) CHECK(contains(page, markdown_text(s)));
    CHECK(contains(page, "chimera-host sweep --profile profiles/sample.toml --seed 7"));
    check_tables(page);
}

TEST_CASE("figures are the document's, and say how they came about") {
    const study_report report = sample_report({"a"});
    const std::string page = to_markdown(report);
    CHECK(contains(page, "| a | 4 | " + number(report.runtimes[0].mean_pct, "%") + " |"));
    CHECK(contains(page, "estimated efficiency, % (estimated)"));
    CHECK(contains(page, "| parallel efficiency | efficiency_pct | % | measured | what efficiency_pct is |"));
    CHECK(contains(page, "| ITL | itl_ms_p50 | ms | not measured |"));
}

TEST_CASE("what was not measured is said in its place") {
    const std::string page = to_markdown(sample_report({"a"}, false));
    CHECK(contains(page, "parallel efficiency, % (not measured)"));
    CHECK(contains(page, "inflation (not measured)"));
    CHECK(!contains(page, "null"));
    CHECK(!contains(page, "nan"));
    check_tables(page);
}

TEST_CASE("the page says where its runs come from, and which differ") {
    const temporary_folder f;
    sample_sweep sweep(f, "sweep", {"a"}, {{"plain", json::object()}});
    for (int run = 1; run <= 3; ++run) {
        json metrics = sample_metrics(sample_values({}));
        metrics["provenance"] = sample_provenance("fiber", run == 3 ? "Intel Xeon" : "AMD EPYC 7B13");
        sweep.add("a", "plain", run, metrics);
    }
    const std::string page = to_markdown(report_of(sweep.write()));
    CHECK(
        contains(page, "## Where it comes from\n\n- begun: 2025-11-14T09:30:00Z\n- machine: build7: AMD EPYC 7B13, "));
    CHECK(contains(page, "glibc 2.36, KVM; only in a/plain/run_3\n"));
    CHECK(contains(page, "- plugin: socket 0.1.0 (bbbbbbbbbbbb)\n"));
    CHECK(contains(page, "- server: http\\://127.0.0.1:11434: Ollama 0.5.1, gemma3 (a2af6cc3eb7f, 4.3B, Q4_K_M)\n"));
    CHECK(contains(page, "The machines of the runs differ"));
    CHECK(contains(to_markdown(sample_report({"a"})), "## Where it comes from\n\nNot recorded.\n"));
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
    CHECK(number({}) == "not measured");
    CHECK(number(95.368, "%") == "95.37");
    CHECK(number(0.0026671, "%") == "0.002667");
    CHECK(number(12291.26) == "12291");
    CHECK(number(8) == "8");
    CHECK(range(statistics::interval{1.5, 2.5}, "%") == "1.50 to 2.50");
}

TEST_CASE("a text is only text wherever it stands in a page") {
    CHECK(markdown_text("efficiency_pct of a-b, 95.5 % (n 3)") == "efficiency_pct of a-b, 95.5 % (n 3)");
    CHECK(markdown_text("<b>x</b> &lt; &#60; A & B") == "&lt;b>x&lt;/b> &amp;lt; &amp;#60; A & B");
    CHECK(markdown_text("[a](http://h) ![b](c) www.d.e") == "\\[a\\](http\\://h) !\\[b\\](c) www\\.d.e");
    CHECK(markdown_text("`a` *b* _c_ ~~d~~ e|f \\|") == "\\`a\\` \\*b\\* \\_c\\_ \\~\\~d\\~\\~ e\\|f \\\\\\|");
    CHECK(markdown_text("# a\n\n- b") == "\\# a  - b");
    for (const char* beginning : {"#", "-", "+", "=", ">"})
        CHECK(markdown_text(beginning + std::string(" a")) == "\\" + (beginning + std::string(" a")));
    CHECK(markdown_text("1. a") == "1\\. a");
    CHECK(markdown_text("12) a") == "12\\) a");
    CHECK(markdown_text("1.5 a") == "1.5 a");
    CHECK(markdown_text("    a") == "&#32;   a");
    CHECK(markdown_text("\x1b[2J\u202e\xff") == "\\\\x1b\\[2J\\\\u{202e}\\\\xff");
}

TEST_CASE("a block of code has one end") {
    CHECK(code_block("sh", {"a", "b"}) == "```sh\na\nb\n```\n\n");
    CHECK(code_block("sh", {"a\n```\n# b"}) == "````sh\na\\n```\\n# b\n````\n\n");
}

TEST_CASE("nothing that a report was told acts in its page") {
    const temporary_folder f;
    const std::string said = hostile_text();
    sample_sweep sweep(f, "sweep", {"a", said}, {{"plain", {{said, said}, {"list", json{said, "](http://h)"}}}}});
    for (const char* key : {"name", "description", "question", "backend", "profile"}) sweep.sweep()[key] = said;
    for (int run = 1; run <= 2; ++run) {
        json metrics = sample_metrics(sample_values({}));
        metrics["provenance"] = sample_provenance(said, said + std::to_string(run), said);
        metrics["provenance"]["begun"] = said;
        metrics["provenance"]["servers"][0]["models"][0]["digest"] = said;
        sweep.add("a", "plain", run, metrics);
    }
    sweep.add_cell(said, "plain", 1, "failed", said.c_str(), "b/plain/run_1");
    const std::string why = fault_in_markdown(to_markdown(report_of(sweep.write())));
    CHECK_MESSAGE(why.empty(), why);
}
