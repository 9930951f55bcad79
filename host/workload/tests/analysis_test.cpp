#include "workload/analysis.hpp"

#include <doctest/doctest.h>

using namespace chimera::host;

namespace {

using texts = std::vector<std::string>;

/// "name=value" of each metric.
texts metrics_of(const analysis& a) {
    texts out;
    for (const auto& metric : a.metrics) out.push_back(metric.name + "=" + metric.value);
    return out;
}

/// What every well-formed reply below says.
void check_standard(const analysis& a, reply_shape shape) {
    CHECK(a.shape == shape);
    CHECK_FALSE(a.summary_is_fallback);
    CHECK(a.summary == "All is fast.");
    CHECK(a.findings == texts{"One thing", "Two things"});
    CHECK(metrics_of(a) == texts{"TTFT=603 ms", "rate=99.3"});
    CHECK(a.recommendations == texts{"Do more"});
}

} // namespace

TEST_CASE("sections under Markdown headings, of any level and wording") {
    check_standard(
        parse_analysis(
            "## Summary\nAll is\nfast.\n\n## Findings\n- One thing\n- Two things\n\n## Metrics\n- TTFT: 603 ms\n"
            "- **rate**: 99.3\n\n## Recommendations\n1. Do more\n"),
        reply_shape::markdown);
    check_standard(parse_analysis("Sure! Here it is.\r\n\r\n# 1. EXECUTIVE SUMMARY:\r\nAll is fast.\r\n### Key "
                                  "Findings\r\n* **One thing**\r\n"
                                  "* Two things\r\n# Key performance metrics\r\n* TTFT = 603 ms\r\n* `rate`: 99.3\r\n"
                                  "# Next Steps\r\n+ Do more\r\n# Appendix\r\nother\r\n"),
                   reply_shape::markdown);
}

TEST_CASE("sections under bold lines, colons and numbered titles") {
    check_standard(
        parse_analysis("**Summary**\nAll is fast.\n\n**Key Insights:**\n- One thing\n- Two things\n\n**Metrics**:\n"
                       "- TTFT: 603 ms\n- rate: 99.3\n**Recommendations:** Do more"),
        reply_shape::markdown);
    check_standard(
        parse_analysis("Summary: All is fast.\nFindings:\n1) One thing\n2) Two things\nMetrics:\n- TTFT: 603 ms\n"
                       "- rate: 99.3\nRecommendations:\nDo more\n"),
        reply_shape::markdown);
    check_standard(
        parse_analysis(
            "1. **Summary**\nAll is fast.\n2. **Findings:**\n   - One thing\n   - Two things\n3. **Metrics**\n"
            "   - TTFT: 603 ms\n   - rate: 99.3\n4. **Recommendations**\n   - Do more\n"),
        reply_shape::markdown);
}

TEST_CASE("JSON replies: bare, fenced, with text around, with various shapes of values") {
    check_standard(parse_analysis(R"({"summary":"All is fast.","findings":["One thing","Two things"],)"
                                  R"("metrics":{"TTFT":"603 ms","rate":99.3},"recommendations":["Do more"]})"),
                   reply_shape::object);
    check_standard(
        parse_analysis("```json\n{\"Executive_Summary\":\"All is fast.\",\"key_findings\":[{\"text\":\"One thing\"},"
                       "\"Two things\"],\"Key Metrics\":[{\"name\":\"TTFT\",\"value\":603,\"unit\":\"ms\"},"
                       "\"rate: 99.3\"],\"next_steps\":\"Do more\"}\n```\n"),
        reply_shape::object);
    check_standard(
        parse_analysis("Here you are: {\"summary\":\"All is fast.\",\"findings\":[\"One thing\",\"Two things\"],"
                       "\"metrics\":[{\"TTFT\":\"603 ms\"},{\"rate\":99.3}],\"recommendations\":[\"Do more\"],"
                       "\"confidence\":null} Bye."),
        reply_shape::object);
    const analysis mapped = parse_analysis(R"({"findings":{"speed":"high","load":{"ms":5}},"summary":null})");
    CHECK(mapped.findings == texts{"speed: high", "load: 5"});
    CHECK(mapped.summary.empty());
}

TEST_CASE("JSON that is cut off or says nothing of the kind is not a JSON reply") {
    CHECK(parse_analysis("{\"summary\":\"All is").shape == reply_shape::plain);
    CHECK(parse_analysis("{\"a\":1}").shape == reply_shape::plain);
    CHECK(parse_analysis("## Summary\nUse {braces} well.\n").summary == "Use {braces} well.");
    CHECK(parse_analysis(std::string(200000, '{') + "}").shape == reply_shape::plain);
}

TEST_CASE("inner headings, nested and wrapped items stay within their section") {
    const analysis a =
        parse_analysis("## Findings\n### Throughput\n- It is high,\n  very high\n  - mean 99\n  - sd 3\n"
                       "### Latency\n- **TTFT:** it is low\n\nA paragraph\nof two lines.\n\n## Other\n- not this\n");
    CHECK(a.findings == texts{"It is high, very high; mean 99; sd 3", "TTFT: it is low", "A paragraph of two lines."});
}

TEST_CASE("metrics may be a table") {
    const analysis a = parse_analysis(
        "## Metrics\n| Metric | Value | Note |\n|---|---:|---|\n| TTFT | 603 ms | cold |\n| **rate** | 99.3 | |\n"
        "\n- load: 5\n- no value\n");
    CHECK(metrics_of(a) == texts{"TTFT=603 ms; cold", "rate=99.3", "load=5", "no value="});
}

TEST_CASE("a reply without structure gives its first paragraph as the summary, and says so") {
    const analysis a = parse_analysis("\n\nThe system is\n**fast**.\n\nMore text.\n- item\n");
    CHECK(a.shape == reply_shape::plain);
    CHECK(a.summary_is_fallback);
    CHECK(a.summary == "The system is fast.");
    CHECK(a.findings.empty());
    const analysis no_summary = parse_analysis("It went well.\n\n## Findings\n- One\n");
    CHECK(no_summary.shape == reply_shape::markdown);
    CHECK(no_summary.summary_is_fallback);
    CHECK(no_summary.summary == "It went well.");
    CHECK(no_summary.findings == texts{"One"});
    const analysis empty = parse_analysis(" \n");
    CHECK(empty.summary.empty());
    CHECK(empty.summary_is_fallback);
}

TEST_CASE("a thinking block is passed over") {
    CHECK(parse_analysis("<think>\n## Summary\nno\n</think>\n\n## Summary\nyes\n").summary == "yes");
    CHECK_FALSE(parse_analysis("<think>\ncut off").summary.empty());
}

TEST_CASE("a sentence with a colon opens no section") {
    const analysis a = parse_analysis("## Findings\nThe metrics show this: it is fast.\n\nA summary of it all: good\n");
    CHECK(a.findings == texts{"The metrics show this: it is fast.", "A summary of it all: good"});
    CHECK(a.metrics.empty());
}
